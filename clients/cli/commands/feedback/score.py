"""`sostenuto score`: stores what somebody says of a run."""

from __future__ import annotations

import argparse

from ...session import add_connection_options, connect_client
from ...terminal import answer, say

_WORDS = {"true": True, "false": False}


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "score",
        help="say how good a run was",
        description="Store a score of a run, under way or over, or of a turn of a chat. Its workers send it to "
        "Langfuse, LangSmith and Phoenix, where SOSTENUTO_TELEMETRY names them. The same person's score of the same "
        "name takes the place of the one before. `sostenuto trace ID` shows them.",
    )
    parser.add_argument("id", metavar="ID", help="name of the run or the chat")
    parser.add_argument("name", metavar="NAME", help="what is judged, such as helpful")
    parser.add_argument("value", metavar="VALUE", help="a number, true or false, or a label")
    parser.add_argument("--comment", default="", help="why")
    parser.add_argument("--by", default="", help="whose opinion it is")
    parser.add_argument(
        "--turn", metavar="MESSAGE", help="of a chat, which turn, by the id of its message (default: the last)"
    )
    parser.add_argument(
        "--task-queue", help="where the workers listen that send it (default: where those of the run do)"
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    add_connection_options(parser)
    parser.set_defaults(handler=_score)


async def _score(args: argparse.Namespace) -> int:
    from ...trace.lines import score_line

    run = await (await connect_client(args)).get(args.id)
    score = await run.score(
        args.name,
        _value(args.value),
        comment=args.comment,
        by=args.by,
        turn=args.turn,
        task_queue=args.task_queue,
    )
    if args.json:
        answer(score.model_dump_json())
    else:
        say(f"{args.id} {score_line(score)}")
    return 0


def _value(text: str) -> float | str:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        return float(text)
    except ValueError:
        return text
