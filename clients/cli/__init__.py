"""The command line.

Parses, dispatches and turns errors into one line; each command lives in its own module.

A command module exposes `register(subparsers)` and is imported for every command line, so at module level it must not
import the Temporal SDK, rich or anything of workers/. Its parser names an async `handler(args)` that returns the exit
status: `parser.set_defaults(handler=...)`.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from ...contracts.errors import SostenutoError, SpecError
from .arguments.hinting_parser import HintingParser
from .exit_status import FAILED, INTERRUPTED, USAGE
from .terminal import say

COMMANDS = (
    "demo",
    "dev",
    "setup.pull",
    "setup.new",
    "run",
    "chat",
    "watch",
    "ls",
    "top",
    "history.trace",
    "history.diff",
    "feedback.score",
    "control.approvals",
    "control.top_up",
    "control.ledger",
    "control.approve",
    "control.deny",
    "control.edit",
    "control.answer",
    "control.cancel",
    "worker",
    "history.export",
    "history.replay",
    "ingest",
    "search",
    "collections",
    "memory",
    "setup.search_attributes",
    "setup.vault_key",
    "setup.completion",
)
"""Modules of `commands`, in the order in which `--help` lists them."""

COMMAND_NAMES = tuple(module.rpartition(".")[2].replace("_", "-") for module in COMMANDS)
"""The commands, as they are typed."""


def build_parser() -> HintingParser:
    """Return the parser of every command."""
    parser = HintingParser(prog="sostenuto", description="AI agents on Temporal.")
    parser.add_argument("--version", action="store_true", help="print the version and leave")
    subparsers = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    for name in COMMANDS:
        import_module(f".commands.{name}", __package__).register(subparsers)
    return parser


def main() -> NoReturn:
    """Run this process's command line and end the process with its exit status."""
    try:
        # Until here, Ctrl-C ended the process at once.
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        status = execute(sys.argv[1:])
    except KeyboardInterrupt:  # while it still loads its modules
        status = INTERRUPTED
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stderr.flush()
    # The Temporal SDK's native threads now and then abort the interpreter while it shuts down, and the status is lost
    # (temporalio/sdk-python#300).
    os._exit(status)


def execute(argv: Sequence[str]) -> int:
    """Run one command line and return its exit status."""
    parser = build_parser()
    # What no command takes is told by the parser of the command, with what it does take.
    args, unknown = parser.parse_known_args(argv)
    if unknown:
        parser.of(args.command).of(getattr(args, "subcommand", None)).refuse(unknown)
    if args.version:
        from ... import __version__

        print(__version__)
        return 0
    if args.command is None:
        parser.print_help(sys.stderr)
        return USAGE
    try:
        status: int = asyncio.run(args.handler(args))
    except SpecError as error:
        return _fail(error, USAGE)
    except SostenutoError as error:
        return _fail(error, FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output left, as `head` does.
        return 0
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return _fail(SostenutoError(f"what is told cannot be written: {error.strerror}"), FAILED)
    return status


def _fail(error: SostenutoError, status: int) -> int:
    say(f"sostenuto: {error}")
    return status
