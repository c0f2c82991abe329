"""What a worker serves: activities, ledgers, and people's own workflows.

Must not be imported from below.
"""
