"""Dense vectors as text: float32 numbers in base64.

JSON carries those, and both engines are given lists.
"""

from __future__ import annotations

import base64
import sys
from array import array
from collections.abc import Iterable


def vector_text(numbers: Iterable[float]) -> str:
    """Return numbers as text."""
    packed = array("f", numbers)
    if sys.byteorder == "big":
        packed.byteswap()
    return base64.b64encode(packed.tobytes()).decode("ascii")


def floats(text: str) -> list[float]:
    """Return the numbers of a text.

    Raises:
        ValueError: It is no such text.
    """
    packed = array("f")
    packed.frombytes(base64.b64decode(text, validate=True))
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tolist()


def length_of(text: str) -> int:
    """Return how many numbers a text has."""
    return len(base64.b64decode(text)) // array("f").itemsize
