"""Collections: documents that are loaded, cut, embedded, stored and searched.

Must not import a vector database, a document library or an embedding model: adapters do.
"""
