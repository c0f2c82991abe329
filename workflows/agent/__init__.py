"""The agent loop: its state, gates, model calls, tool calls and transcript.

Must not know how several runnables are combined.
"""
