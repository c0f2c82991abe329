"""The end of the demo: the answer, its steps in a table, and what the kill cost. Reads nothing but the history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from temporalio.api.enums.v1 import EventType

from ...contracts.event import Event, ModelRequested, ModelResponded, RunFinished, ToolResponded
from ...contracts.run import Result

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.table import Table
    from temporalio.client import WorkflowHistory


@dataclass(frozen=True, slots=True)
class Kill:
    """A worker's death, and what it cost."""

    pid: int
    at: datetime
    next_step: datetime | None
    """When the next model or tool call began; None if there was none."""
    repeated: int
    """Model calls that were under way and had to be made again."""

    @classmethod
    def of(cls, pid: int, at: datetime, events: Sequence[Event], history: WorkflowHistory) -> Kill:
        """What the history tells of a kill."""
        return cls(pid, at, _next_step(history, at), _repeated(events, at))


@dataclass(frozen=True, slots=True)
class Report:
    """The end of the demo, for rich to print."""

    result: Result
    events: tuple[Event, ...]
    kill: Kill | None
    url: str
    again: str
    """Command that brings the history up again."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text  # noqa: PLC0415 - loaded by the commands that need it

        yield Text(str(self.result.output or self.result.reason or "no answer"), style="bold")
        if self.result.reason and self.result.output:
            yield Text(f"({self.result.status}: {self.result.reason})", style="yellow")
        yield ""
        yield steps(self.events)
        yield ""
        yield from self._lessons()
        yield Text("In the Temporal UI:\n  ") + Text(self.url, style="underline", no_wrap=True, overflow="fold")
        yield Text(f"  (everything is stopped now; {self.again} brings it and this history up again)", style="dim")

    def _lessons(self) -> Iterator[str]:
        if self.kill is None:
            yield "No tool was called, so no worker was killed: ask a question that needs one, by --question."
            return
        yield f"Model calls repeated because of the kill: {self.kill.repeated}"
        if self.kill.next_step:
            seconds = (self.kill.next_step - self.kill.at).total_seconds()
            yield f"From the kill to the next step, on another worker: {seconds:.1f} s"


def steps(events: Sequence[Event]) -> Table:
    """A table of the model and tool calls, with the run's totals."""
    from rich.table import Table  # noqa: PLC0415 - as above

    table = Table(box=None, padding=(0, 2, 0, 0), show_footer=True)
    end = next((event for event in events if isinstance(event, RunFinished)), None)
    usage = end.usage if end else None
    table.add_column("step", justify="right")
    table.add_column("what")
    table.add_column("model")
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
    usage = event.usage
    calls = ", ".join(call.name for call in event.message.tool_calls)
    what = f"model → {calls}" if calls else "model → answer"
    return (what, event.model, str(usage.input_tokens), str(usage.output_tokens), _dollars(event.cost_usd), *timing)


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


def _repeated(events: Sequence[Event], at: datetime) -> int:
    """Further attempts at model calls that were asked for before the moment and answered after it."""
    asked = {event.turn for event in events if isinstance(event, ModelRequested) and event.at <= at}
    answers = (event for event in events if isinstance(event, ModelResponded) and event.at > at)
    return sum(event.attempt - 1 for event in answers if event.turn in asked)
