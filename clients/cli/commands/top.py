"""`sostenuto top`: shows what runs, what is in trouble and what it spends."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Final

from ..session import add_connection_options, connect_client
from ..terminal import answer, has_screen

if TYPE_CHECKING:
    from ...client import Client

_PIPE_COLUMNS: Final = 160
_EVERY_SECONDS: Final = 2.0
_LEAST_SECONDS: Final = 0.5


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "top",
        help="show what runs, what is in trouble and what it spends",
        description="Show all runs on one screen, those in trouble first: whose code fails, whose work no worker "
        "takes, or whose calls are tried again and again. Enter shows the steps of one, `?` the keys, q leaves. Where "
        "standard output is no terminal, one frame is printed.",
    )
    parser.add_argument("--tenant", default="", help="only the runs of this tenant")
    parser.add_argument(
        "--every",
        metavar="SECONDS",
        type=_pause,
        default=_EVERY_SECONDS,
        help=f"pause between two looks at the server (default: {_EVERY_SECONDS:g}, at least {_LEAST_SECONDS:g})",
    )
    parser.add_argument("--once", action="store_true", help="print one frame as plain text, and leave")
    parser.add_argument("--json", action="store_true", help="print one frame as a line of JSON, and leave")
    add_connection_options(parser)
    parser.set_defaults(handler=_top)


def _pause(text: str) -> float:
    """Return the seconds that an option names.

    Raises:
        ArgumentTypeError: It is not a number, or too small a one.
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if _LEAST_SECONDS <= seconds < float("inf"):
        return seconds
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds of at least {_LEAST_SECONDS:g}")


async def _top(args: argparse.Namespace) -> int:
    client = await connect_client(args)
    if args.once or args.json or not has_screen():
        await _print(client, args)
        return 0
    from ..top.session import Session

    return await Session(client, tenant=args.tenant, every=args.every).run()


async def _print(client: Client, args: argparse.Namespace) -> None:
    overview = await client.overview(tenant=args.tenant)
    if args.json:
        answer(overview.model_dump_json())
        return
    from ..terminal import open_console
    from ..top.frame import whole_lines
    from ..top.session import server_of

    width = open_console().width if sys.stdout.isatty() else _PIPE_COLUMNS
    for line in whole_lines(overview, width, server_of(client)):
        answer(line.plain.rstrip())
