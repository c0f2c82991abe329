"""Says what runs may spend, and what they may do without being asked.

Must not know how either is held to.
"""
