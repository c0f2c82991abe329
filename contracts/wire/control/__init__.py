"""What runs tell each other of what they may spend.

Must not decide anything.
"""
