"""Where spans go, in which form, and how they wait until they are taken.

Must not know what a step is.
"""
