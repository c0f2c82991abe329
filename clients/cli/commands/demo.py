"""`sostenuto demo`: kills workers in the middle of their work, and shows it go on."""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....contracts.errors import SetupError, SpecError
from ..arguments.stack_arguments import (
    DEFAULT_PORT,
    DEFAULT_UI_PORT,
    add_stack_arguments,
    load_settings,
    stack_options,
    stopping_in_order,
)
from ..exit_status import exit_status_of
from ..terminal import open_console

if TYPE_CHECKING:
    from temporalio.client import Client as TemporalClient

    from ....contracts.specs.app import App
    from ....workers.stack.stack import StackOptions

QUESTION = "What happens to a run when its worker dies?"

_DIRECTORY = "demo"
"""Of its own in the state directory, so that it runs beside `sostenuto dev` and touches no collection of yours."""
_TASK_QUEUE = "sostenuto-demo"
_GUIDES = (
    "first-steps",
    "concepts",
    "prompts",
    "agents",
    "chains",
    "parallel",
    "teams",
    "code-first",
    "knowledge",
    "testing",
    "production",
)
"""With the README a dozen pages. Two cores would embed all of them for three times as long, and show nothing else."""
_ROOT = Path(__file__).absolute().parents[4]


def register(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "demo", help="kill workers in the middle of their work and see it go on", description=__doc__
    )
    parser.add_argument("--question", default=QUESTION, help="what is asked")
    parser.add_argument("--app", metavar="MODULE:APP", help="another app, whose first runnable is asked")
    parser.add_argument(
        "--docs",
        metavar="PATH",
        nargs="+",
        help="what is brought into the app's first collection (default: this project's documentation; nothing with "
        "another app)",
    )
    add_stack_arguments(parser)
    parser.set_defaults(handler=_demo)


async def _demo(args: argparse.Namespace) -> int:

    from ....workers.stack.stack import EmbeddedStack
    from ...client import Client
    from ..app_loader import load_app
    from ..demo.ingest import show_ingest
    from ..demo.question import show_question
    from ..demo.report import DemoReport
    from ..demo.stage import Stage

    console = open_console(highlight=False)
    reference = args.app or f"{_checkout('examples/ask_docs.py')}:app"
    app = load_app(reference)
    sources = _sources(args)
    collection = _collection(app, sources)
    began = time.monotonic()

    def tell(line: str) -> None:
        console.print(
            f"{time.monotonic() - began:5.1f} s  {line}", style="dim", markup=False, no_wrap=True, overflow="ellipsis"
        )

    with stopping_in_order():
        options = _options(args, reference)
        _link_weights(options.state_dir)
        async with AsyncExitStack() as running:
            with console.status("starting"):
                stack = await running.enter_async_context(EmbeddedStack(options, tell))
                await _end_what_was_left(stack.client)
            stage = Stage(Client(stack.client, task_queue=_TASK_QUEUE), stack.workers, console, tell)
            links = {}
            if collection:
                told = f"\nTwo workers bring documents into the collection {collection!r}\n"
                console.print(told, style="bold", markup=False)
                ingested = await show_ingest(stage, collection, sources)
                for line in ingested.lines():
                    console.print(line)
                links["The ingest"] = stack.server.run_url(ingested.id, ingested.execution) or ""
            console.print(f"\n{args.question}\n", style="bold", markup=False)
            answered = await show_question(stage, next(iter(app)), args.question)
            links["The answer"] = stack.server.run_url(answered.id, answered.execution) or ""
            with console.status("stopping everything"):
                await running.aclose()
    DemoReport(answered, links, _again(options.state_dir, stack.server.port, stack.server.ui_port)).show(console)
    return exit_status_of(answered.result.status, answered.result.reason)


def _sources(args: argparse.Namespace) -> list[str]:
    if args.docs:
        return list(args.docs)
    if args.app:
        return []
    pages = (_checkout("docs") / f"{name}.md" for name in _GUIDES)
    return [str(page) for page in (_checkout("README.md"), *pages)]


def _collection(app: App, sources: Sequence[str]) -> str:
    if not sources:
        return ""
    for name in app.collections:
        return name
    raise SpecError("--docs: the app has no collection to bring documents into: write App(collections=[...])")


def _options(args: argparse.Namespace, app: str) -> StackOptions:
    from ....workers.stack.temporal_server import find_port

    def free(port: int) -> int:
        # Somebody who has a Temporal server running already shall see the demo all the same.
        try:
            return find_port(port, "", "")
        except SetupError:
            return 0

    options = stack_options(args, load_settings(args), workers=True)
    return replace(
        options,
        state_dir=options.state_dir.absolute() / _DIRECTORY,
        app=app,
        workers=2,
        task_queue=_TASK_QUEUE,
        port=free(DEFAULT_PORT) if args.port is None else args.port,
        ui_port=free(DEFAULT_UI_PORT) if args.ui_port is None else args.ui_port,
    )


def _link_weights(state_dir: Path) -> None:
    """Let the demo's directory have the weights of the one that it is in."""
    from ....connection.private_files import private_directory

    private_directory(state_dir.parent)
    private_directory(state_dir)
    link = state_dir / "weights"
    # Weights of its own are as good, and those of all projects are found anyhow.
    if (state_dir.parent / "weights").is_dir() and not link.is_symlink() and not link.exists():
        link.symlink_to(Path("..") / "weights")


async def _end_what_was_left(temporal: TemporalClient) -> None:
    """End what an earlier demo left unfinished when it was stopped."""
    from temporalio.service import RPCError, RPCStatusCode

    query = f'ExecutionStatus = "Running" AND TaskQueue = "{_TASK_QUEUE}"'
    async for left in temporal.list_workflows(query):
        try:
            await temporal.get_workflow_handle(left.id).terminate("its demo was stopped")
        except RPCError as error:
            # The list may be behind: some of them have ended.
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise


def _again(state_dir: Path, port: int, ui_port: int | None) -> str:
    called = Path(sys.argv[0]).absolute()
    command = _from_here(called) if called.name == "sostenuto" and not shutil.which("sostenuto") else "sostenuto"
    ports = "" if (port, ui_port) == (DEFAULT_PORT, DEFAULT_UI_PORT) else f" --port {port} --ui-port {ui_port}"
    return f"{command} dev --state-dir {shlex.quote(_from_here(state_dir))}{ports}"


def _from_here(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _checkout(name: str) -> Path:
    path = _ROOT / name
    if not path.exists():
        raise SetupError(
            "the demo reads the documentation of a checkout, and this is an installed package: run `make demo` in a "
            "checkout, or ask an agent of yours by --app MODULE:APP --question ..."
        )
    return path
