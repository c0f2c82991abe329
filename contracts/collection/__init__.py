"""Collections: what people say of documents that can be searched.

Must not know how they are stored.
"""
