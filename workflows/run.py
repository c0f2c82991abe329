"""The workflow of a run: one execution of one runnable."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate
from temporalio.exceptions import ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from ..contracts import names
    from ..contracts.model import TranscriptPage, TranscriptQuery
    from ..contracts.run import Result, RunInput, Status
    from . import policy
    from .agent import AgentLoop
    from .search_attributes import COST_USD, STATUS, TOKENS

# What an input that is no `RunInput` raises before `run` can catch it: it must not retry the workflow task for ever.
_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError)


# The sandbox guards nothing here, since it has to let this package through, and entering it takes a quarter of the
# worker's processor time. `tests/architecture/test_determinism.py` does what it would do.
@workflow.defn(name=names.RUN_WORKFLOW, sandboxed=False, failure_exception_types=_UNREADABLE)
class RunWorkflow:
    """Runs a runnable to its result.

    States: at work, then one of `Status`. It accepts the transcript query, and a cancel at any moment. It continues
    as new between two turns when the server suggests so, with everything it has. After a crash it goes on where the
    history ends. A failed run ends as a failure whose detail is the partial result; every other one returns its result.
    """

    @workflow.init
    def __init__(self, run: RunInput) -> None:
        self._input = run
        self._loop = AgentLoop(run.runnable, run.runnable.name, run.message, run.carried)

    @workflow.run
    async def run(self, run: RunInput) -> Result:  # noqa: ARG002 - taken by __init__, as the SDK wants it
        """Run it."""
        try:
            result = await self._loop.run(self._at_turn)
        except asyncio.CancelledError:
            result = self._loop.result(Status.CANCELLED, "the run was cancelled")
        except Exception as error:  # noqa: BLE001 - a bug of ours must not retry the workflow task for ever
            if is_cancelled_exception(error):
                result = self._loop.result(Status.CANCELLED, "the run was cancelled")
            else:
                result = self._loop.result(Status.FAILED, f"internal error: {type(error).__name__}: {error}")
        self._publish(result)
        if result.status is Status.FAILED:
            raise ApplicationError(result.reason, result, type=names.RUN_FAILED, non_retryable=True)
        return result

    @workflow.query(name=names.TRANSCRIPT_QUERY)
    def transcript(self, query: TranscriptQuery) -> TranscriptPage:
        """A page of the transcript, for a model call whose worker does not have it."""
        return self._loop.transcript.page(query)

    def _at_turn(self) -> Result | None:
        info = workflow.info()
        if not info.is_continue_as_new_suggested():
            return None
        if self._input.offload or self._loop.transcript.size < policy.CARRIED_BYTES:
            carried = self._input.model_copy(update={"carried": self._loop.carried})
            # A command that the server refuses would fail the workflow task for ever: this size must be exact.
            if self._input.offload or len(carried.model_dump_json().encode()) < policy.CARRIED_BYTES:
                workflow.continue_as_new(carried)
        events, size = info.get_current_history_length(), info.get_current_history_size()
        if events > policy.HARD_HISTORY_EVENTS or size > policy.HARD_HISTORY_BYTES:
            return self._loop.result(
                Status.EXHAUSTED,
                f"the history is full ({events:,} events, {size:,} bytes) and the transcript too large to continue as "
                "new: set SOSTENUTO_PAYLOAD_DIR for the client and the workers to keep large payloads outside of it",
            )
        return None

    def _publish(self, result: Result) -> None:
        # Where the cluster lacks the attributes an upsert would fail the workflow task again and again.
        if workflow.info().typed_search_attributes.get(STATUS) is None:
            return
        updates: list[SearchAttributeUpdate[Any]] = [
            STATUS.value_set(result.status.value),
            COST_USD.value_set(result.cost_usd),
            TOKENS.value_set(result.usage.total_tokens),
        ]
        workflow.upsert_search_attributes(updates)
