"""Reads the decisions of routers. Pure: reads events, and does no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from temporalio.api.common.v1 import Payloads

from ...contracts.wire.event import Event, RouteChosen
from ...contracts.wire.route_call import RouteChoice
from .history_event import RecordedEvent
from .outcome import Accumulated, Activity, Reading, Scheduled


def read_route_decision(recorded: RecordedEvent, scheduled: Scheduled, so_far: Accumulated) -> Reading:  # noqa: ARG001
    """Read a decision that begins: its end tells all."""
    return Reading(scheduled.id.place, RouteOutcome())


@dataclass(frozen=True, slots=True)
class RouteOutcome:
    """The end of a router's decision."""

    def completed(self, recorded: RecordedEvent, activity: Activity, result: Payloads) -> Iterator[Event]:
        """Yield the choice."""
        choice = recorded.value(result, RouteChoice)
        yield RouteChosen(
            **recorded.stamp(activity.path),
            route=choice.route,
            confidence=choice.confidence,
            reason=choice.reason,
            strategy=choice.strategy,
        )

    def failed(self, recorded: RecordedEvent, activity: Activity, error: BaseException) -> Iterator[Event]:  # noqa: ARG002
        """Yield nothing: the router's end says why there is no choice."""
        yield from ()
