"""Vector stores on Qdrant: embedded in a worker, and a server.

Must not know of documents.
"""
