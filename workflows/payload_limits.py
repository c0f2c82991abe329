"""Holds back what does not fit into a payload or a workflow task.

The server would refuse it, and the task would be tried for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from temporalio import workflow

from ..contracts import limits
from ..contracts.contract import Contract
from ..contracts.text import cut
from ..contracts.wire.run import Result, Status, StepResult

_PASS_LESS = f"pass less, or {limits.HOW_TO_KEEP_OUTSIDE}"


class PayloadTooLargeError(Exception):
    """Something is too large for the server; the message says what and how large."""


class Outbox:
    """Holds back what is too much for the message by which a workflow task ends.

    Args:
        offload: Whether client and workers keep large payloads outside the history.
    """

    def __init__(self, *, offload: bool) -> None:
        self._offload = offload
        self._task = -1
        self._bytes = 0
        self._order = asyncio.Lock()
        self._slots = asyncio.Semaphore(limits.AT_ONCE)

    @asynccontextmanager
    async def sending(self, payload: Contract, what: str, beside: int = 0) -> AsyncIterator[None]:
        """Wait until there is room for what the block starts with this payload.

        Mostly there is at once.

        Args:
            payload: What is sent.
            what: What errors call it.
            beside: Bytes that are sent with it, such as a memo.

        Raises:
            PayloadTooLargeError: The payload alone is larger than there is ever room for.
        """
        async with self._slots:
            await self._room(payload, what, beside)
            yield

    async def _room(self, payload: Contract, what: str, beside: int) -> None:
        size = limits.written_bytes(payload)
        if not self._offload and size > limits.MAX_PAYLOAD_BYTES:
            raise PayloadTooLargeError(f"{limits.excess(what, size)}: {_PASS_LESS}")
        async with self._order:
            while self._full(beside + (min(size, limits.OFFLOADED_BYTES) if self._offload else size)):
                # The next workflow task has a message of its own.
                await workflow.sleep(timedelta(milliseconds=1))

    def _full(self, size: int) -> bool:
        # Grows with every workflow task and never within one, in a replay too.
        task = workflow.info().get_current_history_length()
        if task != self._task:
            self._task, self._bytes = task, 0
        if self._bytes and self._bytes + size > limits.TASK_BYTES:
            return True
        self._bytes += size
        return False

    def fitting(self, result: Result, most: int = 0) -> Result:
        """Return as much of a result as can be sent: the output first, then the steps.

        Args:
            result: What is to be sent.
            most: Most bytes of it, wherever payloads are kept. 0: as many as a history takes.
        """
        if len(result.reason) > limits.MAX_REASON_CHARS:
            # It may quote what a model said, and of a failed run it is the failure's message as well.
            result = result.model_copy(update={"reason": cut(result.reason, limits.MAX_REASON_CHARS)})
        result = _shallow(result)
        outside, most = self._offload and not most, most or limits.MAX_PAYLOAD_BYTES
        if outside or not limits.why_too_large(result, "the result", most):
            return result
        left = most - _OVERHEAD_BYTES
        kept: dict[str, Any] = {}
        size = limits.written_bytes(result.effects)
        if size > left:
            # What was said goes first, but for half of the room: what is lost of them cannot be undone any more.
            most_effects = max(left - limits.written_bytes(result.output), left // 2)
            kept["effects"] = result.effects.within(most_effects, _TOO_MUCH)
            size = limits.written_bytes(kept["effects"])
        left -= size
        if result.compensated:
            kept["compensated"] = result.compensated.within(left)
            left -= limits.written_bytes(kept["compensated"])
        size = limits.written_bytes(result.output)
        if size > left:
            why = f"{limits.excess('the output', size, most)}: {_PASS_LESS}. What it was made of stands in the history"
            kept |= _without_output(result, why)
        left -= size if "status" not in kept else 0
        for field in ("rejected", "untold"):
            size = limits.written_bytes(getattr(result, field))
            kept |= {} if size <= left else {field: ()}
            left -= size if size <= left else 0
        steps: dict[str, StepResult] = {}
        for name, step in result.steps.items():
            size = limits.written_bytes(step)
            steps[name] = step if size <= left else _left_out(step, size)
            left -= limits.written_bytes(steps[name]) + len(name)
        return result.model_copy(update={**kept, "steps": steps})


_TOO_MUCH = "the run that did it could not hand on what undoing takes: it did too much, or was given too much"
_OVERHEAD_BYTES = 100_000
"""Room for the rest of a result, and for steps of which only the status is left."""


def _shallow(result: Result) -> Result:
    """Return the result without an output that could be written and not be read."""
    steps = {
        name: StepResult(status=step.status, reason=_TOO_DEEP)
        for name, step in result.steps.items()
        if limits.is_too_deep(step.output, limits.MAX_OUTPUT_DEPTH)
    }
    if steps:
        result = result.model_copy(update={"steps": {**result.steps, **steps}})
    if not limits.is_too_deep(result.output, limits.MAX_OUTPUT_DEPTH):
        return result
    return result.model_copy(update=_without_output(result, _TOO_DEEP))


def _without_output(result: Result, why: str) -> dict[str, Any]:
    """Return what changes of a result whose output cannot be sent."""
    status = Status.FAILED if result.status is Status.COMPLETED else result.status
    return {"status": status, "reason": f"{result.reason}; {why}" if result.reason else why, "output": None}


_TOO_DEEP = f"the output is nested deeper than {limits.MAX_OUTPUT_DEPTH} levels"


def _left_out(step: StepResult, size: int) -> StepResult:
    return StepResult(status=step.status, reason=f"left out here, having {size:,} bytes: it stands in the history")


def why_full() -> str:
    """Return why nothing more fits into this history; empty where something does."""
    info = workflow.info()
    events, size = info.get_current_history_length(), info.get_current_history_size()
    if events <= limits.HARD_HISTORY_EVENTS and size <= limits.HARD_HISTORY_BYTES:
        return ""
    return f"the history is full ({events:,} events, {size:,} bytes)"
