"""The part of a run and of a chat that is about budgets that wait for a top-up."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from datetime import timedelta
from uuid import uuid4

from pydantic import ValidationError

from ...contracts import names
from ...contracts.contract import problems_of
from ...contracts.errors import SpecError
from ...contracts.wire.control.top_up import PendingTopUp, ToppedUp, TopUp
from ...history.reading.tree import TreePart
from ..hindrances import Hindrance
from ..rpc_errors import translate_rpc_errors
from .approval_calls import ApprovalCalls
from .awaited import Awaited, find_awaited
from .decisions import send_to_run


class TopUpCalls(ApprovalCalls):
    """The part of a `Run` and of a `Chat` that is about what waits."""

    async def top_ups(self) -> tuple[PendingTopUp, ...]:
        """Return the budgets that wait for a top-up, the oldest first.

        In it, and in what is nested in it. Read from the histories, as `approvals` are.

        Raises:
            SpecError: There is no such run.
            SetupError: The server is away, or denies access.
        """
        return tuple(sorted(lacking_in(await self._parts()), key=lambda one: one.since))

    async def top_up(
        self,
        *,
        by: str,
        usd: float = 0.0,
        tokens: int = 0,
        turns: int = 0,
        seconds: float | timedelta = 0.0,
        note: str = "",
        path: str | None = None,
        id: str | None = None,
    ) -> ToppedUp:
        """Allow a budget more than it says.

        What waits for that goes on with the step at which it was not enough. Where nothing waits, the budgets of the
        whole run have more from now on. Of a chat a budget is of the question that is being answered.

        Args:
            by: Who allows it. It is recorded as it is given, and checked by nothing.
            usd: US dollars.
            tokens: Tokens in and out.
            turns: Model calls.
            seconds: Seconds, from now on where its time is over.
            note: Why.
            path: Place of the budget in the runnable tree, where several wait.
            id: By which it is known again: sent twice it is taken once. Default: one of its own.

        Returns:
            Whose budget it was, and why it is not enough yet, if so.

        Raises:
            SpecError: There is no such budget, or nothing of what is given is limited by it; says why.
            SetupError: The server is away, denies access, or no worker takes it.
        """
        if isinstance(seconds, timedelta):
            seconds = seconds.total_seconds()
        waiting = await self.top_ups()
        found = [one for one in waiting if path in (None, one.path)]
        places = sorted({one.path for one in found})
        if len(places) > 1:
            raise SpecError(f"run {self.id!r}: several budgets wait, at {', '.join(places)}: say which by path=")
        run_id, at = (found[0].run_id, found[0].path) if found else (self.id, path or "")
        given = {"usd": usd, "tokens": tokens, "turns": turns, "seconds": seconds, "by": by, "note": note, "path": at}
        try:
            top_up = TopUp.model_validate(given, strict=True)
        except ValidationError as error:
            raise SpecError(f"top_up: {problems_of(error)}") from None
        return await self._sent(run_id, top_up, id or uuid4().hex)

    async def held_up(self) -> tuple[Hindrance | Awaited, ...]:
        """Return what holds it up, and what it waits for people for.

        Raises:
            SpecError: There is no such run.
            SetupError: The server is away, or denies access.
        """
        hindrances = await self.hindrances()
        with translate_rpc_errors(f"run {self.id!r}"):
            return (*hindrances, *await find_awaited(self._temporal, await self._newest()))

    @abstractmethod
    async def hindrances(self) -> tuple[Hindrance, ...]:
        """Return what holds it up at this moment, but for people."""

    async def _sent(self, run_id: str, top_up: TopUp, update_id: str) -> ToppedUp:
        return await send_to_run(
            self._temporal,
            run_id,
            names.TOP_UP_UPDATE,
            top_up,
            ToppedUp,
            f"the budget of run {run_id!r}",
            again=f" with the same id, {update_id!r}: then it is taken once",
            update_id=update_id,
        )


def lacking_in(some: Iterable[TreePart]) -> Iterator[PendingTopUp]:
    """Yield the budgets that wait for a top-up in workflows of a tree."""
    for part in some:
        yield from part.projection.budgets.pending(part.place.workflow_id)
