"""Calls that wait for a person, as clients see and decide them.

Must not ask a run for what its history tells.
"""
