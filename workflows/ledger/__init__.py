"""Keeps ledgers: what many runs spend from together.

Must not ask a model, nor know what a run does.
"""
