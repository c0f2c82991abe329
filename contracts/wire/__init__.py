"""What crosses between client, workflow and activities and stands in histories for ever.

Must not lose or rename a field: one may be added, with a default.
"""
