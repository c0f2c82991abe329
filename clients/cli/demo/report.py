"""The end of the demo: the answer, its steps, and what the kills cost.

Reads nothing but the histories.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ....contracts.wire.event import Event, ModelResponded, RunFinished, ToolResponded
from ..footnotes import with_notes
from .question import Answered

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


@dataclass(frozen=True, slots=True)
class DemoReport:
    """The end of the demo."""

    answered: Answered
    links: Mapping[str, str]
    """Pages of the Temporal UI, by what they show."""
    again: str
    """Command that brings the histories up again."""

    def show(self, console: Console) -> None:
        """Print it."""
        result = self.answered.result
        output = result.output or result.reason or "no answer"
        said = with_notes(output, result.citations, width=console.width)
        console.print(f"\n{said}\n", markup=False, soft_wrap=True)
        if result.output and result.reason:
            console.print(f"({result.status}: {result.reason})\n", style="yellow", markup=False)
        console.print(steps(self.answered.events))
        console.print()
        for line in self._lessons():
            console.print(line)
        for what, url in self.links.items():
            # A link that is broken into lines is not a link.
            console.print(f"\n{what}, in the Temporal UI:\n{url}", soft_wrap=True, markup=False)
        console.print(
            f"\nEverything is stopped now. What happened stays: this brings Temporal up again.\n{self.again}",
            style="dim",
            soft_wrap=True,
        )

    def _lessons(self) -> Iterator[str]:
        kill = self.answered.kill
        if kill is None:
            yield "No tool was called, so no worker was killed: ask what needs one, by --question."
            return
        yield "What the killed worker had answered stood in the history: the next went on."
        yield f"Model calls repeated because of the kill: [bold]{self.answered.repeated}[/]"
        seconds = kill.seconds_to_next_step(self.answered.history)
        if seconds is not None:
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
