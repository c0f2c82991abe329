"""`sostenuto ingest`: brings documents into a collection, with a progress bar."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ....contracts.text import one_line
from ..arguments.option_types import add_document_options, at_least_one, field_value
from ..exit_status import FAILED, INTERRUPTED, STUCK
from ..follow import WAIT, unless_stuck
from ..session import add_connection_options, connect_client
from ..terminal import answer, open_console, say

if TYPE_CHECKING:
    from rich.console import Console

    from ....contracts.wire.ingest.ingest import IngestProgress, IngestReport
    from ...ingest import Ingest

_SHOWN = 20
_LINE_SECONDS = 5.0


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
        "sources",
        metavar="PATH",
        nargs="+",
        help="a file, a folder, a quoted pattern, the same in a bucket (s3://BUCKET/…), or an https:// address",
    )
    add_document_options(parser, field="what is known of every document", tenant="whose documents they are")
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
        return await followed(ingest, as_json=args.json)
    except asyncio.CancelledError:
        with contextlib.suppress(Exception):
            await ingest.cancel()
        say("cancelled: searches see what was shown so far, and the same command goes on from there")
        return INTERRUPTED


async def followed(ingest: Ingest, *, as_json: bool, when_stuck: str = WAIT) -> int:
    """Show an ingest to its end, and what it came to; return the exit status."""
    if not await _follow(ingest, when_stuck):
        return STUCK
    report = await ingest.result()
    if as_json:
        answer(report.model_dump_json(indent=2))
    else:
        _tell(report)
    return FAILED if report.failed else 0


async def _follow(ingest: Ingest, when_stuck: str) -> bool:
    """Show how far it is, and what holds it up; return whether it was to its end.

    With a bar on a terminal, else as a line now and then.
    """
    console = open_console(stderr=True)
    began = time.monotonic()

    def tell(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    async def follow(happened: Callable[[], None]) -> None:
        with _shown(console, ingest.collection, began) as show:
            last = None
            async for progress in ingest.follow():
                if progress != last:
                    last = progress
                    happened()
                show(progress)

    return await unless_stuck(ingest, tell, when_stuck, follow)


@contextlib.contextmanager
def _shown(console: Console, collection: str, began: float) -> Iterator[Callable[[IngestProgress], None]]:
    """Give what shows how far it is, for the length of the block."""
    if not console.is_terminal:
        told = 0.0

        def line(progress: IngestProgress) -> None:
            nonlocal told
            if time.monotonic() - told > _LINE_SECONDS:
                told = time.monotonic()
                say(_line(collection, progress, began))

        yield line
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[counted]}"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(collection, total=None, counted="")

        def draw(progress: IngestProgress) -> None:
            ended = progress.done + progress.unchanged + progress.failed
            # More may be found until all was listed.
            total = progress.found if progress.listed else None
            counted = f"{ended:,} of {total:,}" if total is not None else f"{ended:,}"
            bar.update(
                task, description=_line(collection, progress, began), completed=ended, total=total, counted=counted
            )

        yield draw


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
    if not report.done + report.unchanged + report.failed + report.removed:
        say("  ⚠ there is no document in these sources")
    if report.note:
        say(f"  ⚠ {report.note}")
    for failure in report.failures[:_SHOWN]:
        # A reader names the document, too.
        reason = failure.reason.removeprefix(f"{unquote(failure.uri.removeprefix('file://'))}: ")
        say(f"  ✗ {failure.uri}: {one_line(reason.removeprefix(f'{failure.uri}: '), 500)}")
    if report.failed > len(report.failures[:_SHOWN]):
        say(f"  … and {report.failed - _SHOWN:,} more")
