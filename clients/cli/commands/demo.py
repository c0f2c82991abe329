"""`sostenuto demo`: kills an agent's worker, and shows the agent go on from there."""

from __future__ import annotations

import argparse
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....contracts.errors import SetupError
from ....contracts.wire.event import Event, ModelResponded, ToolResponded
from ....contracts.wire.places import EventId
from ..exit_status import EXIT_STATUS
from ..stack_arguments import (
    DEFAULT_PORT,
    DEFAULT_UI_PORT,
    add_stack_arguments,
    load_settings,
    stack_options,
    stopping_in_order,
)
from ..step_tree import StepTree
from ..terminal import open_console

if TYPE_CHECKING:
    from ....contracts.specs.runnable import Runnable
    from ....workers.stack.stack import EmbeddedStack, StackOptions
    from ....workers.stack.supervisor import OnStatus
    from ..demo_report import KillReport

QUESTION = "How does Sostenuto keep the history small?"

# Of its own, so that neither a worker of `sostenuto dev` nor a run that waits for one gets into the demo.
_TASK_QUEUE = "sostenuto-demo"


def register(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "demo", help="kill the worker of a running agent and see it go on", description=__doc__
    )
    parser.add_argument("--question", default=QUESTION, help="what the agent is asked")
    parser.add_argument("--app", metavar="MODULE:APP", help="another app, whose first runnable is asked")
    add_stack_arguments(parser)
    parser.set_defaults(handler=_demo)


async def _demo(args: argparse.Namespace) -> int:

    from ....workers.stack.stack import EmbeddedStack
    from ..app_loader import load_app

    console = open_console(highlight=False)
    reference = args.app or _docs_agent()
    agent = next(iter(load_app(reference)))
    began = time.monotonic()

    def tell(line: str) -> None:
        console.print(
            f"{time.monotonic() - began:5.1f} s  {line}", style="dim", markup=False, no_wrap=True, overflow="ellipsis"
        )

    with stopping_in_order(), console.status("starting") as status:
        async with EmbeddedStack(_options(args, reference), tell) as stack:
            console.print(f"\n{args.question}\n", style="bold", markup=False)
            report = await _run(stack, agent, args.question, tell, status.update)
            status.update("stopping everything")
    report.show(console)
    return EXIT_STATUS[report.result.status]


async def _run(stack: EmbeddedStack, agent: Runnable, question: str, tell: OnStatus, wait: OnStatus) -> KillReport:
    """Run the agent, and kill its worker at work.

    It is killed when it has asked a model, run a tool and asked a model again.
    """
    from rich.markup import escape

    from ...client import Client
    from ..demo_report import Kill, KillReport

    client = Client(stack.client, task_queue=_TASK_QUEUE)
    run = await client.start(agent, question)
    killed: datetime | None = None
    events: list[Event] = []
    tree = StepTree()
    async for event in run.events():
        if killed is None and isinstance(event, ModelResponded) and _has_used_a_tool(events):
            # At once: a few milliseconds later the next step would be under way.
            pid = stack.workers[0].current.pid
            os.kill(pid, signal.SIGKILL)
            killed = datetime.now(UTC)
            tell(f"  ✂  SIGKILL to worker 1 (pid {pid}), between two steps")
        events.append(event)
        for text in tree.lines(event):
            tell(text)
        wait(escape(tree.waiting()))
    return KillReport(
        result=await run.result(),
        events=tuple(events),
        kill=Kill.of(killed, events, await client.history(run.id)) if killed else None,
        url=stack.server.run_url(run.id, EventId.parse(events[0].id).execution) or "",
        again=_again(stack),
    )


def _has_used_a_tool(events: Sequence[Event]) -> bool:
    return any(isinstance(event, ToolResponded) for event in events)


def _options(args: argparse.Namespace, app: str) -> StackOptions:
    from ....workers.stack.temporal_server import find_port

    def free(port: int) -> int:
        # Somebody who has a Temporal server running already shall see the demo all the same.
        try:
            return find_port(port, "", "")
        except SetupError:
            return 0

    options = stack_options(args, load_settings(args))
    return replace(
        options,
        app=app,
        task_queue=_TASK_QUEUE,
        port=free(DEFAULT_PORT) if args.port is None else args.port,
        ui_port=free(DEFAULT_UI_PORT) if args.ui_port is None else args.ui_port,
    )


def _again(stack: EmbeddedStack) -> str:
    if (stack.server.port, stack.server.ui_port) == (DEFAULT_PORT, DEFAULT_UI_PORT):
        return "`make dev`"
    return f"`sostenuto dev --port {stack.server.port} --ui-port {stack.server.ui_port}`"


def _docs_agent() -> str:
    file = Path(__file__).absolute().parents[4] / "examples" / "docs_agent.py"
    if not file.is_file():
        raise SetupError(
            "the demo's agent reads the documentation of a checkout, and this is an installed package: run `make demo` "
            "in a checkout, or ask an agent of yours by --app MODULE:APP --question ..."
        )
    return f"{file}:app"
