"""The embedded model: how a small one chooses tools and arguments, and answers.

Must not be needed by any other provider.
"""
