"""The ids of traces and spans, which are the same whoever makes them.

Made of what the history has, so that a step that is told of twice is one span. Does no I/O.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256

from ...connection.tracing import SpanAddress


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """A run, nested or not, or a chat, as spans know it."""

    namespace: str
    workflow_id: str
    first_execution: str
    """Temporal's run id of its first execution, which names all that came of it."""
    caller: SpanAddress | None = None
    """The span in which it was started: of a nested run that of the run that it is nested in."""

    def span(self, turn: str = "") -> SpanAddress:
        """Return the span of the run, or of a turn of a chat by the id of its message.

        A turn is a trace of its own.
        """
        if turn:
            return SpanAddress(self._number("trace", turn, bits=128), self._number("turn", turn))
        trace_id = self.caller.trace_id if self.caller else self._number("trace", bits=128)
        return SpanAddress(trace_id, self._number("run"))

    def step(self, step_id: str, turn: str = "", execution: str = "") -> SpanAddress:
        """Return the span of a step in it, by the id that it has there.

        Args:
            step_id: The id.
            turn: Of a chat, the turn that it is in.
            execution: The execution that it is in, where each counts anew.
        """
        named = (step_id, execution) if execution else (step_id,)
        return SpanAddress(self.span(turn).trace_id, self._number("step", *named))

    def _number(self, *parts: str, bits: int = 64) -> int:
        named = json.dumps([self.namespace, self.workflow_id, self.first_execution, *parts])
        return int.from_bytes(sha256(named.encode()).digest()[: bits // 8]) or 1
