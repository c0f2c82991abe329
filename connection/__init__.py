"""How any process of ours reaches Temporal: address, converter, payload store.

Must not decide anything about a run, nor import workflows, workers or clients.
"""
