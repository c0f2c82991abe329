"""What people write: the kinds of runnables and their parts, and the app.

Must not know what crosses the wire of a run: that stands on these, in `wire/`.
"""
