"""What the commands that bring up the embedded stack have in common.

Loads workers/ only when used.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ....contracts.errors import SetupError
from .option_types import port

if TYPE_CHECKING:
    from ....workers.settings import Settings
    from ....workers.stack.stack import StackOptions

# The defaults of workers.stack.temporal_server, which a command line that needs no stack does not load.
DEFAULT_PORT = 7233
DEFAULT_UI_PORT = 8233


def add_state_dir(parser: argparse.ArgumentParser) -> None:
    """Add the option that says where state is kept."""
    parser.add_argument(
        "--state-dir", type=Path, metavar="DIR", help="where state is kept (SOSTENUTO_STATE_DIR, else .sostenuto)"
    )


def add_stack_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the embedded stack."""
    add_state_dir(parser)
    parser.add_argument(
        "--port", type=port, help=f"port of the Temporal server, 0 for a free one (default {DEFAULT_PORT})"
    )
    parser.add_argument(
        "--ui-port", type=port, help=f"port of the Temporal UI, 0 for a free one (default {DEFAULT_UI_PORT})"
    )


def load_settings(args: argparse.Namespace) -> Settings:
    """Return the settings, with what the command line says instead."""
    from ....workers.settings import Settings

    settings = Settings.load()
    return settings.model_copy(update={"state_dir": args.state_dir.expanduser()}) if args.state_dir else settings


def stack_options(args: argparse.Namespace, settings: Settings, *, workers: bool) -> StackOptions:
    """Return the stack to start.

    The local model is in it where its weights are, and nobody wants to do without.

    Args:
        args: The options of the command.
        settings: With what they say.
        workers: Whether workers are to be in it.

    Raises:
        SetupError: Something is not installed, or there are no weights, and no key either.
    """
    from ....workers.stack.installed import check_stack_installed
    from ....workers.stack.stack import StackOptions
    from ....workers.stack.weights import Weights

    pulled = not getattr(args, "no_model", False)
    has_others = bool(settings.anthropic_api_key or settings.openai_api_key or settings.providers or settings.script)
    check_stack_installed(model=pulled and not has_others, workers=workers)
    try:
        if pulled:
            Weights.find(settings.state_dir, local_model=settings.local_model)
    except SetupError:
        if not has_others:
            raise
        pulled = False
    return StackOptions(
        state_dir=settings.state_dir,
        port=DEFAULT_PORT if args.port is None else args.port,
        ui_port=DEFAULT_UI_PORT if args.ui_port is None else args.ui_port,
        local_model=pulled,
        model_file=settings.local_model,
        metrics=settings.metrics,
    )


@contextmanager
def stopping_in_order() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and a closed terminal cancel the block.

    So it can clean up.

    Raises:
        KeyboardInterrupt: The block was cancelled.
    """
    loop, block = asyncio.get_running_loop(), asyncio.current_task()
    # SIGINT too: a command in the background of a script is started with it ignored, and asyncio leaves it so.
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, block.cancel if block else loop.stop)
    try:
        yield
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
