"""The adapter for all who speak Chat Completions: requests and answers.

Must not know the other protocols.
"""
