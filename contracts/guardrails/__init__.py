"""What people say of guardrails: what may not pass, and what becomes of it.

Must not know how anything is found.
"""
