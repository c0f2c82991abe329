"""Reads what was said, and writes, finds and forgets what is remembered.

Must not import a vector database, an embedding model or a provider's SDK.
"""
