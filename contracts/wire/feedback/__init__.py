"""What people say of runs, as it stands in histories.

Must not know where it is sent.
"""
