"""Long-term memory around turns, and prompts that keep to their windows.

Must not do I/O, nor decide what two texts have in common.
"""
