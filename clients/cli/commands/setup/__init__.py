"""Commands that make ready: a project, a machine, a server, a shell.

Must not start or read runs.
"""
