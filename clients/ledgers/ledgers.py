"""Sets limits of ledgers, tops them up and asks what they have spent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import uuid4

from pydantic import ValidationError
from temporalio.client import Client as TemporalClient
from temporalio.client import (
    WithStartWorkflowOperation,
    WorkflowExecution,
    WorkflowExecutionStatus,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateStage,
)
from temporalio.common import QueryRejectCondition, WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from ...contracts import names
from ...contracts.contract import Contract, problems_of
from ...contracts.control.ledger import check_ledger_name, ledger_workflow_id
from ...contracts.errors import SetupError, SpecError
from ...contracts.text import first_line
from ...contracts.wire.control.ledger import LedgerInput, LedgerQuery, LedgerSet, LedgerState, LedgerTopUp
from ...workflows.policy import TASK_TIMEOUT
from ...workflows.search_attributes import SUMMARY_CHARS
from ..approvals.decisions import until_taken
from ..calls.workflow_calls import UNANSWERED
from ..overview.requests import quoted
from ..rpc_errors import translate_rpc_errors
from ..waiting import log_wait_later
from .summary import LedgerSummary

SaidT = TypeVar("SaidT", bound=Contract)

_PATIENCE: Final = timedelta(seconds=30)
_PATIENCE_OF_MANY: Final = timedelta(seconds=5)
"""How long each of those that are listed is waited for."""
_AT_ONCE: Final = 16
_KEPT: Final = ": this one may be taken without that, as soon as a worker is there, and twice does no harm"
_SAME_ID: Final = " with the same id, {!r}: then it is taken once"


class Ledgers:
    """The ledgers of a Temporal namespace: `client.ledgers`.

    Args:
        temporal: A connected Temporal client.
    """

    def __init__(self, temporal: TemporalClient) -> None:
        self._temporal = temporal

    async def set(
        self,
        name: str,
        *,
        usd: float | None = None,
        tokens: int | None = None,
        turns: int | None = None,
        by: str,
        note: str = "",
    ) -> LedgerState:
        """Say what a ledger may spend in each of its periods, from now on.

        It takes the place of what was said before, and of what it was topped up by in this period. A ledger that is not
        there yet is made. What waits for more goes on where that is enough.

        Args:
            name: Its name, with the period at its end: `tenant:acme/day`.
            usd: US dollars. None: not limited.
            tokens: Tokens in and out. None: not limited.
            turns: Model calls. None: not limited.
            by: Who says so. It is recorded as it is given, and checked by nothing.
            note: Why.

        Raises:
            SpecError: It cannot have that name, or these limits; says why.
            SetupError: The server is away, denies access, or no worker takes it.
        """
        said = _checked(LedgerSet, "set", name, usd=usd, tokens=tokens, turns=turns, by=by, note=note)
        update_id = uuid4().hex

        async def deliver() -> LedgerState:
            sent = await self._temporal.start_update_with_start_workflow(
                names.LEDGER_SET_UPDATE,
                said,
                start_workflow_operation=_beginning(name),
                wait_for_stage=WorkflowUpdateStage.COMPLETED,
                id=update_id,
                result_type=LedgerState,
            )
            state: LedgerState = await sent.result()
            return state

        return await self._taken(name, deliver, _KEPT)

    async def top_up(
        self,
        name: str,
        *,
        usd: float = 0.0,
        tokens: int = 0,
        turns: int = 0,
        by: str,
        note: str = "",
        id: str | None = None,
    ) -> LedgerState:
        """Allow a ledger more than its limits, in the period that it is in.

        What waits for that goes on, where it is enough.

        Args:
            name: Its name.
            usd: US dollars.
            tokens: Tokens in and out.
            turns: Model calls.
            by: Who allows it. It is recorded as it is given, and checked by nothing.
            note: Why.
            id: By which it is known again among the last hundred: sent twice it is taken once. Default: one of its own.

        Returns:
            What it has then, how much still waits for more, and whether it was taken before: `repeated`.

        Raises:
            SpecError: There is no such ledger, or it limits nothing of what is given; says why.
            SetupError: The server is away, denies access, or no worker takes it.
        """
        own_id, update_id = id or uuid4().hex, uuid4().hex
        said = _checked(LedgerTopUp, "top_up", name, usd=usd, tokens=tokens, turns=turns, by=by, note=note, id=own_id)
        handle = self._temporal.get_workflow_handle(ledger_workflow_id(name))

        async def deliver() -> LedgerState:
            try:
                sent = await handle.start_update(
                    names.LEDGER_TOP_UP_UPDATE,
                    said,
                    id=update_id,
                    wait_for_stage=WorkflowUpdateStage.COMPLETED,
                    result_type=LedgerState,
                )
                state: LedgerState = await sent.result()
            except RPCError as error:
                raise _unknown(name) if _is_not_there(error) else error from None
            return state

        return await self._taken(name, deliver, _SAME_ID.format(own_id))

    async def get(self, name: str) -> LedgerState:
        """Return what a ledger may spend, holds and has spent.

        A worker has to be there.

        Raises:
            SpecError: There is no such ledger.
            SetupError: The server is away, denies access, or no worker answers.
        """
        check_ledger_name(name)
        with translate_rpc_errors(f"ledger {name!r}"):
            try:
                return await self._asked(name, _PATIENCE)
            except RPCError as error:
                if _is_not_there(error):
                    raise _unknown(name) from None
                if error.status not in UNANSWERED:
                    raise
            raise SetupError(
                f"ledger {name!r}: no worker answers for it: start one, of any app: `sostenuto worker MODULE:APP`"
            )

    async def list(self, prefix: str = "", *, limit: int = 100) -> tuple[LedgerSummary, ...]:
        """Return the ledgers that there are, by their names.

        Each with what it says of itself, where somebody answers for it.

        Args:
            prefix: Only those whose names begin so.
            limit: Most ledgers to return: those whose workflows began last.

        Raises:
            SetupError: The server is away, or denies access.
        """
        query = f"WorkflowType = {quoted(names.LEDGER_WORKFLOW)} AND ExecutionStatus = 'Running'"
        if prefix:
            query += f" AND WorkflowId STARTS_WITH {quoted(ledger_workflow_id(prefix))}"
        with translate_rpc_errors("the list of ledgers"):
            rows = [
                row
                async for row in self._temporal.list_workflows(query, limit=limit)
                # A server may take a quote in it for nothing.
                if row.id.startswith(ledger_workflow_id(prefix))
            ]
            found = await _Census(self._asked).of(rows)
        return tuple(sorted(found, key=lambda one: one.name))

    async def _taken(self, name: str, send: Callable[[], Awaitable[LedgerState]], again: str) -> LedgerState:
        with log_wait_later(f"ledger {name!r}") as tell:
            tell("no worker takes it yet: start one, of any app (`sostenuto worker MODULE:APP`)")
            return await until_taken(send, f"ledger {name!r}", taker="the ledger", again=again)

    async def _asked(self, name: str, patience: timedelta) -> LedgerState:
        handle = self._temporal.get_workflow_handle(ledger_workflow_id(name))
        try:
            state: LedgerState = await handle.query(
                names.LEDGER_QUERY,
                LedgerQuery(at=datetime.now(UTC)),
                result_type=LedgerState,
                # What one that was terminated knew counts no more.
                reject_condition=QueryRejectCondition.NOT_OPEN,
                rpc_timeout=patience,
            )
        except WorkflowQueryRejectedError as error:
            if error.status == WorkflowExecutionStatus.CONTINUED_AS_NEW:
                # The next execution has just begun.
                return await self._asked(name, patience)
            raise _unknown(name) from None
        except WorkflowQueryFailedError as error:
            raise SetupError(f"ledger {name!r}: it cannot say what it has: {error.message}") from error
        return state


class _Census:
    """Asks many ledgers, and no more of those of a task queue that nobody serves."""

    def __init__(self, ask: Callable[[str, timedelta], Awaitable[LedgerState]]) -> None:
        self._ask = ask
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._served: dict[str, bool] = {}

    async def of(self, rows: list[WorkflowExecution]) -> list[LedgerSummary]:
        """Return what each of them is, but of those that have ended meanwhile."""
        found = await asyncio.gather(*map(self._one, rows))
        return [one for one in found if one]

    async def _one(self, row: WorkflowExecution) -> LedgerSummary | None:
        name, queue = row.id.removeprefix(names.LEDGER_ID), row.task_queue
        silent = LedgerSummary(name=name, since=row.start_time)
        async with self._turns:
            if self._served.get(queue) is False:
                return silent
            try:
                state = await self._ask(name, _PATIENCE_OF_MANY)
            except SpecError:
                return None
            except SetupError:
                return silent
            except RPCError as error:
                if _is_not_there(error):
                    return None
                if error.status not in UNANSWERED:
                    raise
                self._served.setdefault(queue, False)
                return silent
            self._served[queue] = True
        return silent.model_copy(update={"state": state})


def _beginning(name: str) -> WithStartWorkflowOperation[Any, Any]:
    """Return what starts a ledger where it is not there, once."""
    return WithStartWorkflowOperation(
        names.LEDGER_WORKFLOW,
        LedgerInput(name=name),
        id=ledger_workflow_id(name),
        task_queue=names.LEDGER_QUEUE,
        task_timeout=TASK_TIMEOUT,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=first_line(f"ledger {name}", SUMMARY_CHARS),
    )


def _checked(kind: type[SaidT], label: str, name: str, **said: Any) -> SaidT:
    check_ledger_name(name)
    try:
        return kind.model_validate(said, strict=True)
    except ValidationError as error:
        raise SpecError(f"ledgers.{label}: {problems_of(error)}") from None


def _is_not_there(error: RPCError) -> bool:
    # A namespace that is not there is not found either, and is told of otherwise.
    return error.status is RPCStatusCode.NOT_FOUND and not error.message.startswith("Namespace")


def _unknown(name: str) -> SpecError:
    return SpecError(
        f"there is no ledger {name!r}: the first run that spends from it makes it, or `sostenuto ledger set` and "
        "`client.ledgers.set`, which also say what it may spend; `sostenuto ledger ls` lists those that there are"
    )
