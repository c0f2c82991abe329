"""How a router decides: one file a strategy, and the activity that asks the one that is wanted.

Must not run a route.
"""
