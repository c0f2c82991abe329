"""Documents become text, by the loader of what they are.

What cannot be read is told, with the reason: nothing is indexed as garbage. Must not reach the network.
"""

from __future__ import annotations

from email.message import Message
from itertools import accumulate, pairwise
from typing import Final, get_args

from ....contracts.collection.document import Document, Form
from ....contracts.contract import brief
from ....contracts.errors import DocumentError
from .csv_rows import csv_text
from .isolation import read_isolated
from .json_records import json_text, jsonl_text
from .kind import Kind, document_kind
from .plain import bounded, clean, decode, front_matter

MAX_BYTES: Final = 50 * 1024 * 1024
"""Largest document."""

_LARGE_JSON: Final = 1024 * 1024
"""From this size on JSON is read in a process of its own, which costs a tenth of a second."""


def load(data: bytes, name: str, media_type: str = "", *, max_bytes: int = MAX_BYTES) -> Document:
    """Return the text of a document.

    Blocks for as long as reading takes, at most two minutes.

    Args:
        data: The document.
        name: What it is called: its suffix says what it is, where the media type does not.
        media_type: What its sender says that it is, `charset` included. Empty where nobody said.
        max_bytes: Largest one that is read.

    Raises:
        DocumentError: It cannot be read. The message names it and says why.
        SetupError: The library that reads it is not installed.
    """
    try:
        if not data:
            raise DocumentError("it is empty: it has 0 bytes")
        if len(data) > max_bytes:
            raise DocumentError(f"it has {len(data):,} bytes, and the limit is {max_bytes:,}")
        return _loaded(data, document_kind(data, name, media_type), _charset(media_type))
    except DocumentError as error:
        raise DocumentError(f"{name[:200]}: {error}") from error


def taken(said: object) -> Document:
    """Return what somebody's own loader gave back as a document that can be indexed.

    A text is plain text. What no document has, such as control characters, is left out.

    Raises:
        DocumentError: It is none, or has no text.
    """
    if isinstance(said, str):
        said = Document(said)
    if not isinstance(said, Document) or not isinstance(said.text, str):
        raise DocumentError(f"it gives back {brief(said)}, and not a text or a Document")
    if said.form not in get_args(Form):
        raise DocumentError(f"its form is {said.form!r}, and not one of {', '.join(get_args(Form))}")
    bounded(said.text)
    pages: object = said.pages
    if not isinstance(pages, tuple | list) or not all(isinstance(one, int) for one in pages):
        raise DocumentError("its pages are not offsets in its text")
    begins = [0, *pages]
    if begins != sorted(begins) or begins[-1] > len(said.text):
        raise DocumentError("its pages are not offsets in its text, in their order")
    pieces = [clean(said.text[start:end]) for start, end in pairwise([*begins, len(said.text)])]
    starts = [0, *accumulate(map(len, pieces))]
    begin = tuple(starts[1:-1]) if said.pages else ()
    return Document(bounded("".join(pieces)), said.form, clean(str(said.title or "")), begin)


def _loaded(data: bytes, kind: Kind, encoding: str) -> Document:
    if kind in ("pdf", "docx", "pptx"):
        return read_isolated(data, kind)
    if kind == "html" or (kind in ("json", "jsonl") and len(data) > _LARGE_JSON):
        # What the sender says of its encoding goes before what it says itself.
        return read_isolated(decode(data, encoding).encode("utf-8-sig") if encoding else data, kind)
    text = clean(decode(data, encoding))
    match kind:
        case "markdown":
            title, text = front_matter(text)
            return Document(bounded(text), "markdown", title)
        case "csv":
            return Document(csv_text(text), "text")
        case "json":
            return Document(json_text(text), "text")
        case "jsonl":
            return Document(jsonl_text(text), "text")
    return Document(bounded(text), "code" if kind == "code" else "text")


def _charset(media_type: str) -> str:
    """Return the encoding that a media type names; empty where it names none."""
    message = Message()
    message["content-type"] = media_type.replace("\r", " ").replace("\n", " ")
    found = message.get_param("charset")
    return found[2] if isinstance(found, tuple) else found or ""
