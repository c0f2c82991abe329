"""The embedded stack: Temporal server, model server, workers, and the processes that keep them up and end them.

Must not be needed by a worker in production.
"""
