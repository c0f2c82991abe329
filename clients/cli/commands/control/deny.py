"""`sostenuto deny`: says no to a call that waits."""

from __future__ import annotations

import argparse

from ...approvals.deciding import add_decision_options, decide, finish_decision_options, said_by, tell


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
    decided = await decide(args, lambda run: run.deny(args.call, **said_by(args)))
    return tell(args, decided, "deny", "denied")
