"""How tool calls are made, what they have done, and how that is undone.

Must not decide which calls are made.
"""
