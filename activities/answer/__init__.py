"""What a model answered: made fit for a history, and checked.

Must not know which model it was, or ask one.
"""
