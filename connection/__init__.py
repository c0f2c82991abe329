"""How any process of ours reaches Temporal, and what it reads histories with.

Address, converter, payload store, keys of the vault.

Must not decide anything about a run, nor import workflows, workers or clients.
"""
