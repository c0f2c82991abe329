"""What importing the client costs, beside importing Temporal's own.

Each in fresh interpreters.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from statistics import median
from typing import Any

OURS = "from sostenuto import Agent, Client"
TEMPORAL = "import temporalio.client"

HEAVY = ("anthropic", "openai", "qdrant_client", "qdrant_edge", "onnxruntime", "xllamacpp", "tokenizers", "numpy")
"""What a client has no business to load."""

_PROGRAM = """
import json, sys, time
begin = time.perf_counter()
{statement}
seconds = time.perf_counter() - begin
print(json.dumps({{"seconds": seconds, "modules": [name for name in {heavy} if name in sys.modules]}}))
"""


@dataclass(frozen=True, slots=True)
class Imports:
    """Seconds that the imports take, and the heavy modules that ours loads."""

    ours_seconds: float
    temporal_seconds: float
    heavy: tuple[str, ...]

    @classmethod
    def measure(cls, rounds: int) -> Imports:
        """Return medians over interleaved rounds."""
        ours, temporal = [], []
        for _ in range(rounds):
            temporal.append(_import(TEMPORAL))
            ours.append(_import(OURS))
        return cls(
            ours_seconds=median(one["seconds"] for one in ours),
            temporal_seconds=median(one["seconds"] for one in temporal),
            heavy=tuple(ours[0]["modules"]),
        )


def _import(statement: str) -> dict[str, Any]:
    program = _PROGRAM.format(statement=statement, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told
