"""Formats that take a library or much memory to read.

Each document in a process of its own, which may crash or hang.

Must not import what takes long to load: every document pays for it.
"""
