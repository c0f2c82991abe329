"""Makes JSON readable that a reader would refuse as a whole for one value in it.

A message that cannot be read answers nobody: its request would wait for ever.
"""

from __future__ import annotations

import re
from typing import Final

from pydantic_core import from_json

_DEEPEST: Final = 150
"""Levels that are kept of a message. More than any schema may have, and fewer than the SDK's reader takes."""
_TOO_DEEP: Final = '"(nested too deeply to be read)"'

_TOKEN: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]|-?\d{1000,}', re.DOTALL)
_ESCAPE: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u([dD][89a-fA-F])[0-9a-fA-F]{2}|\\.", re.DOTALL
)
_SUSPECT: Final = re.compile(rb"\\u[dD][89a-fA-F]|[\x80-\xff]|\d{1000}")


def readable_json(written: bytes) -> bytes:
    """Return the same JSON, with a substitute for each value that no reader takes.

    That is half of a pair of surrogates, bytes that are not UTF-8, what is nested too deeply, and endless numbers.
    What is not JSON stays as it is.
    """
    brackets = written.count(b"[") + written.count(b"{")
    if (brackets <= _DEEPEST and not _SUSPECT.search(written)) or _is_read(written):
        return written
    return _mended(written.decode(errors="replace")).encode()


def _is_read(written: bytes) -> bool:
    try:
        from_json(written)
    except ValueError:
        return False
    return True


def _mended(text: str) -> str:
    parts: list[str] = []
    kept, depth = 0, 0
    for token in _TOKEN.finditer(text):
        said = token[0]
        if said in "[{":
            depth += 1
            if depth == _DEEPEST + 1:
                parts.append(text[kept : token.start()])
                kept = len(text)  # nothing is kept until it closes
        elif said in "]}":
            if depth == _DEEPEST + 1:
                parts.append(_TOO_DEEP)
                kept = token.end()
            depth -= 1
        elif depth <= _DEEPEST:
            parts += (text[kept : token.start()], _whole(said) if said[0] == '"' else "null")
            kept = token.end()
    return "".join([*parts, text[kept:]])


def _whole(string: str) -> str:
    """Return a string of JSON in which each half of a pair of surrogates is replaced."""
    return _ESCAPE.sub(lambda escape: "\\ufffd" if escape[1] else escape[0], string)
