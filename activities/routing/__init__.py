"""How a router decides: one file per strategy, and the activity that asks it.

Must not run a route.
"""
