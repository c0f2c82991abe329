"""Keeps accounts of what runs may spend, hold and have spent.

Must not ask a model.
"""
