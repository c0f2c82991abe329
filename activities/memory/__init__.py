"""Long-term memory: written, found and forgotten on the port to a vector store.

Must not import a vector database, an embedding model or a provider's SDK.
"""
