"""`sostenuto top-up`: allows a budget more than it says."""

from __future__ import annotations

import argparse
import json

from .....contracts.wire.control.budget_event import told_amounts
from ...approvals.deciding import login_name
from ...arguments.option_types import amounts
from ...hindrances import telling_hindrances
from ...session import add_connection_options, connect_client
from ...terminal import answer, say


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "top-up",
        help="allow a budget more",
        description="Allow the budget of a run more than it says. What waits for that goes on with the same step; "
        "where nothing waits, the run has more from now on. `sostenuto approvals` shows what waits.",
    )
    parser.add_argument("run", metavar="RUN", help="name of the run or the chat, or of one nested in it")
    parser.add_argument(
        "amounts",
        type=amounts,
        metavar="AMOUNT",
        help="how much more: 0.50 for US dollars, or usd=0.50,tokens=20000,turns=5,seconds=600",
    )
    parser.add_argument(
        "--by",
        default="",
        help="who allows it (default: the login name; recorded as it is given, and checked by nothing)",
    )
    parser.add_argument("--note", default="", help="why")
    parser.add_argument("--path", help="place of the budget, where several in the run wait")
    parser.add_argument("--id", help="by which it is known again: sent twice it is taken once (default: a new one)")
    parser.add_argument("--json", action="store_true", help="print what came of it as JSON")
    add_connection_options(parser)
    parser.set_defaults(handler=_top_up)


async def _top_up(args: argparse.Namespace) -> int:
    run = await (await connect_client(args)).get(args.run)
    async with telling_hindrances(run, say):
        came = await run.top_up(**args.amounts, by=args.by or login_name(), note=args.note, path=args.path, id=args.id)
    if args.json:
        # Also what is as by default.
        answer(json.dumps({"id": args.run, "by": args.by or login_name(), **args.amounts, **dict(came)}))
    else:
        still = f", and it is not enough yet: {came.still}" if came.still else ""
        say(f"the budget at {came.path} of {args.run} is topped up by {told_amounts(**args.amounts)}{still}")
    return 0
