"""What a text has that only instructions to a model have.

Must not know whose text it is, or what becomes of it.
"""
