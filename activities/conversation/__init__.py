"""What takes over a conversation, and notes where a turn of one ends.

Must not call a model.
"""
