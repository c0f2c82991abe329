"""`sostenuto completion`: prints what lets a shell complete."""

from __future__ import annotations

import argparse
from typing import Any

from ...terminal import answer

_DESCRIPTION = """\
Print a script by which a shell completes commands, options, choices, files and apps. It is read by:

  bash  eval "$(sostenuto completion bash)"        in ~/.bashrc
  zsh   eval "$(sostenuto completion zsh)"         in ~/.zshrc, after compinit
  fish  sostenuto completion fish | source         in ~/.config/fish/config.fish
"""


def register(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "completion",
        help="print a script that lets a shell complete",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=["bash", "zsh", "fish"], metavar="bash|zsh|fish", help="which shell")
    parser.set_defaults(handler=_completion)


async def _completion(args: argparse.Namespace) -> int:
    from ... import build_parser
    from ...completion.bash import bash_script
    from ...completion.fish import fish_script
    from ...completion.grammar import commands_of
    from ...completion.zsh import zsh_script

    write = {"bash": bash_script, "zsh": zsh_script, "fish": fish_script}[args.shell]
    answer(write(*commands_of(build_parser())), end="")
    return 0
