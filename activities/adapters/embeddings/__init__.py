"""Models of meaning, one file each.

Must not know what is compared with what.
"""
