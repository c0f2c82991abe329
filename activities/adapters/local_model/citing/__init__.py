"""Answers that cite: what was found, and what the sentences of an answer rest on.

Must not ask the model what it rests on.
"""
