"""Where two runs part: the first decision that differs. Does no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff
from itertools import zip_longest

from ...contracts.contract import Contract
from ...contracts.message import Message
from ...contracts.wire.places import Place
from .step import Trace, TraceStep

_DECISIONS = ("run", "turn", "model", "tool", "retrieval", "route")


class StepPair(Contract):
    """What two runs did as their so-manieth step, each without what is in it."""

    left: TraceStep | None = None
    """None where that run had ended."""
    right: TraceStep | None = None


class Difference(Contract):
    """The first step in which two runs differ."""

    same: int
    """How many steps before it are the same."""
    left: TraceStep | None = None
    """The step of the first run, without what is in it. None where that had ended."""
    right: TraceStep | None = None
    """That of the second one."""
    what: tuple[str, ...]
    """Which fields of it differ."""
    prompt: tuple[str, ...] = ()
    """How what the models were told differs, as lines of a unified diff: by a model call, or before a tool call.
    Empty where they were told the same."""
    following: tuple[StepPair, ...] = ()
    """What both did from then on, this step first, side by side."""


def first_difference(left: Trace, right: Trace) -> Difference | None:
    """Return where two runs part; None where they do not.

    Times, costs and attempts are no decisions, nor are the ids of the runs.
    """
    told_left: list[Message] = []
    told_right: list[Message] = []
    pairs = [*zip_longest(_decisions(left.run), _decisions(right.run))]
    for same, (one, other) in enumerate(pairs):
        told_left, told_right = _told(one, told_left), _told(other, told_right)
        what = _what(left.run, one, right.run, other)
        if what:
            prompt = tuple(unified_diff(_lines(told_left), _lines(told_right), "left", "right", lineterm="", n=1))
            following = tuple(StepPair(left=_alone(here), right=_alone(there)) for here, there in pairs[same:])
            first = following[0]
            return Difference(
                same=same, left=first.left, right=first.right, what=what, prompt=prompt, following=following
            )
    return None


def _decisions(run: TraceStep) -> Iterator[TraceStep]:
    return (step for step in run.walk() if step.kind in _DECISIONS)


def _told(step: TraceStep | None, before: list[Message]) -> list[Message]:
    """Return what the model of a step was told last.

    Of a tool call, the model that asked for it.
    """
    return list(step.told) if step and step.kind == "model" else before


def _what(left: TraceStep, one: TraceStep | None, right: TraceStep, other: TraceStep | None) -> tuple[str, ...]:
    if one is None or other is None:
        return ("whether there is one",)
    here, there = _decided(left, one), _decided(right, other)
    return tuple(name for name in here if here[name] != there[name])


def _decided(root: TraceStep, step: TraceStep) -> dict[str, object]:
    # What a run or a turn comes to is decided by the steps in it, which come later.
    answered = None if step.kind in ("run", "turn") else step.answered
    name = "" if step.kind == "turn" or step is root else step.name
    return {
        "kind": step.kind,
        "place": Place(step.path).below(root.path),
        "name": name,
        "asked": step.asked,
        "answered": answered,
        "status": "" if step.kind in ("run", "turn") else step.status,
    }


def _alone(step: TraceStep | None) -> TraceStep | None:
    return step.model_copy(update={"steps": ()}) if step else None


def _lines(messages: list[Message]) -> list[str]:
    return [line for message in messages for line in _written(message)]


def _written(message: Message) -> Iterator[str]:
    for part in message.parts:
        text = part.text if part.kind == "text" else part.model_dump_json(exclude={"kind"})
        yield from (f"{message.role.value}: {line}" for line in text.splitlines() or [""])
