"""Holds runs to what they may spend.

Must not ask a model, or know what a call is for.
"""
