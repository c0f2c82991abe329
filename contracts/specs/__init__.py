"""What people write: every kind of runnable, what nests in it, and the app that serves it.

Must not know what crosses the wire of a run: that stands on these, in `wire/`.
"""
