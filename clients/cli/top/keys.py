"""What keys somebody pressed, by what the terminal sends. Does no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

_NAMED: Final[Mapping[str, str]] = {
    **{
        f"{start}{letter}": name
        for start in ("\x1b[", "\x1bO")
        for letter, name in zip("ABCD", ("up", "down", "right", "left"), strict=True)
    },
    **{f"\x1b{end}": "home" for end in ("[H", "OH", "[1~", "[7~")},
    **{f"\x1b{end}": "end" for end in ("[F", "OF", "[4~", "[8~")},
    "\x1b[5~": "page-up",
    "\x1b[6~": "page-down",
    "\x1b": "escape",
    "\r": "enter",
    "\n": "enter",
    "\x03": "q",
    "\x06": "page-down",
    "\x02": "page-up",
}
_KEY: Final = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1bO.|\x1b|.", re.DOTALL)


def read_keys(sent: str) -> Iterator[str]:
    """Yield what keys a terminal sent, by name or as the character they write."""
    for found in _KEY.findall(sent):
        if name := _NAMED.get(found):
            yield name
        elif len(found) == 1 and found.isprintable():
            yield found
