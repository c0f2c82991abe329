"""Reads what guardrails decided, from what they looked at.

Must not do I/O.
"""
