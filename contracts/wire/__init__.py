"""What crosses between client, workflow and activities and stands in histories for ever.

A field here may be added, with a default; none is ever renamed or removed.
"""
