"""How each kind of runnable that combines others runs them.

Must not call a model or a tool but through the host.
"""
