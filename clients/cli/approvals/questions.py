"""What is asked at the prompt.

About calls that wait for a person, and about budgets that wait for more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ....contracts.errors import SpecError
from ....contracts.wire.control.approval_event import ApprovalRequested, PendingApproval
from ....contracts.wire.control.budget_event import BudgetSpent
from ....contracts.wire.control.top_up import PendingTopUp
from ...approvals.how_to_decide import decide_command, least_top_up, top_up_command
from ..arguments.option_types import amounts, arguments_object
from .deciding import login_name, missing_words
from .shown import argument_lines, or_otherwise

if TYPE_CHECKING:
    from ....contracts.wire.control.decision import Decided
    from ...chats.chat import Chat
    from ...run import Run

_Said = dict[str, Any]


class Prompted(Protocol):
    """Something that waits for whoever sits at the terminal."""

    name: str
    """What waits, for messages."""

    async def waits(self) -> bool:
        """Look whether it still waits, and how it is now."""
        ...

    @property
    def lines(self) -> Sequence[str]:
        """It, in lines, as it is now."""
        ...

    @property
    def choices(self) -> str:
        """What can be written. Nothing where it is decided elsewhere."""
        ...

    @property
    def command(self) -> str:
        """The command that decides it from elsewhere."""
        ...

    async def take(self, line: str) -> tuple[str, bool]:
        """Take what was written; return what to say of that, and whether that was all.

        Raises:
            SostenutoError: The run does not take it.
            ValueError: It cannot be read.
        """
        ...


class CallQuestion:
    """A tool call that waits for a yes, or a question for its answer."""

    def __init__(self, run: Run | Chat, event: ApprovalRequested) -> None:
        self.name = event.name
        self._run = run
        self._key = event.path, event.call_id
        self._call: PendingApproval | None = None
        self._place = ""
        """Where the call is, where another one has its id."""

    async def waits(self) -> bool:
        """Look whether it still waits."""
        waiting = await self._run.approvals()
        self._call = next((one for one in waiting if (one.path, one.call_id) == self._key), None)
        path, call_id = self._key
        self._place = path if any(one.call_id == call_id and one.path != path for one in waiting) else ""
        return self._call is not None

    @property
    def call(self) -> PendingApproval:
        """It, as it was looked at last."""
        if self._call is None:
            raise SpecError(f"{self.name} waits no more")
        return self._call

    @property
    def lines(self) -> Sequence[str]:
        """It, in lines."""
        return [*argument_lines(self.call.arguments)]

    @property
    def choices(self) -> str:
        """What can be written."""
        if self.call.question:
            return "your answer, or Enter to leave it:"
        rest = " · a yes, and to all of its calls" if self.call.grants else ""
        return f"y yes{rest} · n no, with a note · e {{…}} yes with other arguments · Enter leaves it:"

    @property
    def command(self) -> str:
        """The command that decides it."""
        return f"to decide: {decide_command(self.call, self._run.id, self._place)}{or_otherwise(self.call)}"

    async def take(self, line: str) -> tuple[str, bool]:
        """Take what was written."""
        decided = await self._decided(self.call, line)
        if decided is None:
            return "", False
        return f"noted{missing_words(decided)}" if decided.missing else "", True

    async def _decided(self, call: PendingApproval, line: str) -> Decided | None:
        said: _Said = {"by": login_name(), "path": call.path, "hash": call.hash}
        if call.question:
            return await self._run.answer(call.call_id, line, **said)
        word, _, rest = line.partition(" ")
        match word.lower():
            case "y" | "yes":
                return await self._run.approve(call.call_id, **said, note=rest.strip())
            case "a" | "always" if call.grants:
                return await self._run.approve(call.call_id, **said, note=rest.strip(), for_rest=True)
            case "n" | "no":
                return await self._run.deny(call.call_id, **said, note=rest.strip())
            case "e" | "edit":
                return await self._run.edit(call.call_id, arguments_object(rest), **said)
            case _:
                return None


class BudgetQuestion:
    """A budget that waits for a top-up."""

    name = "the budget"

    def __init__(self, run: Run | Chat, event: BudgetSpent) -> None:
        self._run = run
        self._path = event.path
        self._at = event.at
        self._budget: PendingTopUp | None = None
        self._place = ""
        """Where the budget is, where another one waits."""

    async def waits(self) -> bool:
        """Look whether it still waits."""
        waiting = await self._run.top_ups()
        # What began to wait later is told by an event of its own.
        found = [one for one in waiting if one.path == self._path and one.since <= self._at]
        self._budget = max(found, key=lambda one: one.since, default=None)
        self._place = self._path if any(one.path != self._path for one in waiting) else ""
        return self._budget is not None

    @property
    def budget(self) -> PendingTopUp:
        """It, as it was looked at last."""
        if self._budget is None:
            raise SpecError("the budget waits no more")
        return self._budget

    @property
    def lines(self) -> Sequence[str]:
        """It, in lines."""
        return [self.budget.reason]

    @property
    def choices(self) -> str:
        """What can be written."""
        if self.budget.ledger:
            return ""
        return f"how much more: {least_top_up(self.budget)} is the least · Enter leaves it:"

    @property
    def command(self) -> str:
        """The command that decides it."""
        return f"to allow more: {top_up_command(self.budget, self._run.id, self._place)}   (or more)"

    async def take(self, line: str) -> tuple[str, bool]:
        """Take what was written."""
        came = await self._run.top_up(**amounts(line), by=login_name(), path=self._path)
        return "that is kept, and not enough yet" if came.still else "", not came.still
