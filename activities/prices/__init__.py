"""Knows what calls cost.

Must not make any.
"""
