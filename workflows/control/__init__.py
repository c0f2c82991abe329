"""Has calls wait for a person, and what is in doubt be found out.

Must not ask a model.
"""
