"""`sostenuto approve`: says yes to a call that waits."""

from __future__ import annotations

import argparse

from ...approvals.deciding import add_decision_options, decide, finish_decision_options, said_by, tell


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "approve",
        help="say yes to a call that waits",
        description="Say yes to a tool call that waits: it is made as it stands. `sostenuto approvals` shows "
        "what waits.",
    )
    add_decision_options(parser)
    parser.add_argument(
        "--for-rest",
        action="store_true",
        help="and to this tool for the rest of the run, where its approval grants that",
    )
    finish_decision_options(parser)
    parser.set_defaults(handler=_approve)


async def _approve(args: argparse.Namespace) -> int:
    decided = await decide(args, lambda run: run.approve(args.call, **said_by(args), for_rest=args.for_rest))
    and_later = ", and so are later calls of its tool" if args.for_rest else ""
    return tell(args, decided, "approve", f"approved{and_later}")
