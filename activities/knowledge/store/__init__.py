"""Collections in a vector store: what stands there, and the port to it.

Must not know how texts become vectors.
"""
