"""Originals of what was redacted, as ciphertext that may rest in a history.

Must not know runs, read settings, or decide what is hidden and who sees it again.
"""
