"""Secrets in texts: keys, tokens, passwords.

Must not decide what becomes of them.
"""
