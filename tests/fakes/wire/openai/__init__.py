"""What OpenAI's endpoints refuse: models, schemas and the parts of the rule books.

Must not know our adapters.
"""
