"""What stands in the history of an ingest: its steps, and its events.

Must not lose or rename a field.
"""
