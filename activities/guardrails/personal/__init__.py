"""Personal data in texts.

Must not decide what becomes of it.
"""
