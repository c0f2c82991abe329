"""`sostenuto chat`: talks with a runnable on the terminal.

Answers go to stdout, all else to stderr.
"""

from __future__ import annotations

import argparse
import logging
from functools import partial

from ....contracts.memory.conversation import STRATEGIES, Memory
from ....contracts.wire.chats.chat import WhenBusy
from ..app_loader import load_app
from ..arguments.option_types import add_context_option, window
from ..chat.screen import Screen
from ..chat.talk import Talk
from ..chat.way_back import way_back
from ..chat.written_lines import WrittenLines
from ..terminal import left_as_found
from .worker import add_app_argument, add_serving_options, serving_client


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "chat",
        help="talk with a runnable",
        description="Talk with a runnable: each line is a message. Ctrl-C interrupts an answer, Ctrl-D leaves; the "
        "chat stays open, and --id comes back to it. Exit status as for `run`, of the last turn.",
    )
    add_app_argument(parser)
    parser.add_argument("name", metavar="NAME", help="which of the app's runnables")
    parser.add_argument("--id", help="name of the chat; with one that was used before, that chat goes on")
    parser.add_argument("--title", default="", help="what a new chat is called (default: its first message)")
    parser.add_argument(
        "--when-busy",
        choices=[*map(str, WhenBusy)],
        default=WhenBusy.QUEUE.value,
        metavar="|".join(WhenBusy),
        help="what becomes of a message that comes while a new chat answers another one (default: queue)",
    )
    parser.add_argument("--tenant", help="whom the chat is for")
    add_context_option(parser, "chat")
    parser.add_argument(
        "--window",
        type=window,
        metavar="TOKENS|PERCENT%",
        help="most tokens of a prompt of a new chat, or which part of the model's own window: 4000, or 80%%",
    )
    parser.add_argument(
        "--strategy",
        choices=STRATEGIES,
        action="append",
        help="what is done where a prompt of a new chat is longer; given again, one after the other",
    )
    parser.add_argument("--json", action="store_true", help="print each item of each turn as a line of JSON")
    add_serving_options(parser)
    parser.set_defaults(handler=_chat)


async def _chat(args: argparse.Namespace) -> int:
    app = load_app(args.app)
    runnable = app.runnable(args.name)
    screen = Screen()
    if not (args.json or screen.shows_words or screen.shows_foot):
        # That nobody sees tokens here is as it should be.
        logging.getLogger("sostenuto.clients.live").setLevel(logging.ERROR)
    async with serving_client(app, args, runnable) as (client, queue):
        chat = await client.chat(
            runnable,
            id=args.id,
            title=args.title,
            when_busy=args.when_busy,
            tenant=args.tenant,
            context=args.context,
            memory=_memory(args),
            task_queue=queue,
        )
        with left_as_found():
            talk = Talk(chat, runnable, screen, WrittenLines(), partial(way_back, args), as_json=args.json)
            if args.id is None:
                talk.tell_beginning()
            return await talk.hold()


def _memory(args: argparse.Namespace) -> Memory | None:
    """Return the memory that the options say; None where they say none."""
    said = {"window": args.window, "strategy": args.strategy}
    given = {name: value for name, value in said.items() if value is not None}
    return Memory(**given) if given else None
