"""The one door to the terminal: it shows texts, and obeys none of them.

Names, answers and errors may be anybody's, with escape codes that hide or forge what is shown.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, ConsoleRenderable
    from rich.segment import Segment
    from rich.text import Text

_ORDERS = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
"""Control characters, and those that turn the direction of the text after them."""
_HIDDEN = (
    r"[\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
    r"|(?<=[\ufe00-\ufe0f\U000e0100-\U000e01ef])[\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
"""What is drawn as nothing, and may be a text of its own: not what joins emoji or letters, nor the first sign that says
how the one before it is drawn."""
_FLAGS = "|".join("".join(chr(0xE0000 + ord(sign)) for sign in of) for of in ("gbeng", "gbsct", "gbwls"))
_HARMFUL = re.compile(f"(\U0001f3f4(?:{_FLAGS})\U000e007f)|{_ORDERS}|{_HIDDEN}")
"""Behind the flags that are written with such signs."""
_BEFORE_STEP = " ▕░█▏"
"""What stands before a step: spaces, and where it is in time."""
_PLAIN_PASTE = "\x1b[?2004l"
"""Tells a terminal to send what is pasted as if it was typed: a line that is edited has it do otherwise."""
_SCREEN_ON = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"
"""Takes the other screen, hides the cursor, and cuts lines where the terminal thinks them longer than we do."""
_SCREEN_OFF = "\x1b[?7h\x1b[?25h\x1b[?1049l"


def harmless(text: str) -> str:
    """Return a text that a terminal shows and does not obey, with `�` for what hides."""
    return _HARMFUL.sub(lambda found: found[1] or "\N{REPLACEMENT CHARACTER}", text)


def open_console(*, stderr: bool = False, highlight: bool = True, width: int | None = None) -> Console:
    """Return a console that shows everything printed on it harmlessly.

    The text of a spinner has to be so already.
    """
    from rich.console import Console, RenderHook

    class Hook(RenderHook):
        def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
            return [_Harmless(renderable) for renderable in renderables]

    class Ours(Console):
        def on_broken_pipe(self) -> None:
            self.quiet = True
            # What is said beside an answer may find nobody who reads it: the work goes on.
            if not stderr:
                raise BrokenPipeError

    # What somebody wrote as `:key:` is no picture.
    made = Ours(stderr=stderr, highlight=highlight, width=width, emoji=False)
    made.push_render_hook(Hook())
    return made


def say(text: str) -> None:
    """Print a line of ours to standard error, where somebody reads it."""
    with suppress(BrokenPipeError):
        print(harmless(text), file=sys.stderr)


def answer(text: str, *, end: str = "\n") -> None:
    """Print what a program may read: to a terminal harmlessly, else as it is."""
    print(harmless(text) if sys.stdout.isatty() else text, end=end, flush=True)


def answer_hanging(text: str, indent: int) -> None:
    """Print a line that a program may read: to a terminal as `hanging` does."""
    answer(hanging(harmless(text), open_console(), indent) if sys.stdout.isatty() else text)


def hanging(text: str, console: Console, indent: int) -> str:
    """Return a line in lines that a terminal has room for, broken between words.

    Where the console is none, as it is.

    Args:
        text: The line, harmless.
        console: What it is to be printed on.
        indent: How far those after the first are indented.
    """
    if not console.is_terminal:
        return text
    from rich.text import Text

    indent = min(indent, console.width // 2)
    lines = Text(text[indent:]).wrap(console, console.width - indent)
    return text[:indent] + f"\n{' ' * indent}".join(line.plain.rstrip() for line in lines)


def step_hanging(text: str, console: Console) -> str:
    """Return lines of steps as `hanging` does, indented to what is behind the mark."""
    return "\n".join(hanging(one, console, len(one) - len(one.lstrip(_BEFORE_STEP)) + 2) for one in text.split("\n"))


def ask_line(prompt: str) -> str:
    """Return what a person writes, with line editing where there is any.

    It is a line, or the several that were pasted at once.

    Raises:
        EOFError: There are no more.
        UnicodeError: What was written is not in UTF-8.
    """
    if sys.stdout.isatty():
        with suppress(ImportError):
            import_module("readline").parse_and_bind(f"set enable-bracketed-paste {'off' if _is_dumb() else 'on'}")
        return input(prompt)
    # What a program may read is to have no prompts in it.
    print(prompt, end="", file=sys.stderr, flush=True)
    line = sys.stdin.buffer.readline()
    if not line:
        raise EOFError
    return line.decode()


def is_typed() -> bool:
    """Return whether a person writes what comes on standard input."""
    return sys.stdin is not None and sys.stdin.isatty()


@contextmanager
def left_as_found() -> Iterator[None]:
    """Put the terminal back as it was at the end of the block.

    It may end while somebody edits a line.
    """
    try:
        import termios
    except ImportError:
        yield
        return
    mode = termios.tcgetattr(sys.stdin) if is_typed() else None
    try:
        yield
    finally:
        if mode is not None:
            with suppress(termios.error):
                termios.tcsetattr(sys.stdin, termios.TCSADRAIN, mode)
            if sys.stdout.isatty() and not _is_dumb():
                print(_PLAIN_PASTE, end="", flush=True)


def _is_dumb() -> bool:
    return os.environ.get("TERM", "dumb") == "dumb"


def has_screen() -> bool:
    """Return whether standard output is a terminal that can show a screen."""
    return sys.stdout.isatty() and not _is_dumb()


class FullScreen:
    """The whole terminal, while its block lasts.

    What it showed before comes back at the end, whatever that is. Keys come as they are pressed and are not shown.
    """

    def __init__(self) -> None:
        self._console = open_console(highlight=False)
        self._mode: list[Any] | None = None

    def __enter__(self) -> FullScreen:
        self.take()
        return self

    def __exit__(self, *_: object) -> None:
        self.give_back()

    @property
    def size(self) -> tuple[int, int]:
        """How many columns and lines it has now."""
        return self._console.size.width, self._console.size.height

    def take(self) -> None:
        """Show the screen, in place of what is there."""
        with suppress(ImportError):
            import termios
            import tty

            if is_typed():
                self._mode = termios.tcgetattr(sys.stdin)
                tty.setcbreak(sys.stdin, termios.TCSANOW)
        print(_SCREEN_ON, end="", flush=True)

    def give_back(self) -> None:
        """Show what was there before."""
        # The terminal may be gone.
        with suppress(OSError):
            print(_SCREEN_OFF, end="", flush=True)
        with suppress(ImportError):
            import termios

            if self._mode is not None:
                with suppress(termios.error):
                    termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._mode)
                self._mode = None

    def show(self, lines: Sequence[Text]) -> None:
        """Show lines from the top, and nothing beneath them."""
        from rich.control import Control
        from rich.screen import Screen
        from rich.text import Text

        self._console.control(Control.home())
        self._console.print(Screen(Text("\n").join(lines[: self.size[1]])), end="")


class _Harmless:
    def __init__(self, renderable: ConsoleRenderable) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for segment in console.render(self._renderable, options):
            # What rich itself orders the terminal is of another kind than text.
            yield segment if segment.control else segment._replace(text=harmless(segment.text))
