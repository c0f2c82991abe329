"""Providers of models on loopback, as strict as the real ones are known to be.

Every rule of what is refused says the real error's words and where they were read. Must not know our adapters.
"""
