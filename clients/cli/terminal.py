"""The one door to the terminal: it shows texts, and obeys none of them.

Names, answers and errors may be anybody's, with escape codes that hide or forge what is shown.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, ConsoleRenderable
    from rich.segment import Segment

_ORDERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the direction of the text after them."""


def harmless(text: str) -> str:
    """Return a text that a terminal shows and does not obey."""
    return _ORDERS.sub("\N{REPLACEMENT CHARACTER}", text)


def open_console(*, stderr: bool = False, highlight: bool = True, width: int | None = None) -> Console:
    """Return a console that shows everything printed on it harmlessly.

    The text of a spinner has to be so already.
    """
    from rich.console import Console, RenderHook

    class Hook(RenderHook):
        def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
            return [_Harmless(renderable) for renderable in renderables]

    made = Console(stderr=stderr, highlight=highlight, width=width)
    made.push_render_hook(Hook())
    return made


def say(text: str) -> None:
    """Print a line of ours to standard error."""
    print(harmless(text), file=sys.stderr)


def answer(text: str) -> None:
    """Print what a program may read: to a terminal harmlessly, else as it is."""
    print(harmless(text) if sys.stdout.isatty() else text, flush=True)


class _Harmless:
    def __init__(self, renderable: ConsoleRenderable) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for segment in console.render(self._renderable, options):
            # What rich itself orders the terminal is of another kind than text.
            yield segment if segment.control else segment._replace(text=harmless(segment.text))
