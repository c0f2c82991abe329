"""Reads what is wrong with the tools of MCP servers. Does no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from temporalio.api.common.v1 import Payloads

from ...contracts.wire.event import Event, ToolsFaulty
from ...contracts.wire.mcp_call import McpCatalogue
from .history_event import RecordedEvent
from .outcome import Accumulated, Activity, Reading, Scheduled


def read_mcp_catalogue(recorded: RecordedEvent, scheduled: Scheduled, so_far: Accumulated) -> Reading:  # noqa: ARG001
    """Read a request for the tools of a server: its answer tells all."""
    return Reading(scheduled.id.place, CatalogueOutcome())


@dataclass(frozen=True, slots=True)
class CatalogueOutcome:
    """The end of a request for the tools of a server."""

    def completed(self, recorded: RecordedEvent, activity: Activity, result: Payloads) -> Iterator[Event]:
        """Yield what is wrong with the tools, where anything is.

        The tools themselves are told with the prompt that has them.
        """
        if result.payloads[0].external_payloads:
            return  # it is kept where this client cannot look, and nothing that follows needs it
        found = recorded.value(result, McpCatalogue)
        if found.faults:
            yield ToolsFaulty(**recorded.stamp(activity.path), server=found.server, faults=found.faults)

    def failed(self, recorded: RecordedEvent, activity: Activity, error: BaseException) -> Iterator[Event]:  # noqa: ARG002
        """Yield nothing: the run's end says why it has no tools."""
        yield from ()
