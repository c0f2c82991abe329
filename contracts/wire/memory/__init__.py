"""What stands in histories of memory.

What left a prompt, and what is recalled, written and forgotten.

Must not lose or rename a field.
"""
