"""How long a test waits for what has to come."""

PATIENCE_SECONDS = 120
"""Long, for the machine may be busy: only what never comes takes so long. How quick something is, benchmarks tell."""

VICTIM_HEARTBEAT_SECONDS = 9
"""After so long without a beat a worker that is to be killed is taken for dead.

Beside busy processes a beat of one that lives may be seconds late. A call that is taken over then is made again, and
those tests count calls."""
