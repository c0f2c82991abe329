"""A trace on the terminal: its lines, and how it goes on while the run does.

Must not read histories but by `Run.trace`.
"""
