"""`sostenuto memory`: shows what agents remember of a scope, and deletes it."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Final

from ....contracts.memory.long_term import MAX_MEMORY_CHARS
from ....contracts.text import one_line, plural
from ....contracts.wire.memory.record import shown_id
from ..arguments.option_types import at_least_one
from ..exit_status import FAILED
from ..session import add_connection_options, connect_client
from ..terminal import answer, answer_hanging, harmless, say

if TYPE_CHECKING:
    from ....contracts.wire.memory.calls import RecalledMemory
    from ....contracts.wire.memory.record import MemoryRecord
    from ...memory.left import ForgottenMemories

_CHARS: Final = 200
"""So much of a text is shown on a terminal; elsewhere it is whole."""
_KIND_CHARS: Final = 10
_UNTIL_DELETED: Final = "while it is under way, and after its end for as long as the namespace keeps histories"


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "memory",
        help="show and delete what agents remember",
        description="What agents remember beyond a conversation stands in a scope, such as user:anna, beside the "
        "documents of a collection.",
    )
    commands = parser.add_subparsers(title="commands", dest="subcommand", metavar="COMMAND", required=True)
    _add_list(commands)
    _add_search(commands)
    _add_forget(commands)


def _add_list(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "list", help="list memories", description="List the memories of a scope, those that were said last first."
    )
    _add_place(parser)
    parser.add_argument("--superseded", action="store_true", help="those, too, whose place another one took")
    parser.add_argument("--limit", type=at_least_one, default=1_000, metavar="N", help="most memories (default: 1000)")
    _finish(parser, _list, "print each as a line of JSON")


def _add_search(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "search",
        help="look for memories",
        description="Look for memories as an agent does: by how well they fit, how recent and how important they are.",
    )
    _add_place(parser)
    parser.add_argument("query", metavar="QUERY", help="what to look for")
    parser.add_argument("--limit", type=at_least_one, default=8, metavar="N", help="most memories (default: 8)")
    _finish(parser, _search, "print each as a line of JSON")


def _add_forget(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "forget",
        help="delete memories for good",
        description="Delete memories for good, with those whose place they took, and say which histories still have "
        "what was said, and until when. Without --id all of the scope is deleted, with --yes.",
    )
    _add_place(parser)
    parser.add_argument("--id", action="append", default=[], metavar="ID", help="only this one; may be repeated")
    parser.add_argument("--yes", action="store_true", help="do not ask, where all of the scope is deleted")
    _finish(parser, _forget, "print what was deleted as JSON")


def _add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("collection", metavar="COLLECTION", help="its name in the app")
    parser.add_argument("--scope", required=True, help="whose memories, such as user:anna")


def _finish(parser: argparse.ArgumentParser, handler: object, json: str) -> None:
    parser.add_argument("--json", action="store_true", help=json)
    parser.add_argument("--task-queue", help="where the workers listen")
    add_connection_options(parser)
    parser.set_defaults(handler=handler)


async def _list(args: argparse.Namespace) -> int:
    memory = (await connect_client(args)).memory(args.collection, args.scope)
    found = await memory.list(superseded=args.superseded, limit=args.limit)
    for one in found:
        _print(one, _told(one), as_json=args.json)
    if not found and not args.json:
        say(_nothing(args))
    return 0


async def _search(args: argparse.Namespace) -> int:
    memory = (await connect_client(args)).memory(args.collection, args.scope)
    found = await memory.recall(args.query, limit=args.limit)
    for one in found:
        _print(one, _recalled(one), as_json=args.json)
    if not found and not args.json:
        say(_nothing(args))
    return 0


async def _forget(args: argparse.Namespace) -> int:
    if not args.id and not args.yes:
        say(f"this deletes all that is remembered of {args.scope!r} in {args.collection!r}: say --yes")
        return FAILED
    memory = (await connect_client(args)).memory(args.collection, args.scope)
    gone = await memory.forget(*args.id, everything=not args.id)
    if args.json:
        answer(gone.model_dump_json())
    else:
        for line in _gone(gone) if gone.deleted or gone.left or gone.unknown else (_nothing(args),):
            say(line)
    return 0 if not gone.unknown and not gone.left else FAILED


def _nothing(args: argparse.Namespace) -> str:
    return f"nothing is remembered of {args.scope} in {args.collection}"


def _print(one: MemoryRecord | RecalledMemory, told: str, *, as_json: bool) -> None:
    if as_json:
        answer(one.model_dump_json())
    else:
        answer_hanging(told, told.index(one.kind) + _KIND_CHARS + 2)


def _told(one: MemoryRecord) -> str:
    said = f"{one.confirmed:%Y-%m-%d}"
    by = f"  by {one.source.run_id}" if one.source.run_id else ""
    past = f"  replaced {one.superseded_at:%Y-%m-%d} by {shown_id(one.superseded_by)}" if one.superseded_at else ""
    return harmless(f"{shown_id(one.id)}  {said}  {one.kind:<{_KIND_CHARS}}  {_text(one.text)}{by}{past}")


def _recalled(one: RecalledMemory) -> str:
    told = f"{one.score:.3f}  {one.at:%Y-%m-%d}  {one.kind:<{_KIND_CHARS}}  {_text(one.text)}"
    return harmless(f"{shown_id(one.id)}  {told}")


def _text(text: str) -> str:
    return one_line(text, _CHARS if sys.stdout.isatty() else MAX_MEMORY_CHARS)


def _gone(gone: ForgottenMemories) -> list[str]:
    deleted = f"{plural(gone.deleted, 'memory', 'memories')} deleted, {gone.left:,} left of them"
    lines = [deleted] if gone.deleted or gone.left else []
    lines += [f"there is no memory {one} in this scope" for one in gone.unknown]
    for history in gone.histories if gone.deleted else ():
        until = f"until {history.until:%Y-%m-%d %H:%M} UTC" if history.until else _UNTIL_DELETED
        lines.append(f"the history of {history.workflow_id} has what was said {until}")
    if gone.more_runs:
        lines.append(f"and those of {plural(gone.more_runs, 'more run')}")
    if gone.problem:
        lines.append(f"which histories still have what was said cannot be told: {gone.problem}")
        lines += [f"run {run} said it" for run in gone.runs]
    if gone.deleted:
        lines.append("a chat or run under way that was told it before still knows it")
    return [harmless(line) for line in lines]
