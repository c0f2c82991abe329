"""Places in a tree of runnables, and the ids made of them.

They stand in every history, so no other file builds or splits one.

A place is the names of the runnables from the root down, joined by `/`; one that is used again gets a number:
`desk`, `desk/billing`, `desk/billing#2`, `map/item[3]`. The id of an activity is its place and its step: `desk:turn-1`,
`desk:turn-1-2` (the third model of that turn), `desk:route`, `desk:transcript`, `desk:mcp-github`, `desk:call_7`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate
from typing import NamedTuple

SEPARATOR = "/"
"""Stands between the steps of a place, and between the id of a run and those of its nested runs."""

APPROVAL_STEP = "approval"
"""Last part of the id of a request for an approval."""
_RECONCILE_STEP = "reconcile"
_SUMMARY_STEP = "summary"

_STEP = ":"
_NUMBER = "#"
_MODEL_CALL = re.compile(r"turn-(\d+)(?:-(\d+))?")
_DIRECT_CALL = re.compile(r"call(?:_\d+)?")
_UNDO_CALL = "call_undo"
_UNDO_CALLS = re.compile(rf"{_UNDO_CALL}(?:_\d+)?")


def numbered(name: str, number: int) -> str:
    """Return a name as its `number`-th use is called, from 1: the first has no number."""
    return name if number == 1 else f"{name}{_NUMBER}{number}"


def direct_call_id(number: int) -> str:
    """Return the id of the `number`-th tool call, from 1, made without a model."""
    return "call" if number == 1 else f"call_{number}"


def undo_call_id(number: int) -> str:
    """Return the id of the `number`-th call, from 1, that undoes another one."""
    return _UNDO_CALL if number == 1 else f"{_UNDO_CALL}_{number}"


def scores_prefix(first_execution: str) -> str:
    """Return what the ids of the scores of a run begin with, and of nothing else.

    The id of a run may be that of a later one, too, and the beginning of others; that of its first execution is none.
    """
    return f"score-{first_execution}-"


def score_id(first_execution: str, turn: str, name: str, by: str) -> str:
    """Return the id of a score of a run.

    It is the same for all that take the place of one another.
    """
    return scores_prefix(first_execution) + sha256(json.dumps([turn, name, by]).encode()).hexdigest()[:32]


class Place(str):
    """A place in the runnable tree.

    It is its own text, so it can be sent and used as a key as it stands.
    """

    __slots__ = ()

    def __truediv__(self, name: str) -> Place:
        """Return the place of that name directly within this one."""
        return Place(f"{self}{SEPARATOR}{name}")

    def numbered(self, number: int) -> Place:
        """Return this place as its `number`-th use is called, from 1."""
        return Place(numbered(self, number))

    @property
    def name(self) -> str:
        """The last step of it, with its number."""
        return self.rpartition(SEPARATOR)[2]

    @property
    def unnumbered_name(self) -> str:
        """The last step of it, without its number."""
        return self.name.partition(_NUMBER)[0]

    @property
    def parent(self) -> Place:
        """The place that it is directly in; empty for a root."""
        return Place(self.rpartition(SEPARATOR)[0])

    @property
    def root(self) -> Place:
        """The outermost place that it is in."""
        return Place(self.partition(SEPARATOR)[0])

    @property
    def depth(self) -> int:
        """How many steps it has; 0 for the empty place."""
        return self.count(SEPARATOR) + 1 if self else 0

    def with_parents(self) -> Iterator[Place]:
        """Yield it and all places that it is in, the outermost first."""
        return map(Place, accumulate(self.split(SEPARATOR), lambda above, step: f"{above}{SEPARATOR}{step}"))

    def below(self, other: str) -> Place:
        """Return this place relative to one that contains it."""
        return Place(self.removeprefix(other).removeprefix(SEPARATOR))

    def is_within(self, other: str) -> bool:
        """Return whether this place is `other` or lies inside it."""
        return f"{self}{SEPARATOR}".startswith(f"{other}{SEPARATOR}")

    def nested_run_id(self, run_id: str, root: str) -> str:
        """Return the id of the nested run here, of the run of that id at place `root`."""
        return run_id + self.removeprefix(root)

    def before_first_reply(self, execution: str) -> str:
        """Return the id that stands for the last reply while there is none."""
        return f"{execution}{_STEP}{self}"

    def model_call(self, turn: int, fallback: int = 0) -> str:
        """Return the id of a model call here.

        Args:
            turn: From 1.
            fallback: How many models of this turn failed before it.
        """
        return f"{self}{_STEP}turn-{turn}" + (f"-{fallback}" if fallback else "")

    def summary(self, turn: int, failed: int = 0) -> str:
        """Return the id of a model call here that summarizes what came before a turn.

        Args:
            turn: From 1.
            failed: How many model calls of this turn failed before it, or were summaries.
        """
        return f"{self}{_STEP}{_SUMMARY_STEP}-{turn}" + (f"-{failed}" if failed else "")

    @property
    def summaries(self) -> Place:
        """The place of the summaries of what was said here."""
        return self / _SUMMARY_STEP

    def tool_call(self, call_id: str) -> str:
        """Return the id of the tool call here that the call id names."""
        return f"{self}{_STEP}{call_id}"

    def approval(self, call_id: str) -> str:
        """Return the id of the request for an approval of the tool call here.

        So the timer is called that ends it.
        """
        return f"{self}{_STEP}{call_id}{_STEP}{APPROVAL_STEP}"

    def reconciliation(self, call_id: str) -> str:
        """Return the id of the question what came of the tool call here.

        It was cut off.
        """
        return f"{self}{_STEP}{call_id}{_STEP}{_RECONCILE_STEP}"

    def undoing(self, call_id: str) -> str:
        """Return the id of the question how something is undone by the call here."""
        return f"{self}{_STEP}{call_id}{_STEP}how"

    def edited_call(self, call_id: str) -> str:
        """Return the id of the check of what a person changed in the tool call here."""
        return f"{self}{_STEP}{call_id}{_STEP}edit"

    def route_decision(self) -> str:
        """Return the id of the decision of the router here."""
        return f"{self}{_STEP}route"

    def search(self, call_id: str = "") -> str:
        """Return the id of the search here, of a tool call or of its own."""
        return f"{self}{_STEP}{call_id}{_STEP}search" if call_id else f"{self}{_STEP}search"

    def ingest_step(self, step: str) -> str:
        """Return the id of a step of an ingest into the collection of this name."""
        return f"{self}{_STEP}{step}"

    def turn_end(self, number: int) -> str:
        """Return the id of what notes the end of the chat's turn of that number, from 1."""
        return f"{self}{_STEP}end-{number}"

    def prices(self) -> str:
        """Return the id of the activity that looks up prices for the nested run here."""
        return f"{self}{_STEP}prices"

    def continued_conversation(self) -> str:
        """Return the id of the activity that fetches the conversation continued here."""
        return f"{self}{_STEP}transcript"

    def spending(self) -> str:
        """Return the id of the activity that reads what the nested run here spent."""
        return f"{self}{_STEP}spent"

    def memory_recall(self, number: int) -> str:
        """Return the id of the recall before the `number`-th turn here, from 1."""
        return f"{self}{_STEP}recall-{number}"

    def memory_write(self, number: int) -> str:
        """Return the id of the write after the `number`-th turn here, from 1."""
        return f"{self}{_STEP}remember-{number}"

    def guard(self, number: int) -> str:
        """Return the id of the `number`-th look at a message here, from 1."""
        return f"{self}{_STEP}guard-{number}"

    def mcp_catalogue(self, server: str) -> str:
        """Return the id of the activity that asks an MCP server for tools, for this place."""
        return f"{self}{_STEP}mcp-{server}"


