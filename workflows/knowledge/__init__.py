"""Workflows about collections: bringing documents in, and asking about them.

They must not do any I/O.
"""
