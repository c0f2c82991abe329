"""What runs did, told from their histories: as events, and as a tree of steps.

Must not start or change anything, nor print.
"""
