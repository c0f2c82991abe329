"""The acts of `sostenuto demo`: an ingest and a question, each with a worker that is killed in the middle of it.

Must not tell what is not in the histories.
"""
