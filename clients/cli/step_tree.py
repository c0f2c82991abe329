"""A run's events as an indented tree for a terminal, and what it waits for."""

from __future__ import annotations

from ...contracts.wire.chats.chat_event import ChatStarted, TurnFinished, TurnQueued, TurnStarted
from ...contracts.wire.control.approval_event import ApprovalDecided, ApprovalRequested
from ...contracts.wire.control.budget_event import BudgetSpent, BudgetToppedUp
from ...contracts.wire.event import (
    Event,
    MemberFinished,
    MemberStarted,
    ModelRequested,
    ModelResponded,
    RunFinished,
    RunStarted,
    ToolRequested,
    ToolResponded,
)
from ...contracts.wire.memory.memory_event import MemoryCompacted
from ...contracts.wire.places import Place
from .step_lines import line
from .terminal import harmless

_INDENT = "  "
_TOLD = 3
"""Most of what is waited for that is told in words."""
_WORKER = "a worker"
_SUMMARY = "summary"
_OF_THE_WHOLE = RunStarted | RunFinished | ChatStarted | TurnQueued | TurnStarted | TurnFinished


class StepTree:
    """Lines of one run, in the order of its events.

    Each stands as deep as its place in the tree, which is named whenever the events change to another one.

    Args:
        whole: What is waited for where nothing in it is.
    """

    def __init__(self, whole: str = "the run") -> None:
        self._whole = whole
        self._root: str | None = None
        self._here: str | None = ""
        """Place of the last line. None where that named none."""
        self._waits: dict[tuple[str, str], str] = {}
        """What is waited for, by path and tool call."""

    def lines(self, event: Event) -> list[str]:
        """Return the lines of an event; none for those that only announce another."""
        if self._root is None:
            # A stream that goes on somewhere begins anywhere: the root is the first step of every path.
            self._root = event.path if isinstance(event, RunStarted | ChatStarted) else Place(event.path).root
        self._note(event)
        text = line(event)
        if text is None:
            return []
        is_summary = isinstance(event, ModelResponded) and event.summary
        # A summary is told with the steps of the agent whose prompt it makes short.
        place = self._place(Place(event.path).parent if is_summary else event.path)
        depth = place.depth
        if isinstance(event, MemberStarted | MemberFinished):
            # It names its place itself, in the indentation of such names.
            self._here = place if isinstance(event, MemberStarted) else None
            return [f"{_INDENT * (depth - 1)}{text}"]
        named = place == self._here or isinstance(event, _OF_THE_WHOLE)
        self._here = place
        return [*([] if named else [f"{_INDENT * (depth - 1)}{place or self._root}"]), f"{_INDENT * depth}{text}"]

    def waiting(self) -> str:
        """Return what the run waits for now."""
        told = [self._told(path, what) for (path, _), what in list(self._waits.items())[:_TOLD]]
        more = f" and {len(self._waits) - _TOLD} more" if len(self._waits) > _TOLD else ""
        return harmless(f"waiting for {', '.join(told)}{more}") if told else f"waiting for {self._whole}"

    def _told(self, path: str, what: str) -> str:
        place = self._place(path)
        return f"{what} ({place})" if place else what

    def _note(self, event: Event) -> None:
        """Take in what an event begins to wait for, and what it ends to."""
        self._waits = {
            key: what for key, what in self._waits.items() if what != _WORKER or not _is_under(event.path, key[0])
        }
        match event:
            case RunStarted() | MemberStarted() | TurnStarted():
                # The call of a runnable is told by the run that it became.
                name = Place(event.path).unnumbered_name
                above = Place(event.path).parent
                self._waits = {k: what for k, what in self._waits.items() if (k[0], what) != (above, name)}
                self._waits[event.path, ""] = _WORKER
            case ModelRequested(summary=True):
                self._waits[Place(event.path).parent, _SUMMARY] = f"a summary by {event.model}"
            case ModelResponded(summary=True):
                self._waits.pop((Place(event.path).parent, _SUMMARY), None)
            case MemoryCompacted():
                # Of a summary that failed nothing else tells.
                self._waits.pop((event.path, _SUMMARY), None)
            case ModelRequested():
                self._waits[event.path, ""] = event.model
            case ToolRequested():
                self._waits[event.path, event.call_id] = event.name
            case ModelResponded():
                self._waits.pop((event.path, ""), None)
            case ToolResponded():
                self._waits.pop((event.path, event.call_id), None)
            case MemberFinished() | RunFinished() | TurnFinished():
                self._waits = {key: what for key, what in self._waits.items() if not _is_under(key[0], event.path)}
            case _:
                self._note_person(event)

    def _note_person(self, event: Event) -> None:
        match event:
            case ApprovalRequested():
                self._waits[event.path, event.call_id] = f"a person on {event.name}"
            case ApprovalDecided(decision="withdrawn"):
                self._waits.pop((event.path, event.call_id), None)
            case ApprovalDecided(missing=0):
                self._waits[event.path, event.call_id] = event.name
            case BudgetSpent(then="ask"):
                self._waits[event.path, ""] = "a top-up of its budget"
            case BudgetToppedUp():
                self._waits.pop((event.path, ""), None)
            case _:
                pass

    def _place(self, path: str) -> Place:
        """Return the path under the root; empty for the root's own."""
        return Place(path).below(self._root or "")


def _is_under(path: str, other: str) -> bool:
    return Place(path).is_within(other)
