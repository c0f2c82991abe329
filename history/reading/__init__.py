"""Reads histories from the server.

Executions of a run, its nested runs, and where a stream stands.

Must not say what an event of a history means: `events/` does.
"""
