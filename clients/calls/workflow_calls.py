"""Signals, updates and queries of code-first workflows.

Each by the method that takes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Concatenate, Final, ParamSpec, TypeVar, cast

from temporalio.client import Client as TemporalClient
from temporalio.client import (
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.workflow import UpdateMethodMultiParam

from ...contracts.contract import brief
from ...contracts.errors import SetupError, SpecError
from ...history.reading.executions import is_code_first
from ..code_first import check_sent
from ..rpc_errors import translate_rpc_errors
from .reachable import Reachable

P = ParamSpec("P")
T = TypeVar("T")

_ANSWER_TIME: Final = timedelta(seconds=30)
"""How long a query is waited for: none that a worker answers takes as long."""

UNANSWERED: Final = (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED, RPCStatusCode.FAILED_PRECONDITION)
"""What becomes of a query that no worker answers."""
_TASK_FAILED: Final = "Workflow Task in failed state"
"""What the server says of an update that the code of the workflow fails at."""


class WorkflowCalls(Reachable):
    """The part of a `Run` that talks to a code-first workflow while it is under way."""

    async def signal(
        self, signal: Callable[Concatenate[Any, P], Awaitable[None] | None], *args: P.args, **named: P.kwargs
    ) -> None:
        """Send a signal to the workflow, and do not wait for what it does.

        As in `await run.signal(Refund.approve, "anna")`.

        Args:
            signal: The method under `@workflow.signal` that takes it.
            *args: What it takes.
            **named: None: a signal takes its arguments in their order.

        Raises:
            SpecError: It is no signal, the run is not a code-first workflow, or has ended.
        """
        _check(signal, "signal", args, named, self._temporal)
        with self._told("signal", signal):
            await (await self._handle()).signal(cast("Any", signal), args=args)

    async def update(
        self, update: UpdateMethodMultiParam[Concatenate[Any, P], T], *args: P.args, **named: P.kwargs
    ) -> T:
        """Send an update to the workflow, and return what it answers.

        As in `left = await run.update(Refund.approve, "anna")`.

        Args:
            update: The method under `@workflow.update` that takes it.
            *args: What it takes.
            **named: None: an update takes its arguments in their order.

        Raises:
            SpecError: It is no update, the run is not a code-first workflow, or has ended; or the workflow refuses it,
                with its reason.
        """
        _check(update, "update", args, named, self._temporal)
        with self._told("update", update):
            answer: T = await (await self._handle()).execute_update(cast("Any", update), args=args)
        return answer

    async def query(self, query: Callable[Concatenate[Any, P], T], *args: P.args, **named: P.kwargs) -> T:
        """Ask the workflow, which goes on undisturbed.

        A worker has to be there, also where it has ended. As in `waits_for = await run.query(Refund.waits_for)`.

        Args:
            query: The method under `@workflow.query` that answers.
            *args: What it takes.
            **named: None: a query takes its arguments in their order.

        Raises:
            SpecError: It is no query, the run is not a code-first workflow, or the query fails, with its reason.
        """
        _check(query, "query", args, named, self._temporal)
        with self._told("query", query):
            answer: T = await (await self._handle()).query(cast("Any", query), args=args, rpc_timeout=_ANSWER_TIME)
        return answer

    async def _handle(self) -> WorkflowHandle[Any, Any]:
        newest = await self._newest()
        if not is_code_first(newest):
            raise SpecError(f"run {self.id!r}: it is no code-first workflow, and takes no signals of yours")
        return self._temporal.get_workflow_handle(self.id, run_id=newest.run_id)

    @contextmanager
    def _told(self, kind: str, method: object) -> Iterator[None]:
        """Turn what goes wrong into words."""
        label = f"run {self.id!r}: {kind} {getattr(method, '__name__', '')}"
        try:
            with translate_rpc_errors(label), _answered(label, kind):
                yield
        except WorkflowUpdateRPCTimeoutOrCancelledError as error:
            if isinstance(error.__cause__, asyncio.CancelledError):
                # The caller's own, such as of `asyncio.timeout`, which knows its end by this alone.
                raise error.__cause__ from None
            raise SetupError(_silence(label)) from error
        except WorkflowUpdateFailedError as error:
            cause = error.cause
            reason = cause.message if isinstance(cause, ApplicationError) else cause
            raise SpecError(f"{label}: the workflow refuses it: {reason}") from error
        except (WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
            raise SpecError(f"{label}: {error}") from error


@contextmanager
def _answered(label: str, kind: str) -> Iterator[None]:
    """Say why a query or an update has no answer.

    The worker of its workflow alone can give one.
    """
    try:
        yield
    except RPCError as error:
        if (kind == "query" and error.status in UNANSWERED) or _TASK_FAILED in error.message:
            raise SetupError(_silence(label)) from error
        raise


def _silence(label: str) -> str:
    return (
        f"{label}: no answer: no worker serves its workflow, or the workflow's code fails, which the worker's log tells"
    )


def _check(
    method: object, kind: str, args: Sequence[object], named: Mapping[str, object], temporal: TemporalClient
) -> None:
    """Check that a method is what it is to be, and takes what it is given.

    A signal that it does not take would fail the workflow's code again and again, or be dropped.

    Raises:
        SpecError: It is something else, or takes other arguments; says what to pass.
    """
    if named:
        raise SpecError(f"{kind}: {next(iter(named))}=: give the arguments in their order, without names")
    marks = (f"__temporal_{kind}_definition", "_defn") if kind == "update" else (f"__temporal_{kind}_definition",)
    if not any(hasattr(method, mark) for mark in marks):
        raise SpecError(f"{kind}: {brief(method)} is no method under @workflow.{kind}: pass one, as Flow.method")
    converter = temporal.data_converter
    offload = converter.external_storage is not None
    check_sent(cast("Any", method), kind, args, converter.payload_converter, offload=offload)
