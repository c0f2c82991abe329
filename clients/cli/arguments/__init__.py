"""Defines what commands take: their parser, and kinds of options.

Must not run anything.
"""
