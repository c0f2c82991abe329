"""What Anthropic's endpoint refuses: models, schemas and the parts of the rule book.

Must not know our adapters.
"""
