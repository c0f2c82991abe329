"""A parser that says what may have been meant."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import NoReturn

_CHOICE = re.compile(r"argument COMMAND: invalid choice: '(.*?)' \(choose from ")

_MISSING = "the following arguments are required: COMMAND"


class HintingParser(argparse.ArgumentParser):
    """Parses as argparse does, and asks whether another word was meant."""

    def of(self, command: str | None) -> HintingParser:
        """Return the parser of a command; itself where there is none."""
        found = self._commands().get(command or "")
        return found if isinstance(found, HintingParser) else self

    def refuse(self, unknown: Sequence[str]) -> NoReturn:
        """Say which words are not known, and end the process."""
        self.error(f"unrecognized arguments: {' '.join(unknown)}{''.join(self._hints(unknown))}")

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end the process."""
        if mistaken := _CHOICE.match(message):
            commands = list(self._commands())
            message = f"there is no command {mistaken[1]!r}{_hint(mistaken[1], commands) or '; see --help'}"
        elif message.endswith(_MISSING):
            *others, last = self._commands()
            message = f"say which command: {', '.join(others)} or {last}; see --help"
        super().error(message)

    def _hints(self, unknown: Iterable[str]) -> Iterator[str]:
        for word in unknown:
            if word.startswith("--"):
                yield _hint(word.partition("=")[0], list(self._option_string_actions))

    def _commands(self) -> dict[str, argparse.ArgumentParser]:
        found = (action for action in self._actions if isinstance(action, argparse._SubParsersAction))  # noqa: SLF001
        return {name: parser for action in found for name, parser in action.choices.items()}


def _hint(word: str, known: Sequence[str]) -> str:
    close = get_close_matches(word, known, n=1)
    return f": did you mean {close[0]}?" if close else ""
