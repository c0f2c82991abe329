"""The acts of `sostenuto demo`: an ingest and a question, each with a kill.

Must not tell what is not in the histories.
"""
