"""How long a detector takes for long texts."""

from __future__ import annotations

import time
from collections.abc import Callable

_CHARS = 40_000


def takes_no_longer_than_its_length(detect: Callable[[str], object], part: str, most: int = 60) -> bool:
    """Whether ten times a text takes some more than ten times as long, and not a hundred times.

    Args:
        detect: What looks through it.
        part: What the text is made of.
        most: Most times as long that ten times the text may take.
    """
    text = part * (_CHARS // len(part))

    def took(size: int) -> float:
        began = time.process_time()
        detect(text[:size])
        return time.process_time() - began

    def quickest(size: int) -> float:
        return min(took(size) for _ in range(3))

    took(1_000)
    return quickest(len(text)) < most * max(quickest(len(text) // 10), 0.002)
