"""`sostenuto approvals`: lists the calls that wait for a person."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from ...approvals.shown import lines_of, top_up_lines
from ...arguments.option_types import at_least_one
from ...session import add_connection_options, connect_client
from ...terminal import answer, say

if TYPE_CHECKING:
    from .....contracts.wire.control.approval_event import PendingApproval
    from .....contracts.wire.control.top_up import PendingTopUp
    from ....client import Client

    _Waiting: TypeAlias = tuple[Sequence[PendingApproval], Sequence[PendingTopUp]]


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "approvals",
        help="list the calls that wait for a person",
        description="List the tool calls that wait for a person, and the questions, the oldest first, then the "
        "budgets that wait for a top-up: of a run or a chat with all that is nested in it, or of all of them. No "
        "worker is needed for it.",
    )
    parser.add_argument("id", metavar="ID", nargs="?", help="name of a run or a chat (default: all)")
    parser.add_argument("--group", help="only those for which the yes of this group is wanted")
    parser.add_argument(
        "--query", help="of all of them, a Temporal visibility query, such as \"SostenutoTenant = 'acme'\""
    )
    parser.add_argument("--limit", type=at_least_one, default=100, help="most runs to look into (default: 100)")
    parser.add_argument("--json", action="store_true", help="print each as a line of JSON")
    add_connection_options(parser)
    parser.set_defaults(handler=_approvals)


async def _approvals(args: argparse.Namespace) -> int:
    client = await connect_client(args)
    calls, budgets = await (_of_one(client, args) if args.id else _of_all(client, args))
    # Whose yes is wanted is said of calls alone.
    budgets = () if args.group else budgets
    for call in calls:
        answer(call.model_dump_json() if args.json else "\n".join(lines_of(call)))
    for budget in budgets:
        answer(budget.model_dump_json() if args.json else "\n".join(top_up_lines(budget)))
    if not (calls or budgets or args.json):
        say(f"nothing waits for a person{f' in {args.id}' if args.id else ''}")
    return 0


async def _of_one(client: Client, args: argparse.Namespace) -> _Waiting:
    run = await client.get(args.id)
    calls = [call for call in await run.approvals() if args.group in (None, call.group)]
    return calls, await run.top_ups()


async def _of_all(client: Client, args: argparse.Namespace) -> _Waiting:
    calls = await client.approvals(args.query, group=args.group, limit=args.limit)
    return calls, await client.top_ups(args.query, limit=args.limit)
