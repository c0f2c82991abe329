"""What each provider that speaks Chat Completions refuses beyond what all do.

Must not know our adapters.
"""
