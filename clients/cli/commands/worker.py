"""`sostenuto worker`: serves an app until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from ..app_loader import load_app
from ..interrupts import ending_at_once
from ..reload import reloading
from ..session import add_connection_options, connect_client, needs_worker_packages
from ..terminal import say

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from temporalio.runtime import MetricBuffer

    from ....contracts.specs.app import App
    from ....contracts.specs.node import Node
    from ...client import Client


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("worker", help="serve an app", description="Serve an app until told to stop.")
    add_app_argument(parser)
    parser.add_argument("--task-queue", help="what to poll (default: SOSTENUTO_TASK_QUEUE, else sostenuto)")
    add_reload_option(parser)
    add_connection_options(parser)
    parser.set_defaults(handler=_worker)


def add_reload_option(parser: argparse.ArgumentParser) -> None:
    """Add the option to begin workers anew after a change."""
    parser.add_argument(
        "--reload", action="store_true", help="begin the worker anew when a file of the project changes"
    )


def add_app_argument(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names the app."""
    parser.add_argument("app", metavar="MODULE:APP", help="the app, such as shop.agents:app or examples/hello.py:app")


def add_serving_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a command that serves its app itself."""
    parser.add_argument("--no-worker", action="store_true", help="leave the work to workers that are running")
    parser.add_argument("--task-queue", help="where the workers listen")
    add_connection_options(parser)


@asynccontextmanager
async def serving_client(app: App, args: argparse.Namespace, needed: Node | None) -> AsyncIterator[tuple[Client, str]]:
    """Connect, and serve an app while the block lasts.

    Not where the options leave that to others. Yields the client, and the task queue on which the app is served.

    Args:
        app: What is served.
        args: The options of the command.
        needed: One of its runnables that is about to be run.

    Raises:
        SetupError: Nothing answers there, or `needed` has no usable model.
    """
    client = await connect_client(args)
    if args.no_worker:
        yield client, client.task_queue
        return
    # Workers of other apps may poll the common queue, and would be given our tool calls to run.
    queue = args.task_queue or f"{client.task_queue}:{args.app}"
    with needs_worker_packages():
        from ....workers.failure_lines import tell_failures
    # Each failing call has its line among the steps already.
    tell_failures(unforeseen_alone=True)
    with ending_at_once():
        async with serve(app, client, queue, needed):
            yield client, queue


def serve(
    app: App, client: Client, task_queue: str, needed: Node | None = None, counts: MetricBuffer | None = None
) -> AbstractAsyncContextManager[Any]:
    """Run a worker for the app in this process, see `workers.serving`.

    Args:
        app: What it serves.
        client: Where.
        task_queue: What it polls.
        needed: One of the runnables that is about to be run here.
        counts: What the Temporal SDK of this process counts, to be published.

    Raises:
        SetupError: The worker's packages are not installed, its settings are wrong, or `needed` has no usable model.
    """
    with needs_worker_packages():
        from ....workers.serving import serving
    return serving(app, client.temporal, task_queue=task_queue, needed=needed, on_warning=_warn, buffer=counts)


async def _worker(args: argparse.Namespace) -> int:
    stop = asyncio.Event()
    if args.reload:
        return await reloading(partial(_serve_until, args, stop), args.app, stop)
    return await _serve_until(args, stop, stop, asyncio.Event())


async def _serve_until(
    args: argparse.Namespace, stop: asyncio.Event, ended: asyncio.Event, is_up: asyncio.Event
) -> int:
    """Serve until `ended` is set.

    Sets `is_up` once that has begun, and `stop` when a signal comes.
    """
    from ...code_first import CodeFirstWorkflow

    try:
        app = load_app(args.app)
        names = (
            ", ".join([*app.runnables, *(CodeFirstWorkflow.of(one).name for one in app.workflows)]) or "no runnables"
        )
        counts = _prepare()
        client = await connect_client(args, counts)
    finally:
        # Until here they end the process at once: an import, which is somebody's own code, hears of no event.
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    leaving = asyncio.create_task(_leave_early(ended, is_up, asyncio.current_task()))
    try:
        async with serve(app, client, client.task_queue, counts=counts):
            is_up.set()
            say(f"serving {names} on task queue {client.task_queue!r}; Ctrl-C stops it")
            await ended.wait()
            say("stopping: calls in flight may end first")
    except asyncio.CancelledError:
        if not ended.is_set():
            raise
        say("stopped before it served anything")
    finally:
        leaving.cancel()
    return 0


async def _leave_early(stop: asyncio.Event, is_up: asyncio.Event, serving: asyncio.Task[Any] | None) -> None:
    """Stop a worker that is told to before it serves.

    What it begins with, such as the app's lifespan, may never come to an end.
    """
    await stop.wait()
    if serving and not is_up.is_set():
        serving.cancel()


def _prepare() -> MetricBuffer | None:
    """Set up logs; return what takes the counts of the Temporal SDK."""
    with needs_worker_packages():
        from ....workers.logs import set_up_logs
        from ....workers.settings import Settings
        from ....workers.telemetry.sdk_counts import SdkCounts
    settings = Settings.load()
    set_up_logs(settings)
    return SdkCounts() if settings.publishes_metrics else None


def _warn(problem: str) -> None:
    say(f"warning: {problem}")