def root_run_id(run_id: str) -> str:
    """Return the id of the run or chat that a run is nested in, at any depth.

    Its own where it is nested in none.
    """
    return run_id.partition(SEPARATOR)[0]


class ActivityId(NamedTuple):
    """The id of an activity, taken apart."""

    place: Place
    step: str
    """What it is at its place, such as `turn-1`; of a tool call the id of the call."""

    @classmethod
    def parse(cls, text: str) -> ActivityId:
        """Take an id apart.

        One that is not ours has an empty place, or a step that we never make.
        """
        place, _, step = text.rpartition(_STEP)
        return cls(Place(place), step)

    @property
    def text(self) -> str:
        """The id whole, as it was taken apart."""
        return f"{self.place}{_STEP}{self.step}"

    @property
    def model_call(self) -> tuple[int, int] | None:
        """The turn of a model call, and how many models failed in it before.

        None of anything else.
        """
        found = _MODEL_CALL.fullmatch(self.step)
        return (int(found[1]), int(found[2] or 0)) if found else None

    @property
    def reconciled_call(self) -> ActivityId | None:
        """The tool call of which this asks what came; None where it does not."""
        return ActivityId.parse(self.place) if self.step == _RECONCILE_STEP else None

    @property
    def approved_call(self) -> ActivityId | None:
        """The tool call for which this requests an approval; None where it does not."""
        return ActivityId.parse(self.place) if self.step == APPROVAL_STEP else None

    @property
    def is_tool_call(self) -> bool:
        """Whether it names a tool call, whoever made it."""
        return bool(self.place) and self.step.startswith("call")

    @property
    def is_direct_call(self) -> bool:
        """Whether it names a tool call that a workflow made without a model."""
        return bool(_DIRECT_CALL.fullmatch(self.step))

    @property
    def is_undoing(self) -> bool:
        """Whether it names a tool call that undoes another one."""
        return bool(_UNDO_CALLS.fullmatch(self.step))


@dataclass(frozen=True, slots=True)
class EventId:
    """The id of an event of a run."""

    execution: str
    """Temporal's run id of the execution whose history tells it. Empty where that is known from elsewhere."""
    history_event: int
    """Id of the history event, from 1."""
    index: int
    """Which of the events that the history event means, from 0."""

    def __str__(self) -> str:
        return SEPARATOR.join(filter(None, (self.execution, str(self.history_event), str(self.index))))

    @classmethod
    def parse(cls, text: str) -> EventId:
        """Take an id apart, or one without its execution.

        Raises:
            ValueError: It is not the id of an event.
        """
        *execution, event, index = text.split(SEPARATOR)
        return cls(execution[0] if execution else "", int(event), int(index))

    def with_execution(self, execution: str) -> EventId:
        """Return the same id with an execution, where it lacks its own."""
        return self if self.execution else EventId(execution, self.history_event, self.index)

    def without_execution(self, execution: str) -> EventId:
        """Return the same id, without its execution where it is that one."""
        return EventId("", self.history_event, self.index) if self.execution == execution else self

    def covers(self, event_id: str) -> bool:
        """Return whether a stream that got to here has told an event.

        Of earlier executions all were told.
        """
        other = EventId.parse(event_id)
        here = (self.history_event, self.index)
        return other.execution != self.execution or (other.history_event, other.index) <= here
