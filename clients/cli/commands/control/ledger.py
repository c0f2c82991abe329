"""`sostenuto ledger`: shows and limits what many runs spend together."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from .....contracts.errors import SpecError
from ...approvals.deciding import login_name
from ...arguments.option_types import amounts, at_least_one
from ...ledger_lines import set_words, state_lines, top_up_words
from ...ledger_list import print_ledgers
from ...session import add_connection_options, connect_client
from ...terminal import answer, say

if TYPE_CHECKING:
    from .....contracts.wire.control.ledger import LedgerState

_WHAT = "A ledger is what many runs spend from together. The end of its name says when it begins anew: /hour, /day, \
/month, by UTC; any other name never."


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("ledger", help="show and limit what many runs spend together", description=_WHAT)
    commands = parser.add_subparsers(title="commands", dest="subcommand", metavar="COMMAND", required=True)
    _add_ls(commands)
    _add_show(commands)
    _add_set(commands)
    _add_top_up(commands)


def _add_ls(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "ls",
        help="list ledgers",
        description="List ledgers by their names, each with the limit of which the least part is left.",
    )
    parser.add_argument("prefix", metavar="PREFIX", nargs="?", default="", help="only those whose names begin so")
    parser.add_argument("--limit", type=at_least_one, default=100, help="most to list (default: 100)")
    parser.add_argument("--json", action="store_true", help="print each as a line of JSON")
    add_connection_options(parser)
    parser.set_defaults(handler=_ls)


def _add_show(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "show",
        help="show one",
        description="Show what a ledger may spend, what is spent and held, what is left, and when it begins anew; "
        "who has most of it, who waits for more, and who changed it last.",
    )
    _add_name(parser)
    _finish(parser, _show)


def _add_set(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "set",
        help="say what one may spend",
        description="Say what a ledger may spend in each of its periods, from now on: all limits that it has. What it "
        "was topped up by in this period is taken back. It is made where it is not there. What waits for more goes on "
        "where that is enough.",
    )
    _add_name(parser)
    parser.add_argument("--usd", type=float, help="US dollars (default: not limited)")
    parser.add_argument("--tokens", type=int, help="tokens in and out (default: not limited)")
    parser.add_argument("--turns", type=int, help="model calls (default: not limited)")
    _add_said_by(parser)
    _finish(parser, _set)


def _add_top_up(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "top-up",
        help="allow one more in this period",
        description="Allow a ledger more than its limits in the period that it is in. What waits for that goes on.",
    )
    _add_name(parser)
    parser.add_argument(
        "amounts",
        type=amounts,
        metavar="AMOUNT",
        help="how much more: 0.50 for US dollars, or usd=0.50,tokens=20000,turns=5",
    )
    _add_said_by(parser)
    parser.add_argument(
        "--id", help="by which it is known again, among the last 100: sent twice it is taken once (default: a new one)"
    )
    _finish(parser, _top_up)


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="its name, such as tenant:acme/day")


def _add_said_by(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--by",
        default="",
        help="who says so (default: the login name; recorded as it is given, and checked by nothing)",
    )
    parser.add_argument("--note", default="", help="why")


def _finish(parser: argparse.ArgumentParser, handler: object) -> None:
    parser.add_argument("--json", action="store_true", help="print what it says of itself as JSON")
    add_connection_options(parser)
    parser.set_defaults(handler=handler)


async def _ls(args: argparse.Namespace) -> int:
    found = await (await connect_client(args)).ledgers.list(args.prefix, limit=args.limit)
    if args.json:
        for one in found:
            answer(one.model_dump_json())
    elif found:
        print_ledgers(found, datetime.now(UTC))
    else:
        what = (
            f"whose name begins with {args.prefix!r}"
            if args.prefix
            else "yet: the first run that spends from it makes it"
        )
        say(f"there is no ledger {what}")
    return 0


async def _show(args: argparse.Namespace) -> int:
    state = await (await connect_client(args)).ledgers.get(args.name)
    if args.json:
        answer(state.model_dump_json())
    else:
        for line in state_lines(state, datetime.now(UTC)):
            answer(line)
    return 0


async def _set(args: argparse.Namespace) -> int:
    ledgers = (await connect_client(args)).ledgers
    state = await ledgers.set(
        args.name, usd=args.usd, tokens=args.tokens, turns=args.turns, by=args.by or login_name(), note=args.note
    )
    return _tell(args, state, set_words(state))


async def _top_up(args: argparse.Namespace) -> int:
    if "seconds" in args.amounts:
        raise SpecError("seconds: a ledger limits usd, tokens and turns: give of those")
    ledgers = (await connect_client(args)).ledgers
    id_ = args.id or uuid4().hex
    state = await ledgers.top_up(args.name, **args.amounts, by=args.by or login_name(), note=args.note, id=id_)
    return _tell(args, state, top_up_words(state, id_, datetime.now(UTC)))


def _tell(args: argparse.Namespace, state: LedgerState, what: str) -> int:
    if args.json:
        answer(state.model_dump_json())
    else:
        say(f"the ledger {args.name} {what}")
    return 0
