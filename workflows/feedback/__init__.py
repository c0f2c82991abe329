"""Workflows of what people say of runs.

They must not do any I/O.
"""
