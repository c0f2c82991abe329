"""`sostenuto deny`: says no to a call that waits."""

from __future__ import annotations

import argparse

from ...approvals.deciding import add_decision_options, finish_decision_options, run_of, said_by, tell


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "deny",
        help="say no to a call that waits",
        description="Say no to a tool call that waits: it is not made, and the model is told so, with the note.",
    )
    add_decision_options(parser)
    finish_decision_options(parser)
    parser.set_defaults(handler=_deny)


async def _deny(args: argparse.Namespace) -> int:
    run = await run_of(args)
    return tell(args, await run.deny(args.call, **said_by(args)), "denied")
