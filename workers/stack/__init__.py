"""The embedded stack: Temporal server, model server and workers.

With the processes that keep them up and end them.

Must not be needed by a worker in production.
"""
