"""Calls that wait for a person, on the terminal.

How they are shown, asked about and decided.

Must not decide anything that nobody said.
"""
