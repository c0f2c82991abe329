"""Commands that read what runs have left behind.

Must not start or change anything.
"""
