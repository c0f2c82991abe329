"""What providers and models accept, as data: `known.toml` has it, by patterns.

Must not know how a request is written.
"""
