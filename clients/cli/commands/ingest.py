"""`sostenuto ingest`: brings documents into a collection, with a progress bar."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from ....contracts.errors import SpecError
from ..exit_status import FAILED, INTERRUPTED
from ..option_types import at_least_one
from ..session import add_connection_options, connect_client
from ..terminal import answer, open_console, say

if TYPE_CHECKING:
    from ....contracts.wire.ingest import IngestProgress, IngestReport
    from ...ingest import Ingest

_SHOWN = 20


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "ingest",
        help="bring documents into a collection",
        description="Bring documents into a collection that the workers' app has. Documents that are there already "
        "as they are cost nothing. Exit status: 0 done, 1 some or all failed. Ctrl-C cancels; what is done stays.",
    )
    parser.add_argument("collection", metavar="COLLECTION", help="its name in the app")
    parser.add_argument(
        "sources", metavar="PATH", nargs="+", help="a file, a folder, a quoted pattern, or an https:// address"
    )
    parser.add_argument(
        "--field", metavar="NAME=VALUE", action="append", default=[], help="what is known of every document"
    )
    parser.add_argument("--tenant", default="", help="whose documents they are")
    parser.add_argument("--upload", action="store_true", help="read the files here, for workers that do not have them")
    parser.add_argument("--prune", action="store_true", help="take out documents of these sources that are gone")
    parser.add_argument("--rebuild", action="store_true", help="make the collection anew, and show it when it is whole")
    parser.add_argument("--at-once", type=at_least_one, default=4, metavar="N", help="documents at once (default: 4)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--task-queue", help="where the workers listen")
    add_connection_options(parser)
    parser.set_defaults(handler=_ingest)


async def _ingest(args: argparse.Namespace) -> int:
    from ...ingest import check_served

    client = await connect_client(args)
    await check_served(client.temporal, client.task_queue)
    ingest = await client.ingest(
        args.collection,
        args.sources,
        texts=dict(map(field_value, args.field)),
        tenant=args.tenant,
        prune=args.prune,
        rebuild=args.rebuild,
        concurrency=args.at_once,
        upload=args.upload,
    )
    try:
        await _follow(ingest)
        report = await ingest.result()
    except asyncio.CancelledError:
        with contextlib.suppress(Exception):
            await ingest.cancel()
        say(f"cancelled: searches see what was shown so far; `sostenuto ingest {args.collection}` goes on from there")
        return INTERRUPTED
    if args.json:
        answer(report.model_dump_json(indent=2))
    else:
        _tell(report)
    return FAILED if report.failed else 0


def field_value(text: str) -> tuple[str, str]:
    """Return the name and the value that an option says, as NAME=VALUE.

    Raises:
        SpecError: It says something else.
    """
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise SpecError(f"--field {text!r}: write NAME=VALUE")
    return name, value


async def _follow(ingest: Ingest) -> None:
    """Show how far it is: as a bar on a terminal, else as a line now and then."""
    console = open_console(stderr=True)
    began = time.monotonic()
    if not console.is_terminal:
        told = 0.0
        async for progress in ingest.follow():
            if time.monotonic() - told > 5:
                told = time.monotonic()
                say(_line(ingest.collection, progress, began))
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(ingest.collection, total=None)
        async for progress in ingest.follow():
            ended = progress.done + progress.unchanged + progress.failed
            total = progress.found if progress.found else None
            bar.update(task, description=_line(ingest.collection, progress, began), completed=ended, total=total)


def _line(collection: str, progress: IngestProgress, began: float) -> str:
    cost = f", {progress.totals.told}" if progress.totals.told else ""
    rate = (progress.done + progress.unchanged) / max(time.monotonic() - began, 0.1)
    return (
        f"{collection}: {progress.done:,} new or changed, {progress.unchanged:,} unchanged, {progress.failed:,} failed"
        f", {rate:.1f} documents/s{cost}"
    )


def _tell(report: IngestReport) -> None:
    removed = f", {report.removed:,} removed" if report.removed else ""
    cost = f", {report.totals.told}" if report.totals.told else ""
    answer(
        f"{report.collection}: {report.done:,} new or changed ({report.passages:,} passages), {report.unchanged:,} "
        f"unchanged, {report.failed:,} failed{removed}, in {report.seconds:.1f} s{cost}"
    )
    for failure in report.failures[:_SHOWN]:
        say(f"  ✗ {failure.uri}: {failure.reason}")
    if report.failed > len(report.failures[:_SHOWN]):
        say(f"  … and {report.failed - _SHOWN:,} more")
