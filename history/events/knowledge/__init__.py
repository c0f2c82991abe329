"""What happens around collections, as events: searches, and the steps of ingests.

Must not do I/O.
"""
