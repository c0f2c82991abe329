"""What people say of guardrails: what is looked for, and what becomes of a text.

Must not know how anything is found.
"""
