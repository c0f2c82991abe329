"""What people write of memory.

How much of a conversation a model sees, and what outlives it.

Must not know how anything of it is kept.
"""
