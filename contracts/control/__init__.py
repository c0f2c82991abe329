"""Says what runs may spend, and what they may not do unasked.

Must not know how either is held to.
"""
