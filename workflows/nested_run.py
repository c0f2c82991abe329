"""A nested run: a child workflow that always ends in a result."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from temporalio import workflow
from temporalio.common import TypedSearchAttributes
from temporalio.exceptions import ApplicationError, ChildWorkflowError, FailureError, is_cancelled_exception

from ..contracts import limits, names
from ..contracts.packed import pack
from ..contracts.specs.runnable import RUNNABLE_ADAPTER, Runnable
from ..contracts.text import first_line
from ..contracts.wire.run import THE_RUN_WAS_CANCELLED, Result, RunInput, Status
from . import policy
from .budget.spent_error import BudgetSpentError
from .concurrency import CANCELLED, being_cancelled, cancel, outcome_of
from .payload_limits import why_full
from .run_context import inherited_memo
from .search_attributes import AT_START, RUNNABLE, SUMMARY_CHARS, TENANT, named

Handle: TypeAlias = workflow.ChildWorkflowHandle[Any, Any]


class PackedRunnables:
    """Writes the runnables of nested runs packed.

    The history of the run that starts them has them already.

    Each is packed once, for all that are started with it.
    """

    def __init__(self) -> None:
        self._known: list[tuple[Runnable, Any]] = []

    def of(self, run: RunInput) -> RunInput:
        """Return an input whose runnable is written packed."""
        text = next((text for runnable, text in self._known if runnable is run.runnable), None)
        if text is None:
            text = pack(RUNNABLE_ADAPTER.dump_python(run.runnable, mode="json"))
            self._known.append((run.runnable, text))
        return run.with_packed(text) if isinstance(text, str) else run


async def run_child(run: RunInput, child_id: str, is_given_up: Callable[[], bool]) -> Result:
    """Run a nested run and return its result; hand a cancel on and wait for its end.

    Args:
        run: What it is given.
        child_id: Its id.
        is_given_up: Returns whether this run goes on without it, where it is cancelled.
    """
    start = workflow.start_child_workflow(
        _type_of(run),
        run,
        id=child_id,
        result_type=Result,
        search_attributes=_search_attributes(run),
        static_summary=_summary(run),
        memo=inherited_memo() or None,
        **policy.child_policy(),
    )

    def reason() -> str:
        return names.CANCEL_UNNEEDED if is_given_up() else ""

    try:
        handle = await _begun(start, reason)
        result: Result = await outcome_of(handle, reason)
    except FailureError as error:
        return _ended(error)
    return result


def _type_of(run: RunInput) -> str:
    own = workflow.info().workflow_type
    # What an earlier version began, replays with the nested runs that it had: its type tells, or a missing marker.
    if own == names.RUN_WORKFLOW or not (names.is_run_type(own) or workflow.patched(names.RUN_TYPES_PATCH)):
        return names.RUN_WORKFLOW
    return names.run_type(run.runnable.kind, run.runnable.name)


async def _begun(start: Coroutine[Any, Any, Handle], reason: Callable[[], str]) -> Handle:
    """Start a nested run, and cancel it only once it has begun.

    The SDK would abandon a run that it is about to start.
    """
    starting = asyncio.create_task(start)
    cancelled = False
    while not starting.done():
        try:
            await workflow.wait([starting])
        except asyncio.CancelledError:
            cancelled = True
    handle = starting.result()
    if cancelled:
        cancel(handle, reason())
    return handle


def _ended(error: FailureError) -> Result:
    cause = error.cause if isinstance(error, ChildWorkflowError) else error
    if isinstance(cause, ApplicationError) and cause.type == names.RUN_FAILED and cause.details:
        return Result.model_validate(cause.details[0])
    if is_cancelled_exception(error):
        return Result(status=Status.CANCELLED, reason=THE_RUN_WAS_CANCELLED)
    reason = f"the nested run ended by {type(cause).__name__}: {cause}"
    return Result(status=Status.FAILED, reason=reason, ended_unheard=True)


def _summary(run: RunInput) -> str:
    # Siblings are often asked the same.
    asked = first_line(run.message.text, SUMMARY_CHARS) if run.message else ""
    return f"{run.runnable.name}: {asked}" if asked else f"{run.runnable.name} goes on"


def _search_attributes(run: RunInput) -> TypedSearchAttributes | None:
    own = workflow.info().typed_search_attributes
    # Where the cluster lacks the attributes the command would fail the workflow task again and again.
    if own.get(RUNNABLE) is None:
        return None
    return TypedSearchAttributes([*named(run.runnable.name, own.get(TENANT)), *AT_START])


def why_too_deep(path: str, child_id: str = "") -> str:
    """Return why nothing can run at a place, or under that id; empty where it can.

    The server refuses longer ids, and the workflow task would be tried for ever.
    """
    if len(path.encode()) > limits.PLACE_BYTES:
        return f"it is nested too deeply: its place {path[:40]}… has more than {limits.PLACE_BYTES} bytes"
    if len(child_id.encode()) > limits.ID_BYTES:
        return f"its id {child_id[:40]}… has more than {limits.ID_BYTES:,} bytes: start the run with a shorter one"
    return ""


def barred_at(path: str, child_id: str = "") -> Result | None:
    """Return the result of something that cannot begin; None where it can."""
    if being_cancelled():
        return CANCELLED
    if full := why_full():
        return Result(status=Status.EXHAUSTED, reason=full)
    if deep := why_too_deep(path, child_id):
        return Result(status=Status.FAILED, reason=deep)
    return None


def not_begun(error: BudgetSpentError | asyncio.CancelledError) -> Result:
    """Return the result of a nested run that was to wait for a budget."""
    if isinstance(error, BudgetSpentError):
        return Result(status=Status.EXHAUSTED, reason=error.reason, exhausted=error.limit)
    return CANCELLED
