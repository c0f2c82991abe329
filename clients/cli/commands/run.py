"""`sostenuto run`: starts a run, shows its steps, and prints what it came to.

The steps go to stderr, the result to stdout.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....contracts.errors import SpecError
from ....contracts.specs.node import Node
from ..app_loader import load_app
from ..arguments.option_types import add_context_option, budget
from ..exit_status import INTERRUPTED, STUCK, exit_status_of
from ..follow import add_stuck_option, cancelling, show
from ..footnotes import with_notes
from ..terminal import answer, left_as_found, open_console, say
from .worker import add_app_argument, add_serving_options, serving_client

if TYPE_CHECKING:
    from rich.console import Console

    from ....contracts.specs.app import App
    from ....contracts.wire.run import Result
    from ...run import Run
    from ...start_request import Startable


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "run",
        help="start a run and follow it to its end",
        description="Start a run and follow it to its end. Exit status: 0 completed, 1 failed, 3 refused, "
        "4 exhausted or cut at the output limit, 5 cancelled, 6 left by --when-stuck. Ctrl-C cancels the run.",
    )
    add_app_argument(parser)
    parser.add_argument("name", metavar="NAME", help="which of the app's runnables, or workflow types")
    parser.add_argument(
        "input", metavar="INPUT", help="what it is asked: text, or fields as JSON; - reads it from stdin"
    )
    parser.add_argument("--id", help="name of the run; with one that was used before, that run is followed")
    parser.add_argument("--tenant", help="whom the run is for")
    add_context_option(parser, "run")
    parser.add_argument(
        "--budget",
        type=budget,
        metavar="USD",
        help="most that it may spend: 0.50, or usd=0.50,tokens=20000,turns=9,ledger=NAME",
    )
    parser.add_argument("--json", action="store_true", help="print the whole result as JSON")
    add_stuck_option(parser)
    add_serving_options(parser)
    parser.set_defaults(handler=_run)


async def _run(args: argparse.Namespace) -> int:
    from ....connection.connect import ui_url_of

    app = load_app(args.app)
    startable, asked = _found(app, args.name, _asked(args.input))
    console = open_console(stderr=True)
    needed = startable if isinstance(startable, Node) else None
    async with serving_client(app, args, needed) as (client, queue):
        run = await client.start(
            startable, asked, id=args.id, tenant=args.tenant, context=args.context, budget=args.budget, task_queue=queue
        )
        if url := ui_url_of(client.temporal, run.id):
            console.print(f"in the Temporal UI: {url}", style="dim", markup=False, highlight=False, soft_wrap=True)
        try:
            result = await _followed(run, console, args)
        except asyncio.CancelledError:
            return INTERRUPTED
    if result is None:
        return STUCK
    if args.json or result.output is not None:
        try:
            answer(_json(run, result) if args.json else with_notes(result.output, result.citations))
        except BrokenPipeError:
            say(f"nobody reads the result of {run.id}, which has ended: `sostenuto watch {run.id}` shows it")
    return exit_status_of(result.status, result.reason)


def _asked(text: str) -> str:
    """Return the input that was typed, or is written to standard input.

    Raises:
        SpecError: It is no text, or meant to be a file.
    """
    if text == "-":
        return _written()
    if text.startswith("@") and _is_file(text[1:]):
        raise SpecError(f"{text} would be sent as it stands: to send what is in the file, write - < {text[1:]}")
    return text


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # a long text is no name
        return False


def _written() -> str:
    """Return what is written to standard input.

    Raises:
        SpecError: It is no text.
    """
    if sys.stdin is None:
        raise SpecError("standard input is closed: there is nothing to read for -")
    written = sys.stdin.buffer.read()
    try:
        return written.decode()
    except UnicodeDecodeError as error:
        raise SpecError(
            f"standard input is not text in UTF-8: byte {error.start + 1} is 0x{written[error.start]:02x}; "
            "convert it, as by `iconv -f latin1 -t utf-8`"
        ) from None


def _found(app: App, name: str, text: str) -> tuple[Startable, Any]:
    """Find what the app has of that name, and what the text asks it."""
    from ...code_first import CodeFirstWorkflow

    for workflow in app.workflows:
        own = CodeFirstWorkflow.of(workflow)
        if own.name == name:
            return workflow, own.argument(text)
    return app.runnable(name), text


async def _followed(run: Run, console: Console, args: argparse.Namespace) -> Result | None:
    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    # A line that is edited leaves the terminal otherwise than it was.
    with cancelling(run, say), left_as_found():
        return await run.result() if await show(run, console, args, asks=True) else None


def _json(run: Run, result: Result) -> str:
    from pydantic_core import to_json

    fields = {name: getattr(result, name) for name in type(result).model_fields}
    return to_json({"id": run.id, **fields}, indent=2).decode()
