"""Commands that change what a run does.

Must not start one.
"""
