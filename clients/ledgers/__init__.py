"""What a client does with ledgers, which many runs spend from together.

Must not count anything: a ledger's own workflow does.
"""
