"""Approvals, as histories tell them.

Must not do any I/O.
"""
