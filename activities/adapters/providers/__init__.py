"""Providers of models, one file each, and what they share.

The only code that imports their SDKs.

Must not retry, price or remember anything.
"""
