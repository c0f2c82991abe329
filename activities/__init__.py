"""What a run does: one thin class or function per kind of effect.

Each call can be retried by itself.

Must not import a provider SDK, which is for `adapters/`, nor decide what comes next, which is for workflows.
"""
