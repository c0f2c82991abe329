"""The book of a ledger.

Its limits, what was spent in its period, and what each run has of it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import datetime

from ...contracts.control.ledger import Period
from ...contracts.wire.control.ledger import (
    EndedHolder,
    LedgerBlock,
    LedgerInput,
    LedgerPart,
    LedgerSet,
    LedgerState,
    LedgerTopUp,
)
from ...contracts.wire.control.share import LedgerLimits, Portion, ShareAsked, ShareGiven
from ...contracts.wire.model_call import NEARLY_SPENT
from ..budget.amount import Amount
from ..budget.limited import Limited
from .block import Block, most_held
from .changes import Changes
from .room import Queue, fitting, holder_bytes, is_room_for, shortened

_MOST_TOLD = 10
"""So many runs that have something, and so many questions, are told of."""

_AHEAD = 8
"""So many times what is needed is given beside: less where more runs share what is left."""


class Book:
    """What a ledger knows. Decides what is given; sends nothing.

    Invariant: what was spent in the period and what runs have together are never more than the limits, but where those
    were lowered meanwhile.

    Args:
        begun: What it begins with.
    """

    def __init__(self, begun: LedgerInput) -> None:
        self._begun = begun
        self._period = Period.of(begun.name)
        self._limits, self._default = begun.limits, begun.default
        self._set_by, self._note = begun.set_by, begun.note
        self._since = begun.since
        self._topped_up = Amount.shared(begun.topped_up)
        self._changes = Changes(begun)
        self._spent = Amount.shared(begun.spent)
        self.blocks = {(one.run_id, one.execution): Block.of(one) for one in begun.blocks}
        """By the ids of their runs and of the first executions of those."""
        self._held = sum((one.held for one in self.blocks.values()), Amount())
        self._bytes = sum(holder_bytes(*key) for key in self.blocks)
        self.waiting = {(one.run_id, one.number): one for one in begun.waiting}
        """Questions that are not answered, by their runs and numbers, the oldest first."""
        self.lacks = False
        """Whether one of them waits until others give something back."""

    def carried(self) -> LedgerInput:
        """Return what a further execution begins with."""
        return LedgerInput(
            name=self._begun.name,
            limits=self._limits,
            default=self._default,
            set_by=self._set_by,
            note=self._note,
            since=self._since,
            topped_up=self._topped_up.share,
            top_ups=tuple(self._changes.top_ups),
            changes=tuple(self._changes.last),
            spent=self._spent.share,
            blocks=tuple(one.told for one in self.blocks.values()),
            waiting=fitting(self.waiting.values()),
        )

    def state(self, now: datetime) -> LedgerState:
        """Return what everybody may know of it. Changes nothing."""
        is_over = self._period.begins(now) != self._since
        return LedgerState(
            name=self._begun.name,
            period=self._period,
            began=self._period.begins(now),
            ends=self._period.ends(now),
            limits=self._in_force,
            is_set=self._limits is not None,
            set_by=self._set_by,
            note=self._note,
            topped_up=Portion() if is_over else self._topped_up.share,
            spent=Portion() if is_over else self._spent.share,
            held=Portion() if self._held.is_nothing else self._held.least(self._held).share,
            runs=len(self.blocks),
            waiting=len(self.waiting),
            holders=most_held(self.blocks.values(), _MOST_TOLD),
            asking=tuple(
                LedgerPart(run_id=asked.run_id, amount=asked.need, what=asked.what)
                for asked in [*self.waiting.values()][:_MOST_TOLD]
            ),
            changes=tuple(self._changes.last),
        )

    def limit(self, limits: LedgerSet, now: datetime) -> None:
        """Take in its limits from now on."""
        self.roll(now)
        self._limits = self._changes.set(limits, now, self._in_force, self._topped_up.share)
        # They are all that it may spend, whatever was allowed before.
        self._topped_up = Amount()
        self._set_by, self._note = limits.by, limits.note

    def top_up(self, by: LedgerTopUp, top_up_id: str, now: datetime) -> bool:
        """Allow more in this period.

        Returns False where that was done before by the same id.
        """
        if self.has_taken(top_up_id):
            return False
        self.roll(now)
        self._changes.top_up(by, top_up_id, now)
        self._topped_up += Amount(by.usd, by.tokens, by.turns)
        return True

    def has_taken(self, top_up_id: str) -> bool:
        """Return whether it was topped up by that id before."""
        return top_up_id in self._changes.top_ups

    def why_not_topped_up(self, by: LedgerTopUp) -> str:
        """Return why a top-up cannot be taken; empty where it can."""
        if not (by.usd or by.tokens or by.turns):
            return "a top-up says how much more: usd, tokens or turns"
        if self._in_force is None:
            return f"the ledger {self._begun.name!r} has no limits yet: {_how_to_set(self._begun.name)}"
        limited = [name for name, limit in self._in_force if limit is not None]
        if not any(getattr(by, name) for name in limited):
            return f"the ledger {self._begun.name!r} limits {', '.join(limited)}, and is given none of that"
        return ""

    def roll(self, now: datetime) -> None:
        """Begin anew where another period has begun. What runs have counts in that."""
        began = self._period.begins(now)
        if began != self._since:
            self._since, self._spent, self._topped_up = began, Amount(), Amount()

    def hear(self, asked: ShareAsked, now: datetime) -> None:
        """Take in what a run gives back and has spent, and what it asks for."""
        self.roll(now)
        of = asked.of
        if of is None:
            return
        if of.default is not None and asked.number:
            self._default = of.default
        back, spent = Amount.shared(asked.back), Amount.shared(asked.spent)
        self._spent += spent
        if block := self.blocks.get((asked.run_id, of.execution)):
            block.recalled = block.is_silent = False
            block.spent += spent
            self._let_go(block, back + spent)
        self.waiting.pop((asked.run_id, asked.withdraws), None)
        if asked.number:
            # One that is asked again stays where it is.
            self.waiting[asked.run_id, asked.number] = shortened(asked)

    def answers(self, now: datetime, most: int) -> list[tuple[ShareAsked, ShareGiven]]:
        """Return the questions that are answered now, and their answers.

        In their order: one that waits until others give something back is waited for by those after it. Nobody waits
        for one that is not enough even then, and waits for a top-up.

        Args:
            now: When this is asked.
            most: So many answers at most; the others are left for the next time.
        """
        self.roll(now)
        found: list[tuple[ShareAsked, ShareGiven]] = []
        left: dict[tuple[str, int], ShareAsked] = {}
        queue, self.lacks = Queue(), False
        for key, asked in self.waiting.items():
            if asked.until is not None and asked.until <= now.timestamp():
                continue
            given = None
            if len(found) < most and (not self.lacks or queue.is_full):
                given = self._answer(asked, now, is_full=queue.is_full)
            if given is None:
                left[key] = asked
                queue.add(asked)
            else:
                found.append((asked, given))
        self.waiting = left
        return found

    def next_period(self, now: datetime) -> datetime | None:
        """Return when those that wait go on with a new period.

        None: never, or nobody waits.
        """
        return self._period.ends(now) if self.waiting else None

    def silent(self, most: int) -> list[LedgerBlock]:
        """Return runs that told nothing since this was asked before.

        Of those that have something, or ask.

        Args:
            most: So many at most; the others come first the next time.
        """
        found = self._put_last([one for one in self.blocks.values() if one.is_silent][:most])
        for one in self.blocks.values():
            one.is_silent = True
        return [*(one.told for one in found), *self._asking(most - len(found))]

    def owing(self, most: int) -> list[LedgerBlock]:
        """Return runs that were to give something back and have not.

        Where somebody waits for that; and who waits first.

        Args:
            most: So many at most; the others come first the next time.
        """
        if not self.lacks:
            return []
        owing = self._put_last([one for one in self.blocks.values() if one.recalled][: most - 1])
        return [*(one.told for one in owing), *self._asking(1)]

    def _asking(self, most: int) -> Iterator[LedgerBlock]:
        """Yield runs whose questions wait, the oldest first."""
        for asked in [*self.waiting.values()][:most]:
            if asked.of:
                yield LedgerBlock(run_id=asked.run_id, execution=asked.of.execution)

    def _put_last(self, found: list[Block]) -> list[Block]:
        for one in found:
            self.blocks[one.run_id, one.execution] = self.blocks.pop((one.run_id, one.execution))
        return found

    def to_recall(self, most: int) -> list[Block]:
        """Return runs that are to give back what they do not need, each of them once.

        Args:
            most: So many at most; the others are left for the next time.
        """
        found = [one for one in self.blocks.values() if not one.recalled][:most] if self.lacks else []
        for one in found:
            one.recalled = True
        return found

    def take_back(self, asked: ShareAsked, given: ShareGiven) -> None:
        """Take back what was given to a run that is there no more."""
        if asked.of and (block := self.blocks.get((asked.run_id, asked.of.execution))):
            self._let_go(block, Amount.shared(given.given))

    def ended(self, run: EndedHolder) -> None:
        """Charge what a run spent that ended without telling, and answer it no more.

        The rest of what it had comes back. Of one whose history nobody can read, all is charged.
        """
        key = run.run_id, run.execution
        asked = [at for at, one in self.waiting.items() if (one.run_id, one.of and one.of.execution) == key]
        for at in asked:
            del self.waiting[at]
        block = self.blocks.get(key)
        if block is None:
            return
        untold = block.held
        if run.spent is not None:
            # What it spent in all may be more than what it was to charge here.
            untold = block.held.least(Amount.shared(run.spent) - block.spent)
        self._spent += untold
        self._let_go(block, block.held)

    @property
    def _in_force(self) -> LedgerLimits | None:
        return self._limits or self._default

    def _limited(self, limits: LedgerLimits, keep: float) -> Limited:
        limited = Limited(
            title=f"the ledger {self._begun.name!r}",
            usd=limits.usd,
            tokens=limits.tokens,
            turns=limits.turns,
            keep=keep,
            spent=self._spent,
            held=self._held,
        )
        limited.change(self._topped_up)
        return limited

    def _answer(self, asked: ShareAsked, now: datetime, *, is_full: bool) -> ShareGiven | None:
        """Return the answer to a question; None where it waits."""
        of, name = asked.of, self._begun.name
        if of is None:
            return ShareGiven(number=asked.number, refused="it was asked as no ledger is", limit="usd")
        if self._in_force is None:
            why = f"the ledger {name!r} has no limits, so it gives nothing: {_how_to_set(name)}"
            return None if asked.wait and not is_full else ShareGiven(number=asked.number, refused=why, limit="usd")
        limited, need = self._limited(self._in_force, of.keep), Amount.shared(asked.need)
        limit = limited.exceeded(limited.spent + limited.held + need, last=asked.last)
        key = asked.run_id, of.execution
        has_room = key in self.blocks or is_room_for(len(self.blocks), self._bytes + holder_bytes(*key))
        if not limit and has_room:
            limited.held += need
            given = need + limited.within(need.times(_AHEAD), 0.5 / (len(self.blocks) + 1))
            told = Amount.shared(of.told) + Amount.shared(asked.spent)
            if key not in self.blocks:
                self.blocks[key] = Block(*key, held=Amount(), spent=told)
                self._bytes += holder_bytes(*key)
            block = self.blocks[key]
            block.held += given
            self._held += given
            used, _ = limited.used()
            nearly = round(used, 3) if used >= NEARLY_SPENT else 0.0
            return ShareGiven(number=asked.number, given=given.share, used=nearly)
        may_fit = not limited.exceeded(limited.spent + need, last=asked.last)
        if (asked.wait or may_fit) and not is_full:
            self.lacks = may_fit
            return None
        why = limited.why_not_enough(need, limit, asked.what, last=asked.last)
        if ends := self._period.ends(now):
            why += f"; it begins anew at {ends:%Y-%m-%d %H:%M} UTC"
        if may_fit or asked.wait:
            why = f"as many runs wait for the ledger {name!r} already as can"
        missing = limited.missing(need, last=asked.last).share
        return ShareGiven(number=asked.number, refused=why, limit=limit or "usd", missing=missing)

    def _let_go(self, block: Block, amount: Amount) -> None:
        amount = block.held.least(amount)
        block.held -= amount
        self._held -= amount
        if block.held.is_nothing:
            self._held -= block.held
            del self.blocks[block.run_id, block.execution]
            self._bytes -= holder_bytes(block.run_id, block.execution)
        if not self.blocks:
            # Sums of floats drift.
            self._held = Amount()


def _how_to_set(name: str) -> str:
    command = f"sostenuto ledger set {shlex.quote(name)} --usd …"
    return f"`{command}`, client.ledgers.set({name!r}, usd=…), or Ledger({name!r}, usd=…)"
