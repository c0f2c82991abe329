"""What client, workflow and activities exchange, and histories keep for ever.

Must not lose or rename a field: one may be added, with a default.
"""
