"""The context of a run: its own values, which its model neither sees nor chooses.

Tools, templates, rules and servers read them. Must not know how they get to a worker.
"""
