"""What a run did and why, as a tree of steps made of its history.

Must not start or ask anything.
"""
