"""Tells one person from another by the names that they give.

What of Unicode is known here is that of the Python that runs it, and another version may know more. Names that one
version has characters for have the same normal form and case in all later ones, and characters that it has none for are
refused as not printable, by its own knowledge. So workflows compare names in validators of updates alone, which run
once, and not when a history is replayed.
"""

from __future__ import annotations

import unicodedata

from ..text import UNSEEN


def person(by: str) -> str:
    """Return a name by which one person is told from another, however it is written.

    Without what cannot be seen, with one space for each run of white space, in one case and one normal form. Letters of
    different alphabets that look alike are different people: which do is a judgement, and nothing checks names in any
    case.
    """
    # What is unseen keeps what it stands between apart, so it goes first; some letters come to be unseen in their
    # normal form, and some fall into case as others that have another normal form.
    name = unicodedata.normalize("NFKC", by.translate(UNSEEN)).casefold()
    name = unicodedata.normalize("NFKC", name).translate(UNSEEN)
    return " ".join(unicodedata.normalize("NFKC", name).split())
