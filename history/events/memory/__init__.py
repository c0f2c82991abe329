"""What happens around long-term memory, as events.

Must not do I/O.
"""
