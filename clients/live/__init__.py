"""What calls say while they are under way, in order with events.

Must not read a history: it is given events.
"""
