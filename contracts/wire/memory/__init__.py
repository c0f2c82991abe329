"""What stands in histories of memory: what is recalled, written and forgotten.

Must not lose or rename a field.
"""
