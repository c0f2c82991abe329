"""`sostenuto edit`: lets a call that waits be made with other arguments."""

from __future__ import annotations

import argparse

from ...approvals.deciding import add_decision_options, decide, finish_decision_options, said_by, tell
from ...arguments.option_types import arguments_object


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "edit",
        help="let a call that waits be made with other arguments",
        description="Let a tool call that waits be made with other arguments, which are checked as the model's were. "
        "The history keeps both, and the model is told.",
    )
    add_decision_options(parser)
    parser.add_argument(
        "arguments", type=arguments_object, metavar="ARGUMENTS", help="all of them, as JSON: '{\"amount\": 5}'"
    )
    finish_decision_options(parser)
    parser.set_defaults(handler=_edit)


async def _edit(args: argparse.Namespace) -> int:
    decided = await decide(args, lambda run: run.edit(args.call, args.arguments, **said_by(args)))
    return tell(args, decided, "edit", "approved with other arguments")
