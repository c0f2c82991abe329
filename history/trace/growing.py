"""A step that is being put together, as events tell of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from ...contracts.wire.control.approval_event import ApprovalDecided
from ...contracts.wire.control.budget_event import BudgetToppedUp
from ...contracts.wire.event import Event, MemberStarted
from ...contracts.wire.guardrails.guardrail_event import GuardrailDecided
from ...contracts.wire.memory.memory_event import MemoryCompacted, MemoryForgotten, MemoryRecalled, MemoryWritten
from ...contracts.wire.places import Place
from .step import TraceStep


@dataclass(slots=True, eq=False)
class GrowingStep:
    """A step, as far as it is told."""

    fields: dict[str, Any]
    within: GrowingStep | None = None
    call: str = ""
    """By which a call is found when more is told of it."""
    steps: list[GrowingStep] = field(default_factory=list)
    _asked_at: datetime | None = None
    """Since when it waits for a person."""

    def ask_person(self, at: datetime) -> None:
        """Take in that it waits for a person, from now on or still."""
        self._asked_at = self._asked_at or at

    def person_said(self, at: datetime) -> None:
        """Take in that it waits for a person no more."""
        if self._asked_at:
            waited = self.fields.get("person_seconds", 0.0) + seconds_between(self._asked_at, at)
            self.fields |= {"person_seconds": waited, "waited_seconds": waited}
            self._asked_at = None

    def await_person(self, what: str) -> None:
        """Take in what it waits for a person for, beside what is known."""
        self.fields["awaits"] = "; ".join(filter(None, (self.fields.get("awaits"), what)))

    def made(self) -> TraceStep:
        """Return it with all that it is made of."""
        return TraceStep(**self.fields, steps=tuple(step.made() for step in self.steps))

    def ended_by(self, event: Event) -> EndedStep:
        """Return it as one that has ended."""
        return EndedStep(TraceStep(**self.fields), tuple(self._ids_above()), event)

    def _ids_above(self) -> Iterator[str]:
        step = self
        while step.within:
            step = step.within
            yield step.fields["id"]


class EndedStep(NamedTuple):
    """A step that has just ended."""

    step: TraceStep
    """Without what it is made of."""
    within: tuple[str, ...]
    """Ids of the steps that it is in, the innermost first."""
    event: Event
    """What ended it."""


def seconds_between(begin: datetime, end: datetime) -> float:
    """Return how long it was, at least 0."""
    return max((end - begin).total_seconds(), 0.0)


def call_of(event: MemberStarted) -> str:
    """Return the id of the tool call that started a nested run."""
    return Place(event.path).parent.tool_call(event.call_id) if event.call_id else ""


def status_of_notice(event: Event) -> str:
    """Return `completed` of what tells of something in order; else nothing."""
    match event:
        case MemoryRecalled(problem="") | MemoryWritten(problem="") | MemoryForgotten(problem=""):
            return "completed"
        case GuardrailDecided(verdict="redacted", failed=False):
            return "completed"
        case MemoryCompacted() | BudgetToppedUp() | ApprovalDecided(decision="approve" | "edit" | "answer"):
            return "completed"
        case _:
            return ""
