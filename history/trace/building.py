"""Makes steps of the events of a run. Does no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ...contracts.wire.chats.chat_event import ChatStarted, TurnFinished, TurnStarted
from ...contracts.wire.event import (
    Event,
    FallbackUsed,
    MemberFinished,
    MemberStarted,
    ModelRequested,
    ModelResponded,
    RetrievalResponded,
    RouteChosen,
    RunFinished,
    RunStalled,
    RunStarted,
    ToolRequested,
    ToolResponded,
    ToolsFaulty,
)
from ...contracts.wire.places import Place
from ..events.projection import Projection
from .step import TraceStep

_FAILED = "failed"
_COMPLETED = "completed"


@dataclass(slots=True)
class _Growing:
    """A step that is being put together."""

    fields: dict[str, Any]
    steps: list[_Growing] = field(default_factory=list)

    def made(self) -> TraceStep:
        return TraceStep(**self.fields, steps=tuple(step.made() for step in self.steps))


class TraceBuilder:
    """Takes in the events of the workflows of one run."""

    def __init__(self) -> None:
        self._root: _Growing | None = None
        self._holders: dict[str, _Growing] = {}
        """What steps stand in, by path: the run, nested runs; of a chat the turn under way."""
        self._calls: dict[tuple[str, int | str], _Growing] = {}
        self._runs: dict[str, _Growing] = {}

    def take(self, event: Event, projection: Projection) -> None:
        """Take in an event.

        Args:
            event: The event, in the order of its workflow.
            projection: Has read the history of the workflow.
        """
        match event:
            case RunStarted() | ChatStarted() | MemberStarted() | TurnStarted():
                self._begin(event)
            case MemberFinished() | RunFinished() | TurnFinished():
                self._end(event)
            case ModelRequested() | ModelResponded() | FallbackUsed():
                self._take_model(event, projection)
            case ToolRequested() | ToolResponded():
                self._take_tool(event)
            case RetrievalResponded():
                self._take_retrieval(event)
            case _:
                self._note(event)

    def root(self) -> TraceStep | None:
        """Return the run with all its steps; None where nothing was told of it."""
        return self._root.made() if self._root else None

    def _begin(self, event: RunStarted | ChatStarted | MemberStarted | TurnStarted) -> None:
        if isinstance(event, TurnStarted):
            asked = event.message.text
            self._holders[event.path] = self._add(event, kind="turn", name=event.message_id, asked=asked)
            return
        # A nested run is told of by its parent, and by itself.
        known = self._runs.get(event.run_id)
        if known is None:
            name = event.member if isinstance(event, MemberStarted) else event.runnable
            message = None if isinstance(event, ChatStarted) else event.message
            asked_of = message.text if message else None
            known = self._add(event, kind="run", name=name, run_id=event.run_id, asked=asked_of)
            self._runs[event.run_id] = known
        self._holders[event.path] = known
        self._root = self._root or known

    def _end(self, event: MemberFinished | RunFinished | TurnFinished) -> None:
        ended = self._holders.get(event.path)
        if ended is None:
            return
        ended.fields |= {
            "seconds": _seconds(ended.fields["started_at"], event.at),
            "status": event.status.value,
            "reason": event.reason,
            "answered": event.output,
            "turns": event.turns,
            "usage": event.usage,
            "cost_usd": event.cost_usd,
        }
        if isinstance(event, TurnFinished) and self._root:
            self._holders[event.path] = self._root

    def _note(self, event: Event) -> None:
        match event:
            case RouteChosen():
                why = {"reason": event.reason, "answered": event.confidence, "asked": event.strategy}
                self._add(event, kind="route", name=event.route, seconds=0.0, status=_COMPLETED, **why)
            case RunStalled():
                self._add(event, kind="notice", name="its code failed", seconds=0.0, reason=event.reason)
            case ToolsFaulty():
                told = "; ".join(fault.told for fault in event.faults)
                self._add(event, kind="notice", name=f"MCP server {event.server}", seconds=0.0, reason=told)
            case _:
                pass

    def _take_model(self, event: ModelRequested | ModelResponded | FallbackUsed, projection: Projection) -> None:
        key = (event.path, event.turn)
        if isinstance(event, ModelRequested):
            self._calls[key] = self._add(event, kind="model", name=event.model, turn=event.turn)
            return
        call = self._calls.get(key)
        if call is None:
            return
        call.fields["seconds"] = _seconds(call.fields["started_at"], event.at)
        if isinstance(event, FallbackUsed):
            call.fields |= {"status": _FAILED, "reason": event.reason}
            return
        call.fields |= {
            "name": event.model,
            "status": _COMPLETED,
            "waited_seconds": event.waited_seconds,
            "attempt": event.attempt,
            "answered": event.message.text,
            "usage": event.usage,
            "cost_usd": event.cost_usd,
            "prompt_hash": event.prompt_hash,
            "turns": 1,
            **_prompt(event, projection),
        }

    def _take_tool(self, event: ToolRequested | ToolResponded) -> None:
        key = (event.path, event.call_id)
        if isinstance(event, ToolRequested):
            asked = {"asked": event.arguments, "turn": event.turn}
            self._calls[key] = self._add(event, kind="tool", name=event.name, **asked)
            return
        call = self._calls.get(key)
        if call is None:
            call = self._add(event, kind="tool", name=event.name, turn=event.turn)
            self._calls[key] = call
        call.fields |= {
            "seconds": _seconds(call.fields["started_at"], event.at),
            "waited_seconds": event.waited_seconds,
            "attempt": event.attempt,
            "status": _FAILED if event.is_error else _COMPLETED,
            "answered": event.content,
        }

    def _take_retrieval(self, event: RetrievalResponded) -> None:
        found = self._add(
            event,
            kind="retrieval",
            name=event.collection,
            seconds=event.seconds,
            attempt=event.attempt,
            status=_COMPLETED,
            reason=event.note,
            asked=event.query,
            answered=[passage.model_dump(mode="json") for passage in event.passages],
            usage=event.usage,
            cost_usd=event.cost_usd,
        )
        call = self._calls.get((event.path, event.call_id)) if event.call_id else None
        if call:
            self._holder(event.path).steps.remove(found)
            call.steps.append(found)

    def _add(self, event: Event, **fields: Any) -> _Growing:
        step = _Growing({"path": event.path, "started_at": event.at, **fields})
        if self._root:
            self._holder(event.path).steps.append(step)
        return step

    def _holder(self, path: str) -> _Growing:
        """Return the innermost run or turn that a place is in."""
        assert self._root  # noqa: S101 - asked for nothing before there is one
        inward = reversed([*Place(path).with_parents()])
        return next((self._holders[one] for one in inward if one in self._holders), self._root)


def _prompt(event: ModelResponded, projection: Projection) -> dict[str, Any]:
    """Return what the model saw, as the history tells it."""
    try:
        sent = projection.prompt(event.turn, event.path)
    except KeyError:
        return {}
    try:
        before = len(projection.prompt(event.turn - 1, event.path).messages)
    except KeyError:
        before = 0
    return {"messages": len(sent.messages), "told": sent.messages[before:], "proven": sent.hash == event.prompt_hash}


def _seconds(begin: datetime, end: datetime) -> float:
    return max((end - begin).total_seconds(), 0.0)
