"""Tells how to come back to a chat."""

from __future__ import annotations

import argparse
import shlex


def way_back(args: argparse.Namespace, chat_id: str) -> str:
    """Return the command that goes on with a chat.

    Args:
        args: The options of the command that was given.
        chat_id: Id of the chat.
    """
    words = ["sostenuto", "chat", args.app, args.name, "--id", chat_id]
    for option in ("tenant", "task_queue", "address", "namespace"):
        if value := getattr(args, option):
            words += [f"--{option.replace('_', '-')}", value]
    words += ["--no-worker"] if args.no_worker else []
    return shlex.join(words)
