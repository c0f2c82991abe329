"""What people say of themselves in English, found by rules.

Must not ask a model, nor do I/O.
"""
