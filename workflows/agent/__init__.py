"""The agent loop and what it consists of: state, model calls, tool calls, transcript.

Must not know how several runnables are combined.
"""
