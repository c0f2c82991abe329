"""`sostenuto answer`: answers a question, or says what a call comes to."""

from __future__ import annotations

import argparse

from ...approvals.deciding import add_decision_options, decide, finish_decision_options, said_by, tell


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "answer",
        help="answer a question that waits, or say what a call comes to",
        description="Answer a question that waits, or say what a tool call that waits comes to: nothing runs, and the "
        "model is told the answer.",
    )
    add_decision_options(parser)
    parser.add_argument("answer", metavar="ANSWER", help="what the model is told")
    finish_decision_options(parser)
    parser.set_defaults(handler=_answer)


async def _answer(args: argparse.Namespace) -> int:
    decided = await decide(args, lambda run: run.answer(args.call, args.answer, **said_by(args)))
    return tell(args, decided, "answer", "answered")
