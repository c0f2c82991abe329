"""The adapter for OpenAI: requests, answers and errors of the Responses API.

Must not know the other protocols.
"""
