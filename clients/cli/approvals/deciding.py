"""What the commands that decide on a call have in common."""

from __future__ import annotations

import argparse
import getpass
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from ....contracts.text import plural
from ..hindrances import telling_hindrances
from ..session import add_connection_options, connect_client
from ..terminal import answer, say

if TYPE_CHECKING:
    from ....contracts.wire.control.decision import Decided
    from ...run import Run

_NOT_CHECKED = "default: the login name; recorded as it is given, and checked by nothing"


def add_decision_options(parser: argparse.ArgumentParser) -> None:
    """Add what says which call is decided, by whom and why."""
    parser.add_argument("run", metavar="RUN", help="name of the run or the chat, or of one nested in it")
    parser.add_argument("call", metavar="CALL", help="id of the call, as `sostenuto approvals` shows it")
    parser.add_argument("--by", default="", help=f"who decides ({_NOT_CHECKED})")
    parser.add_argument("--note", default="", help="why; of a no the model is told it")
    parser.add_argument(
        "--hash",
        default="",
        help="of the call that was looked at, or its first 8 characters or more: another is refused",
    )
    parser.add_argument("--path", help="place of the call, where several in the run have that id")


def finish_decision_options(parser: argparse.ArgumentParser) -> None:
    """Add what every command has that decides, behind its own."""
    parser.add_argument("--json", action="store_true", help="print what came of it as JSON")
    add_connection_options(parser)


async def decide(args: argparse.Namespace, send: Callable[[Run], Awaitable[Decided]]) -> Decided:
    """Send a decision and return what came of it; say meanwhile what holds it up.

    Args:
        args: Of the command, which name the run or the chat.
        send: Sends it.
    """
    run = await (await connect_client(args)).get(args.run)
    async with telling_hindrances(run, say):
        return await send(run)


def said_by(args: argparse.Namespace) -> dict[str, str]:
    """Return who decides and why, as the methods of a run take it."""
    return {"by": args.by or login_name(), "note": args.note, "hash": args.hash, "path": args.path}


def login_name() -> str:
    """Return whose terminal this is, as the machine says."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "somebody"


def tell(args: argparse.Namespace, decided: Decided, kind: str, what: str) -> int:
    """Say what came of a decision; return the exit status.

    Args:
        args: Of the command.
        decided: What came of it.
        kind: What was said of the call, such as `approve`.
        what: What the call is now, in words.
    """
    if args.json:
        # Also what is as by default.
        told = {"id": args.run, "call_id": args.call, "decision": kind, "by": said_by(args)["by"]}
        answer(json.dumps({**told, **dict(decided)}))
    else:
        say(f"{args.call} of {args.run} is {what}{missing_words(decided)}")
    return 0


def missing_words(decided: Decided) -> str:
    """Return how many have to say yes yet; nothing where none has to."""
    return f"; {plural(decided.missing, 'more decider')} needed" if decided.missing else ""
