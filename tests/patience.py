"""How long a test waits for what has to come."""

PATIENCE_SECONDS = 120
"""Long, for the machine may be busy: only what never comes takes so long. How quick something is, benchmarks tell."""
