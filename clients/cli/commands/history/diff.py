"""`sostenuto diff`: shows where two runs part."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from .....contracts.text import one_line, plural
from ...session import add_connection_options, connect_client
from ...terminal import answer, harmless, open_console

if TYPE_CHECKING:
    from .....history.trace.difference import Difference, StepPair
    from .....history.trace.step import TraceStep

_BETWEEN = " │ "
_NARROWEST = 20
_MOST_PAIRS = 40


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "diff",
        help="show where two runs part",
        description="Show the first decision in which two runs or chats differ, and how what the model was told "
        "before it differs; then what each did, side by side. Exit status: 0 where they do not, 1 where they do.",
    )
    parser.add_argument("left", metavar="A", help="name of a run or a chat")
    parser.add_argument("right", metavar="B", help="name of the other one")
    parser.add_argument("--json", action="store_true", help="print the difference as JSON")
    add_connection_options(parser)
    parser.set_defaults(handler=_diff)


async def _diff(args: argparse.Namespace) -> int:
    from pydantic_core import to_json

    from .....history.trace.difference import first_difference

    client = await connect_client(args)
    left, right = [await (await client.get(one)).trace() for one in (args.left, args.right)]
    found = first_difference(left, right)
    if args.json:
        answer(to_json(found, indent=1).decode())
        return int(found is not None)
    for name, trace in ((args.left, left), (args.right, right)):
        answer(f"{name}  {trace.run.status or 'goes on'}  {trace.run.usage.total_tokens:,} tokens")
    if found is None:
        answer(f"they decided the same in all {sum(1 for _ in left.run.walk())} steps")
        return 0
    for line in _lines(found, args.left, args.right):
        answer(line)
    return 1


def _lines(found: Difference, left: str, right: str) -> Iterator[str]:
    places = [step.path for step in (found.left, found.right) if step]
    yield f"the same for {found.same} steps, then at {places[0]} they differ in {', '.join(found.what)}:"
    for name, one in ((left, found.left), (right, found.right)):
        yield f"── {name}"
        yield from _shown(one)
    yield "── what the model was told before" if found.prompt else "the model was told the same before"
    yield from found.prompt
    yield "── what each did from then on"
    yield from _side_by_side(found.following)


def _side_by_side(pairs: Sequence[StepPair]) -> Iterator[str]:
    from rich.cells import set_cell_size

    width = max((open_console().width - len(_BETWEEN)) // 2, _NARROWEST)
    for pair in pairs[:_MOST_PAIRS]:
        left, right = (set_cell_size(harmless(_told(step)), width) for step in (pair.left, pair.right))
        yield f"{left}{_BETWEEN}{right}".rstrip()
    if len(pairs) > _MOST_PAIRS:
        yield f"and {plural(len(pairs) - _MOST_PAIRS, 'more step')}: --json has all"


def _told(step: TraceStep | None) -> str:
    """Return a step as a line."""
    from .....contracts.template import as_text

    if step is None:
        return "(it had ended)"
    said = step.asked if step.kind in ("tool", "turn") or step.answered is None else step.answered
    turn = f"{step.turn} " if step.kind == "model" else ""
    status = f"{step.status}  " if step.status not in ("", "completed") else ""
    return one_line(f"{step.kind} {turn}{step.name}  {status}{as_text(said) if said not in (None, '') else ''}", 1_000)


def _shown(step: TraceStep | None) -> Iterator[str]:
    from .....contracts.template import as_text

    if step is None:
        yield "   nothing: it had ended"
        return
    yield f"   {step.kind} {step.name}  {step.status}".rstrip()
    for label, value in (("asked", step.asked), ("answered", step.answered), ("why", step.reason)):
        if value not in (None, ""):
            yield f"   {label}: {as_text(value)}"
