"""The turns of chats, as histories tell them.

Must not do any I/O.
"""
