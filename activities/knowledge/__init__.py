"""Knowledge: documents, and the passages that they are cut into.

Must not read a file, nor import a library.
"""
