"""Providers of models, one folder for each protocol, and what they share.

The only code that imports their SDKs.

Must not retry, price or remember anything.
"""
