"""What a run has done that may have to be undone.

And what became of that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from pydantic import JsonValue

from ...contract import Contract
from ...limits import written_bytes
from ...text import one_line, plural
from ...tool import ToolSpec

_MOST_REASON_CHARS = 200
_MOST_SHOWN = 20
"""So many effects of which the same became are named in a line."""
_COUNTS_BYTES = 100
"""Room for what counts those that are not told one by one."""
_WITHOUT_PAYLOADS: Mapping[str, Any] = {"arguments": {}, "content": "", "incomplete": "", "key": ""}


class TakenEffect(Contract):
    """A tool call that has changed something, or may have."""

    tool: str
    """Name of the tool; of a nested run that was ended from outside, its own."""
    path: str
    """Place of what called it."""
    call_id: str = ""
    at: float = 0.0
    """Seconds since 1970 at which it was done."""
    undoable: bool = False
    """Whether its tool names one that undoes it. Else no more is kept of it than what it was."""
    in_doubt: bool = False
    """Whether nobody knows if it was done."""
    reconciles: bool = False
    """Whether its tool can tell what came of it."""
    key: str = ""
    """Its idempotency key."""
    arguments: dict[str, JsonValue] = {}
    """Those that it was called with."""
    content: str = ""
    """What the tool returned, as the model is told."""
    incomplete: str = ""
    """Why that is not what it returned; empty where it is."""

    lost: str = ""
    """Why it cannot be undone although it could; empty where it can."""
    more: int = 0
    """How many more, done before it, cannot be undone either and are too many to be told one by one."""


class TakenEffects(Contract):
    """What a run did, for what goes on with it or started it."""

    taken: tuple[TakenEffect, ...] = ()
    """In the order in which it was told."""
    more_kept: int = 0
    """How many more there were whose tools name none that undoes them."""

    def within(self, most: int, why: str) -> TakenEffects:
        """Return as much of it as has so many bytes.

        The last ones can be undone. Of the others no more is told than what they were, and of most of those how many.

        Args:
            most: Most bytes of it.
            why: Why the others cannot be undone.
        """
        if written_bytes(self) <= most:
            return self
        for_lost = most // 10
        room, more_kept, more, oldest = most - for_lost - _COUNTS_BYTES, self.more_kept, 0, None
        told: list[TakenEffect] = []
        for one in reversed(self.taken):
            size = written_bytes(one) + 1
            if size <= room and not one.lost:
                told.append(one)
                room -= size
                continue
            if not one.undoable:
                more_kept += 1
                continue
            stub = one.model_copy(update={**_WITHOUT_PAYLOADS, "lost": one.lost or why})
            size = written_bytes(stub) + _COUNTS_BYTES
            if size <= for_lost or oldest is None:
                oldest = len(told)
                told.append(stub)
                for_lost -= size
            else:
                more += 1 + one.more
        if oldest is not None:
            told[oldest] = told[oldest].model_copy(update={"more": told[oldest].more + more})
        return TakenEffects(taken=tuple(reversed(told)), more_kept=more_kept)


class EffectOutcome(StrEnum):
    """What became of an effect that was to be undone."""

    UNDONE = "undone"
    FAILED = "failed"
    """It stands: what undoes it failed, or was not allowed."""
    UNKNOWN = "unknown"
    """It was not undone, since nobody knows whether it was done; or nobody knows whether it was undone."""
    KEPT = "kept"
    """It stands: its tool names none that undoes it."""
    NOT_DONE = "not_done"
    """It never was: there was nothing to undo."""


class CompensatedEffect(Contract):
    """An effect that was to be undone, and what became of it."""

    tool: str
    """Name of the tool; of a nested run that was ended from outside, its own."""
    path: str
    """Place of what called it."""
    call_id: str = ""
    """Id of the call that did it; empty of a nested run."""
    outcome: EffectOutcome
    by: str = ""
    """Name of the tool that undid it, or was to."""
    reason: str = ""
    """Why it was not undone; of one that was, what the tool said."""
    more: int = 0
    """How many more there were of which the same became, and which are too many to be told one by one."""

    @property
    def words(self) -> str:
        """It for a person."""
        named = " ".join(filter(None, (self.tool, self.call_id)))
        return f"{named} ({one_line(self.reason, _MOST_REASON_CHARS)})" if self.reason else named


class Compensation(Contract):
    """What became of everything that was to be undone."""

    effects: tuple[CompensatedEffect, ...] = ()
    """In the order in which they were undone: the last one first."""
    more_kept: int = 0
    """How many more there were whose tools name none that undoes them."""
    more_undone: int = 0
    """How many more were undone, or never done, that are too many to be told one by one."""

    def within(self, most: int) -> Compensation:
        """Return as much of it as has so many bytes; whatever stands is told to the last."""
        gone, kept = (EffectOutcome.UNDONE, EffectOutcome.NOT_DONE), (EffectOutcome.KEPT,)
        told = self
        for outcomes, more in ((gone, "more_undone"), (kept, "more_kept")):
            if written_bytes(told) <= most:
                return told
            left = tuple(one for one in told.effects if one.outcome not in outcomes)
            fewer = getattr(told, more) + len(told.effects) - len(left)
            told = told.model_copy(update={"effects": left, more: fewer})
        if written_bytes(told) <= most:
            return told
        bare = tuple(one.model_copy(update={"reason": ""}) for one in told.effects)
        return told.model_copy(update={"effects": _counted(bare, most - 2 * _COUNTS_BYTES)})

    @property
    def is_complete(self) -> bool:
        """Whether nothing stands that was done."""
        gone = (EffectOutcome.UNDONE, EffectOutcome.NOT_DONE)
        return not self.more_kept and all(one.outcome in gone for one in self.effects)

    def __add__(self, other: Compensation | None) -> Compensation:
        if other is None:
            return self
        return Compensation(
            effects=(*self.effects, *other.effects),
            more_kept=self.more_kept + other.more_kept,
            more_undone=self.more_undone + other.more_undone,
        )

    def of(self, *outcomes: EffectOutcome) -> Sequence[CompensatedEffect]:
        """Return the effects of which that became."""
        return [one for one in self.effects if one.outcome in outcomes]

    @property
    def words(self) -> str:
        """It for a person, in a line."""
        undone, kept = len(self.of(EffectOutcome.UNDONE)) + self.more_undone, self.of(EffectOutcome.KEPT)
        told = [f"{plural(undone, 'effect')} undone"]
        if stands := self.of(EffectOutcome.FAILED, EffectOutcome.UNKNOWN):
            told.append(f"not undone: {_listed(stands)}")
        if kept or self.more_kept:
            told.append(f"kept, as nothing undoes it: {_listed(kept, self.more_kept)}")
        return "; ".join(told)


def _counted(effects: Sequence[CompensatedEffect], most: int) -> tuple[CompensatedEffect, ...]:
    """Return as many as have so many bytes, and one of each outcome whatever it has.

    They count the others.
    """
    told, last = list[CompensatedEffect](), dict[EffectOutcome, int]()
    for one in effects:
        most -= written_bytes(one) + 1
        at = last.get(one.outcome)
        if at is None or most >= 0:
            last[one.outcome] = len(told)
            told.append(one)
        else:
            told[at] = told[at].model_copy(update={"more": told[at].more + 1 + one.more})
    return tuple(told)


def _listed(effects: Sequence[CompensatedEffect], more: int = 0) -> str:
    more += len(effects[_MOST_SHOWN:]) + sum(one.more for one in effects)
    shown = ", ".join(one.words for one in effects[:_MOST_SHOWN])
    return " and ".join(filter(None, (shown, f"{more:,} more" if more else "")))


class UndoingCall(Contract):
    """Asks how an effect is undone.

    It runs within a workflow task, so the history has only what comes of it.
    """

    tool: str
    has: tuple[str, ...] = ()
    """Names of the arguments that the call had: it had the defaults of the others."""
    content: str = ""
    """What it returned, as the model was told."""
    incomplete: str = ""
    """Why that is not what it returned; empty where it is."""


class Undoing(Contract):
    """How an effect is undone."""

    tool: ToolSpec | None = None
    """What undoes it, without its parameters. None: it cannot be undone."""
    takes: tuple[str, ...] = ()
    """Arguments of the call that it is given."""
    given: dict[str, JsonValue] = {}
    """What else it is given: defaults that the call had, and its result, where it asks for them."""
    refused: str = ""
    """Why it cannot be undone; empty where it can."""
