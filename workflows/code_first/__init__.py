"""What code-first workflows call, such as `run` and `call_tool`.

Deterministic; every call stands in the history of the workflow that makes it. Must not know the workflows that call.
"""
