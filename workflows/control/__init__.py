"""Holds runs to what they may spend, and may do.

Must not ask a model.
"""
