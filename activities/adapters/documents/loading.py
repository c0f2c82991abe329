"""Documents become text, by the loader of what they are.

What cannot be read is told, with the reason: nothing is indexed as garbage. Must not reach the network.
"""

from __future__ import annotations

from email.message import Message
from typing import Final

from ....contracts.errors import DocumentError
from ...knowledge.document import LoadedDocument
from .csv_rows import csv_text
from .isolation import read_isolated
from .json_records import json_text, jsonl_text
from .kind import Kind, document_kind
from .plain import bounded, clean, decode, front_matter

MAX_BYTES: Final = 50 * 1024 * 1024
"""Largest document."""

_LARGE_JSON: Final = 1024 * 1024
"""From this size on JSON is read in a process of its own, which costs a tenth of a second."""


def load(data: bytes, name: str, media_type: str = "", *, max_bytes: int = MAX_BYTES) -> LoadedDocument:
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


def _loaded(data: bytes, kind: Kind, encoding: str) -> LoadedDocument:
    if kind in ("pdf", "docx", "pptx"):
        return read_isolated(data, kind)
    if kind == "html" or (kind in ("json", "jsonl") and len(data) > _LARGE_JSON):
        # What the sender says of its encoding goes before what it says itself.
        return read_isolated(decode(data, encoding).encode("utf-8-sig") if encoding else data, kind)
    text = clean(decode(data, encoding))
    match kind:
        case "markdown":
            title, text = front_matter(text)
            return LoadedDocument(bounded(text), "markdown", title)
        case "csv":
            return LoadedDocument(csv_text(text), "text")
        case "json":
            return LoadedDocument(json_text(text), "text")
        case "jsonl":
            return LoadedDocument(jsonl_text(text), "text")
    return LoadedDocument(bounded(text), "code" if kind == "code" else "text")


def _charset(media_type: str) -> str:
    """Return the encoding that a media type names; empty where it names none."""
    message = Message()
    message["content-type"] = media_type.replace("\r", " ").replace("\n", " ")
    found = message.get_param("charset")
    return found[2] if isinstance(found, tuple) else found or ""
