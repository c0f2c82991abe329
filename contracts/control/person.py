"""Tells one person from another by the names that they give.

What of Unicode is known here is that of the Python that runs it, and another version may know more. Names that one
version has characters for have the same normal form and case in all later ones, and characters that it has none for are
refused as not printable, by its own knowledge. So workflows compare names in validators of updates alone, which run
once, and not when a history is replayed.
"""

from __future__ import annotations

import unicodedata
from typing import Final

_UNSEEN: Final = dict.fromkeys(
    code
    for first, last in (
        (0x00AD, 0x00AD),
        (0x034F, 0x034F),
        (0x061C, 0x061C),
        (0x115F, 0x1160),
        (0x17B4, 0x17B5),
        (0x180B, 0x180F),
        (0x200B, 0x200F),
        (0x202A, 0x202E),
        (0x2060, 0x206F),
        (0x2800, 0x2800),
        (0x3164, 0x3164),
        (0xFE00, 0xFE0F),
        (0xFEFF, 0xFEFF),
        (0xFFA0, 0xFFA0),
        (0xFFF0, 0xFFF8),
        (0x1BCA0, 0x1BCA3),
        (0x1D173, 0x1D17A),
        (0xE0000, 0xE0FFF),
    )
    for code in range(first, last + 1)
)
"""What is drawn as nothing: the code points that Unicode calls default ignorable, and the blank of Braille."""


def person(by: str) -> str:
    """Return a name by which one person is told from another, however it is written.

    Without what cannot be seen, with one space for each run of white space, in one case and one normal form. Letters of
    different alphabets that look alike are different people: which do is a judgement, and nothing checks names in any
    case.
    """
    # What is unseen keeps what it stands between apart, so it goes first; some letters come to be unseen in their
    # normal form, and some fall into case as others that have another normal form.
    name = unicodedata.normalize("NFKC", by.translate(_UNSEEN)).casefold()
    name = unicodedata.normalize("NFKC", name).translate(_UNSEEN)
    return " ".join(unicodedata.normalize("NFKC", name).split())
