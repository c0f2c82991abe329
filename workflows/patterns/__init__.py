"""How each kind of runnable but the agent runs, on what its host offers.

Must not call a model or a tool but through the host.
"""
