"""A run as its watchers see it.

Everything comes from the history, nothing is asked of the run itself.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import Any, Generic

from pydantic import JsonValue, TypeAdapter
from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from ..contracts.contract import OutT_co
from ..contracts.errors import SpecError
from ..contracts.message import Message
from ..contracts.wire.event import Event, RunStalled
from ..contracts.wire.live import StreamItem
from ..contracts.wire.places import SEPARATOR, EventId
from ..contracts.wire.run import Result, Status
from ..history.events.projection import Projection
from ..history.reading.cursor import Cursor
from ..history.reading.executions import (
    context_of,
    describe,
    executions_until,
    first_execution,
    from_position,
    is_code_first,
)
from ..history.reading.traced import build_trace
from ..history.reading.tree import RunAddress, TreePart, cursor_after, part_with, parts
from ..history.trace.step import Trace
from .approvals.top_up_calls import TopUpCalls
from .calls.compensating_cancel import cancel_compensating
from .calls.workflow_calls import WorkflowCalls
from .guardrails.restoring import Originals
from .hindrances import Hindrance, find_hindrances
from .live.open_calls import durable_part, has_open_calls
from .live.stream import FrameReader, live_url, stream_items
from .rpc_errors import translate_rpc_errors
from .scores import ScoreCalls
from .summary import RunSummary
from .typed_result import typed
from .waiting import log_wait_later, wait_for_end
from .watch import Watch


class Run(ScoreCalls, TopUpCalls, WorkflowCalls, Generic[OutT_co]):
    """One run. Made by `Client.start` and `Client.get`.

    Args:
        temporal: Where it runs.
        id: Its id, which is the id of its workflow.
        execution: Temporal's run id of any of its executions, which tells it from others of the same id.
        output_type: Type of its output, where that is known in this process: gives `Result.output` its type.
        redis_url: Address of the live channel, see `Client`.
    """

    def __init__(
        self,
        temporal: TemporalClient,
        id: str,
        execution: str,
        output_type: TypeAdapter[Any] | None = None,
        redis_url: str | None = None,
    ) -> None:
        self.id = id
        self._temporal = temporal
        self._execution = execution
        self._first = ""
        self._output_type = output_type
        self._redis_url = redis_url
        self._ended: Projection | None = None
        self._originals = Originals(temporal, f"run {id!r}")

    def __repr__(self) -> str:
        return f"<run {self.id}>"

    async def events(self, after: str | None = None, *, nested: bool = True) -> AsyncGenerator[Event, None]:
        """Yield the events of the run from its start, or after `after`, until it ends.

        The stream of a finished run is the same as while it ran, but for the order between runs that were at work at
        the same time. It waits for new events, also while the server is away, and costs the run nothing.

        Args:
            after: `Event.position` of the last event seen. Its `id` will do too: of nested runs that were under way
                then, events may come again.
            nested: Whether to tell what happens inside nested runs, each between its `member.started` and its
                `member.finished`.

        Raises:
            SpecError: There is no such run, or `after` is not an event of it.
        """
        with translate_rpc_errors(f"run {self.id!r}"):
            executions, cursor = await self._to_read(after)
            watch = Watch(self._temporal, self.id, executions, cursor, nested=nested)
            async with aclosing(watch.events()) as events:
                async for event in events:
                    yield event
        if after is None:
            self._ended = watch.root

    async def stream(self, after: str | None = None) -> AsyncGenerator[StreamItem, None]:
        """Yield the events of the run, and between them what its calls say meanwhile.

        What is said comes over the live channel, adds nothing to the history, and costs the run nothing. Of a run that
        is over, and where there is no live channel, the events come alone. Else all `Token`s of a path since its last
        `model.requested` or `Retract` join to the text of the answer by the time of its `model.responded`, however
        much of them was lost on the way.

        Args:
            after: `position` of the last item seen.

        Raises:
            SpecError: There is no such run, or `after` is not a position in it.
            SetupError: The address of the live channel is none.
        """
        async with aclosing(self.events(after)) as events, aclosing(self._with_live(events, after or "")) as items:
            async for item in items:
                yield item

    async def _with_live(self, events: AsyncGenerator[Event, None], after: str) -> AsyncGenerator[StreamItem, None]:
        """Yield events, and between them what is said meanwhile."""
        with translate_rpc_errors(f"run {self.id!r}"):
            is_open = (await self._newest()).status is WorkflowExecutionStatus.RUNNING
            first = await self._first_execution_of_root()
        url = live_url(self._temporal, self._redis_url)
        # Whoever left in the middle of an answer is told the rest of it, also where the run is over by now.
        if not (url and is_open) and not has_open_calls(after):
            async for event in events:
                yield event
            return
        async with (
            aclosing(FrameReader(url, self._temporal.namespace, self.id, first)) as reader,
            aclosing(stream_items(events, reader, after)) as items,
        ):
            async for item in items:
                yield item

    async def result(self, *, timeout: timedelta | float | None = None) -> Result[OutT_co]:  # noqa: ASYNC109 - says why
        """Wait for the run's end and return its result, also where it failed.

        The output of a completed run is a value of the runnable's output type where this process knows it. What holds
        it up, such as that no worker is there, and what it waits for people for, is logged as a warning of
        `sostenuto.clients` after some seconds.

        Args:
            timeout: Longest to wait, in seconds where it is a number. Default: for ever. The run goes on all the same.

        Raises:
            SpecError: There is no such run.
            TimeoutError: It has not ended by then; says what holds it up or what it waits for, and how it goes on.
        """
        seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
        ended = self._ended
        if ended is None:
            ended = await wait_for_end(f"run {self.id!r}", self.held_up, self._read_to_end, seconds)
        result = ended.result or Result(status=Status.FAILED, reason="the history ends without a result")
        result = result.model_copy(update={"messages": ended.transcript()})
        return typed(f"run {self.id!r}", self._output_type, self._originals.in_result(result, ended.sealed))

    async def _read_to_end(self, happened: Callable[[], None]) -> Projection:
        with log_wait_later(f"run {self.id!r}") as log_later:
            while self._ended is None:
                async for event in self.events(nested=False):
                    happened()
                    # That no worker there has its workflow is told where it is so now.
                    if isinstance(event, RunStalled) and not event.unserved:
                        log_later(f"its code fails: {event.reason}")
                    else:
                        log_later("")
        return self._ended

    async def transcript(self, path: str | None = None) -> tuple[Message, ...]:
        """Return the messages so far of an agent or prompt anywhere in the run.

        Args:
            path: Its place, as the events have it. Default: that of the run's own runnable.

        Raises:
            SpecError: There is no such run, or nothing in it has messages at that place.
        """
        with translate_rpc_errors(f"run {self.id!r}"):
            root = RunAddress(self.id, await self._executions())
            if path is None:
                return self._originals.transcript((await TreePart.read(self._temporal, root)).projection)
            part = await part_with(self._temporal, root, path)
        if not part:
            raise SpecError(f"run {self.id!r}: there is no transcript at {path!r}: pass the path of a model's event")
        return self._originals.transcript(part.projection, path)

    async def nested(self) -> tuple[str, ...]:
        """Return the ids of the runs nested in it, at any depth, for `client.get`.

        Raises:
            SpecError: There is no such run.
        """
        with translate_rpc_errors(f"run {self.id!r}"):
            root = RunAddress(self.id, await self._executions())
            return tuple([part.place.workflow_id async for part in parts(self._temporal, root) if part.place.above])

    async def trace(self) -> Trace:
        """Return what the run did and why, and where the time went.

        As far as it is, and as far back as its history is retained. Reads the histories of the run and of all that is
        nested in it, and rebuilds every prompt.

        Raises:
            SpecError: There is no such run.
        """
        with translate_rpc_errors(f"run {self.id!r}"):
            root = RunAddress(self.id, await self._executions())
            workflows = parts(self._temporal, root, keep=True)
            trace = await build_trace(
                workflows,
                "its history is past the retention time",
                "its history before this is past the retention time",
            )
        if trace is None:
            raise SpecError(f"run {self.id!r}: all of its history that tells anything is past the retention time")
        return trace

    async def context(self) -> dict[str, JsonValue]:
        """Return the run's own values, as JSON; empty where it has none.

        Raises:
            SpecError: There is no such run.
        """
        with translate_rpc_errors(f"run {self.id!r}"):
            return await context_of(await self._newest())

    async def cancel(self, *, compensate: bool = False) -> None:
        """Ask the run to stop.

        It ends as `cancelled`, with what it has. A run that has ended stays as it is.

        Args:
            compensate: Whether what it did is undone before it ends: each call of a tool that has `compensate=`, in it
                and in all that is nested in it, the last first. `Result.compensated` tells what became of each.

        Raises:
            SpecError: There is no such run; or nothing of it can be undone, as it has ended, is being cancelled
                already, or is no run of a runnable.
        """
        with translate_rpc_errors(f"run {self.id!r}"):
            newest = await self._newest()
            if compensate:
                await cancel_compensating(self._temporal, newest)
                return
            first = first_execution(newest)
            handle = self._temporal.get_workflow_handle(self.id, first_execution_run_id=first)
            try:
                await handle.cancel()
            except RPCError as error:
                # This is how the server says that it has ended: that it exists was seen above.
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise

    async def describe(self) -> RunSummary:
        """Return where the run is now, without reading its history.

        Raises:
            SpecError: There is no such run.
        """
        with translate_rpc_errors(f"run {self.id!r}"):
            return RunSummary.of(await self._newest())

    async def hindrances(self) -> tuple[Hindrance, ...]:
        """Return what holds up the run and those nested in it at this moment.

        Calls that failed and are tried again, with their reason, and work that no worker takes. Nothing where all is
        well, or the run has ended. Of a tree with more than a hundred runs at work, the first hundred are looked at.

        Raises:
            SpecError: There is no such run.
        """
        with translate_rpc_errors(f"run {self.id!r}"):
            return await find_hindrances(self._temporal, await self._newest())

    async def _newest(self) -> WorkflowExecutionDescription:
        """Return the newest execution of the run, and not of a later run of its id."""
        newest = await describe(self._temporal, self.id)
        if newest.run_id == self._execution:
            self._first = first_execution(newest)
        if first_execution(newest) == await self._first_execution():
            return newest
        return await describe(self._temporal, self.id, self._execution)

    async def _first_execution(self) -> str:
        if not self._first:
            try:
                self._first = first_execution(await describe(self._temporal, self.id, self._execution))
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                # Past the retention time, as the first execution of a run is before any other of it.
                self._first = self._execution
        return self._first

    async def _first_execution_of_root(self) -> str:
        root = self.id.partition(SEPARATOR)[0]
        if root != self.id:
            try:
                return first_execution(await describe(self._temporal, root))
            except RPCError as error:
                # A workflow that something else started may have such an id too.
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
        return await self._first_execution()

    async def _executions(self) -> tuple[str, ...]:
        """Return all executions that are there, the oldest first."""
        return await executions_until(self._temporal, self.id, (await self._newest()).run_id)

    async def _to_read(self, after: str | None) -> tuple[Sequence[str], Cursor | None]:
        """Return the executions to read, and where in them and in nested runs to go on."""
        executions = await self._executions()
        if after is None:
            return executions, None
        cursor = Cursor.parse(durable_part(after))
        if cursor and not cursor.nested and EventId.parse(cursor.root).execution not in executions:
            cursor = await cursor_after(self._temporal, RunAddress(self.id, executions), cursor.root)
        if cursor is None or EventId.parse(cursor.root).execution not in executions:
            raise SpecError(
                f"{after!r} is not an event of run {self.id!r}, or its execution was reset or is past the retention "
                "time: pass the `position` of one of its events (`cursor` in JSON, or its `id`)"
            )
        # What a code-first workflow has used is the sum of all its executions.
        own = is_code_first(await describe(self._temporal, self.id, executions[-1]))
        return executions if own else from_position(executions, EventId.parse(cursor.root)), cursor
