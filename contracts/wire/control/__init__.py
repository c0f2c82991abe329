"""Crosses the wire where runs are held to something.

Must not decide anything.
"""
