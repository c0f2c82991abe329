"""A run as its watchers see it: everything comes from the history, nothing is asked of the run itself."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

from pydantic import TypeAdapter, ValidationError
from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowExecutionDescription
from temporalio.service import RPCError, RPCStatusCode

from ..contracts.errors import SpecError
from ..contracts.event import Event
from ..contracts.run import Result, Status
from ..contracts.runnable import Runnable
from .chain import described, executions_until, first_execution
from .history import follow
from .projection import Projection
from .rpc_errors import explained
from .summary import RunSummary

_EVENT_ID = re.compile(r"^([^/]+)/(\d+)/(\d+)$")


class Run:
    """One run. Made by `Client.start` and `Client.get`.

    Args:
        temporal: Where it runs.
        id: Its id, which is the id of its workflow.
        execution: Temporal's run id of any of its executions, which tells it from others of the same id.
        runnable: What runs, where that is known in this process: gives `Result.output` its type.
    """

    def __init__(self, temporal: TemporalClient, id: str, execution: str, runnable: Runnable | None = None) -> None:  # noqa: A002
        self.id = id
        self._temporal = temporal
        self._execution = execution
        self._first = ""
        self._output_type: TypeAdapter[Any] | None = runnable.output_type if runnable else None
        self._ended: Projection | None = None

    def __repr__(self) -> str:
        return f"<run {self.id}>"

    async def events(self, after: str | None = None) -> AsyncIterator[Event]:
        """The events of the run from its start, or from the one after `after`, until it ends.

        The stream of a finished run is the same as while it ran. It waits for new events, also while the server is
        away, and costs the run nothing.

        Args:
            after: Id of the last event seen.

        Raises:
            SpecError: There is no such run, or `after` is no event of it.
        """
        projection = Projection(self._temporal.data_converter)
        with explained(f"run {self.id!r}"):
            execution, *later = await self._executions(after)
            skipping = after
            while execution:
                async for recorded in follow(self._temporal, self.id, execution):
                    for event in projection.feed(recorded, execution):
                        if skipping and not _is_after(event.id, skipping):
                            continue
                        yield event
                execution = later.pop(0) if later else projection.next_execution
                skipping = skipping if skipping and skipping.startswith(f"{execution}/") else None
        self._ended = projection

    async def result(self) -> Result:
        """What the run came to, with its transcript; waits for its end. A failed run has a result too.

        The output of a completed run is a value of the runnable's output type where this process knows it.

        Raises:
            SpecError: There is no such run.
        """
        while self._ended is None:
            async for _ in self.events():
                pass
        projection = self._ended
        result = projection.result or Result(status=Status.FAILED, reason="the history ends without a result")
        output = result.output
        if self._output_type is not None and result.status is Status.COMPLETED:
            output = self._typed(self._output_type, output)
        return result.model_copy(update={"messages": projection.transcript(), "output": output})

    async def cancel(self) -> None:
        """Ask the run to stop. It ends as `cancelled`, with what it has. A run that has ended stays as it is.

        Raises:
            SpecError: There is no such run.
        """
        with explained(f"run {self.id!r}"):
            first = first_execution(await self._newest())
            handle = self._temporal.get_workflow_handle(self.id, first_execution_run_id=first)
            try:
                await handle.cancel()
            except RPCError as error:
                # This is how the server says that it has ended: that it exists was seen above.
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise

    async def describe(self) -> RunSummary:
        """Where the run is now, without reading its history.

        Raises:
            SpecError: There is no such run.
        """
        with explained(f"run {self.id!r}"):
            return RunSummary.of(await self._newest())

    def _typed(self, output_type: TypeAdapter[Any], output: Any) -> Any:
        try:
            return output_type.validate_python(output)
        except ValidationError as error:
            raise SpecError(
                f"run {self.id!r}: its output is not of the type that its runnable has here: get it without runnable= "
                f"to see it as it is ({error.error_count()} problems: {error.errors()[0]['msg']})"
            ) from error

    async def _newest(self) -> WorkflowExecutionDescription:
        """The newest execution of the run, which another run that took over its id has not."""
        newest = await described(self._temporal, self.id)
        if newest.run_id == self._execution:
            self._first = first_execution(newest)
        if first_execution(newest) == await self._first_execution():
            return newest
        return await described(self._temporal, self.id, self._execution)

    async def _first_execution(self) -> str:
        if not self._first:
            try:
                self._first = first_execution(await described(self._temporal, self.id, self._execution))
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                # Past the retention time, as the first execution of a run is before any other of it.
                self._first = self._execution
        return self._first

    async def _executions(self, after: str | None) -> list[str]:
        """What to read, the oldest first: all that is there, or what it takes to know what comes after an event."""
        executions = [*await executions_until(self._temporal, self.id, (await self._newest()).run_id)]
        if after is None:
            return executions
        match = _EVENT_ID.match(after)
        if match is None or match.group(1) not in executions:
            raise SpecError(
                f"{after!r} is no event of run {self.id!r}, or its execution was reset or is past the retention time: "
                "pass the id of one of its events"
            )
        place = executions.index(match.group(1))
        # What the first event of an execution means depends on the execution before it.
        return executions[max(place - 1, 0) if match.group(2) == "1" else place :]


def _is_after(event_id: str, other: str) -> bool:
    execution, event, index = event_id.split("/")
    other_execution, other_event, other_index = other.split("/")
    return execution == other_execution and (int(event), int(index)) > (int(other_event), int(other_index))
