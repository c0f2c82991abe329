"""The adapter for Anthropic: requests, answers and errors of the Messages API.

Must not know the other protocols.
"""
