"""The end of the demo: the answer, its steps, and what the kill cost.

Reads nothing but the history.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from temporalio.api.enums.v1 import EventType

from ...contracts.wire.event import Event, ModelResponded, RunFinished, ToolResponded
from ...contracts.wire.run import Result

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from temporalio.client import WorkflowHistory


@dataclass(frozen=True, slots=True)
class Kill:
    """A worker's death, and what it cost."""

    at: datetime
    next_step: datetime | None
    """When the next model or tool call began; None if there was none."""
    repeated: int
    """Model calls that were under way and had to be made again."""

    @classmethod
    def of(cls, at: datetime, events: Sequence[Event], history: WorkflowHistory) -> Kill:
        """Read from the history what a kill cost."""
        return cls(at, _next_step(history, at), _repeated(events, at))


@dataclass(frozen=True, slots=True)
class KillReport:
    """The end of the demo."""

    result: Result
    events: tuple[Event, ...]
    kill: Kill | None
    url: str
    again: str
    """Command that brings the history up again."""

    def show(self, console: Console) -> None:
        """Print it."""
        console.print(f"\n{self.result.output or self.result.reason or 'no answer'}\n", style="bold", markup=False)
        if self.result.output and self.result.reason:
            console.print(f"({self.result.status}: {self.result.reason})\n", style="yellow", markup=False)
        console.print(steps(self.events))
        console.print()
        for line in self._lessons():
            console.print(line)
        # A link that is broken into lines is not a link.
        console.print("In the Temporal UI:", self.url, soft_wrap=True)
        text = f"Everything is stopped now; {self.again} brings up Temporal with this run."
        console.print(text, style="dim", soft_wrap=True)

    def _lessons(self) -> Iterator[str]:
        if self.kill is None:
            yield "No tool was called, so no worker was killed: ask what needs one, by --question."
            return
        yield f"Model calls repeated because of the kill: [bold]{self.kill.repeated}[/]"
        if self.kill.next_step:
            seconds = (self.kill.next_step - self.kill.at).total_seconds()
            yield f"From the kill to the next step, in another worker: [bold]{seconds:.1f} s[/]"


def steps(events: Sequence[Event]) -> Table:
    """Return a table of the model and tool calls, with the run's totals."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), show_footer=True)
    end = next((event for event in events if isinstance(event, RunFinished)), None)
    usage = end.usage if end else None
    table.add_column("step", justify="right")
    table.add_column("what", no_wrap=True)
    table.add_column("model", no_wrap=True)
    table.add_column("tokens in", str(usage.input_tokens) if usage else "", justify="right")
    table.add_column("out", str(usage.output_tokens) if usage else "", justify="right")
    table.add_column("cost", _dollars(end.cost_usd) if end else "", justify="right")
    table.add_column("latency", _seconds(events), justify="right")
    table.add_column("attempt", justify="right")
    number = 0
    for event in events:
        if isinstance(event, ModelResponded | ToolResponded):
            number += 1
            table.add_row(str(number), *_cells(event))
    return table


def _cells(event: ModelResponded | ToolResponded) -> tuple[str, ...]:
    timing = (f"{event.seconds:.2f} s", str(event.attempt))
    if isinstance(event, ToolResponded):
        return (event.name, "", "", "", "", *timing)
    tokens = (str(event.usage.input_tokens), str(event.usage.output_tokens))
    return ("model", event.model, *tokens, _dollars(event.cost_usd), *timing)


def _dollars(cost: float | None) -> str:
    return "unknown" if cost is None else "$0" if cost == 0 else f"${cost:.4f}"


def _seconds(events: Sequence[Event]) -> str:
    return f"{(events[-1].at - events[0].at).total_seconds():.2f} s" if events else ""


def _next_step(history: WorkflowHistory, after: datetime) -> datetime | None:
    began = (
        event.event_time.ToDatetime(UTC)
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED
    )
    return next((at for at in began if at > after), None)


def _repeated(events: Sequence[Event], after: datetime) -> int:
    """Count the model calls that the kill made the run repeat.

    They are further attempts at the call that ended first after it; those of later calls have other
    causes.
    """
    return next((e.attempt - 1 for e in events if isinstance(e, ModelResponded) and e.at > after), 0)
