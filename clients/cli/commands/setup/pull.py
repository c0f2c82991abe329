"""`sostenuto pull`: fetches the local model and the local embedder, once."""

from __future__ import annotations

import argparse
from typing import Any

from ...arguments.stack_arguments import add_state_dir, load_settings
from ...terminal import open_console


def register(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("pull", help="fetch the local model, once", description=__doc__)
    add_state_dir(parser)
    parser.set_defaults(handler=_pull)


async def _pull(args: argparse.Namespace) -> int:

    from .....workers.stack.installed import check_weights_needed
    from .....workers.stack.weights import pull

    check_weights_needed()
    settings = load_settings(args)
    console = open_console(highlight=False)
    with console.status("pulling") as status:

        def show(line: str) -> None:
            # Where nobody looks on, in a log, how far a download has come is noise.
            if line.endswith("so far"):
                status.update(line)
            else:
                console.print(line, markup=False)

        weights = await pull(settings.state_dir, show, local_model=settings.local_model)
    console.print(f"the local model is {weights.model}", markup=False)
    return 0
