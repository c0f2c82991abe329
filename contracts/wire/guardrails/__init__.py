"""What guardrails decided, as it crosses the wire.

Must not have a value that was found.
"""
