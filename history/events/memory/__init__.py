"""Reads what a history tells of memory. Must not do I/O."""
