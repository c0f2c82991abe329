"""Numbers that options take.

argparse tells the person what is wrong with one, and leaves.
"""

from __future__ import annotations

from argparse import ArgumentTypeError

_LAST_PORT = 65535


def port(text: str) -> int:
    """Return the port that an option names; 0 for a free one.

    Raises:
        ArgumentTypeError: It is not a port.
    """
    if text.isdecimal() and int(text) <= _LAST_PORT:
        return int(text)
    raise ArgumentTypeError(f"{text!r} is not a port: give a number from 0 to {_LAST_PORT}")


def at_least_one(text: str) -> int:
    """Return the count that an option names, at least 1.

    Raises:
        ArgumentTypeError: It is not a whole number, or is less than 1.
    """
    if text.isdecimal() and int(text) >= 1:
        return int(text)
    raise ArgumentTypeError(f"{text!r} is not a number of at least 1")
