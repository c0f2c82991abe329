"""Where a chat is shown: answers on stdout, all else on stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ..terminal import answer, harmless, open_console, step_hanging

if TYPE_CHECKING:
    from rich.status import Status as Foot


class Screen:
    """One terminal, or two pipes.

    Keeps lines apart: what is said never begins in the middle of an answer, and the foot is only there while no line is
    begun.
    """

    def __init__(self) -> None:
        self._console = open_console(stderr=True)
        self._foot: Foot | None = None
        self._is_begun = False
        self.shows_words = sys.stdout.isatty()
        """Whether an answer may be shown before it is whole, and be taken back."""
        self.shows_foot = self._console.is_terminal
        """Whether there is a foot, which has what is said beside the answer."""

    def write(self, text: str) -> None:
        """Show more of an answer."""
        if text:
            self.clear_foot()
            answer(text, end="")
            self._is_begun = not text.endswith("\n")

    def end_line(self) -> None:
        """End the line of an answer, where one is begun."""
        if self._is_begun:
            self._is_begun = False
            answer("")

    def answer(self, text: str) -> None:
        """Show something whole that a program may read."""
        self.clear_foot()
        self.end_line()
        answer(text)

    def say(self, text: str, *, style: str = "") -> None:
        """Say something that is no answer."""
        if self.shows_foot:
            self.end_line()
        shown = step_hanging(harmless(text), self._console)
        self._console.print(shown, highlight=False, markup=False, soft_wrap=True, style=style)

    def aside(self, text: str) -> None:
        """Say something that matters less."""
        self.say(text, style="dim")

    def set_foot(self, text: str) -> None:
        """Show what is waited for, in the markup of rich, while no line is begun."""
        if not self.shows_foot or self._is_begun:
            return
        if self._foot is None:
            self._foot = self._console.status(text)
            self._foot.start()
        self._foot.update(text)

    def clear_foot(self) -> None:
        """Take the foot away."""
        if self._foot:
            self._foot.stop()
            self._foot = None
