"""`sostenuto dev`: brings up the embedded stack and leaves it up until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ..arguments.option_types import at_least_one
from ..arguments.stack_arguments import add_stack_arguments, load_settings, stack_options, stopping_in_order
from ..reload import tell_reloads
from ..terminal import open_console
from .worker import add_reload_option

if TYPE_CHECKING:
    from rich.table import Table

    from ....workers.stack.stack import EmbeddedStack


def register(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "dev", help="bring up Temporal, the local model and workers on this machine", description=__doc__
    )
    parser.add_argument("app", nargs="?", metavar="MODULE:APP", help="what the workers serve (default: no workers)")
    parser.add_argument("--workers", type=at_least_one, default=1, metavar="N", help="worker processes (default 1)")
    add_reload_option(parser)
    parser.add_argument("--no-model", action="store_true", help="leave the local model out: models by key alone")
    add_stack_arguments(parser)
    parser.set_defaults(handler=_dev)


async def _dev(args: argparse.Namespace) -> int:

    from ....workers.stack.stack import EmbeddedStack

    console = open_console(highlight=False)
    options = replace(
        stack_options(args, load_settings(args), workers=bool(args.app)),
        app=args.app,
        workers=args.workers,
        reload=args.reload,
    )
    show = partial(console.print, style="dim", markup=False, soft_wrap=True)
    with stopping_in_order():
        async with EmbeddedStack(options, show) as stack:
            console.print(_table(stack, args.app))
            with contextlib.suppress(asyncio.CancelledError):
                if args.app and args.reload:
                    # The others say the same.
                    await tell_reloads(stack.log_dir / "worker-1.log", show)
                await asyncio.Event().wait()
            show("stopping")
    return 0


def _table(stack: EmbeddedStack, app: str | None) -> Table:
    from rich.table import Table

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_row("Temporal", stack.server.address)
    table.add_row("UI", stack.server.ui_url)
    table.add_row("Model", f"{stack.model_name} at {stack.local_url}" if stack.local_url else "none here: by key alone")
    table.add_row("Workers", f"{len(stack.workers)} for {app}" if app else "none: sostenuto worker MODULE:APP")
    table.add_row("Logs", str(stack.log_dir))
    table.add_row("State", str(stack.state_dir))
    table.add_row("", "Ctrl-C stops everything; the state stays")
    return table
