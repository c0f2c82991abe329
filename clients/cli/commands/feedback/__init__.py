"""Commands by which people say what they think of runs.

Must not change what a run does.
"""
