"""What agents remember: how people say it.

Must not know how it is stored.
"""
