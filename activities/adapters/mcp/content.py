"""Turns what an MCP tool returns into our vocabulary.

Nothing is left out without a word.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from typing import Any, Final

from mcp.types import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from ....contracts.message import FilePart, ImagePart
from ....contracts.text import plural
from ....contracts.wire.tool_call import ToolOutput

Piece = str | ImagePart | FilePart

_IMAGES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_DOCUMENT: Final = "application/pdf"
"""With the images, what every provider takes. Anything else would fail the model call that carries it."""


def output_of(result: CallToolResult) -> ToolOutput:
    """Return what the model is told and shown of a result."""
    pieces = [piece for block in result.content for piece in _pieces(block)]
    texts = [piece for piece in pieces if isinstance(piece, str)]
    if result.structured_content is not None and not _said(result.structured_content, texts):
        texts.append(json.dumps(result.structured_content, ensure_ascii=False))
    attachments = tuple(piece for piece in pieces if not isinstance(piece, str))
    return ToolOutput(content="\n".join(texts), attachments=attachments)


def error_text(result: CallToolResult) -> str:
    """Return what the model is told of a call that failed."""
    output = output_of(result)
    shown = f"(left out: {plural(len(output.attachments), 'attachment')})" if output.attachments else ""
    return "\n".join(part for part in (output.content, shown) if part) or "the tool failed and did not say why"


def _pieces(block: ContentBlock) -> Iterable[Piece]:
    match block:
        case TextContent():
            yield block.text
        case ImageContent():
            yield _blob(block.data, block.mime_type, "an image")
        case AudioContent():
            yield _blob(block.data, block.mime_type, "a recording")
        case ResourceLink():
            about = ", ".join(text for text in (block.mime_type, block.description) if text)
            yield f"[{block.title or block.name}]({block.uri})" + (f" ({about})" if about else "")
        case EmbeddedResource():
            yield from _resource(block.resource)


def _resource(resource: TextResourceContents | BlobResourceContents) -> Iterable[Piece]:
    if isinstance(resource, TextResourceContents):
        yield f"{resource.uri}:\n{resource.text}"
        return
    media_type = resource.mime_type or "application/octet-stream"
    name = str(resource.uri).rstrip("/").rpartition("/")[2]
    text = _text(resource.blob) if media_type.startswith("text/") or media_type == "application/json" else None
    if text is not None:
        yield f"{resource.uri}:\n{text}"
        return
    yield f"{resource.uri}:"
    yield _blob(resource.blob, media_type, "a file", name)


def _blob(data: str, media_type: str, what: str, name: str = "") -> Piece:
    if media_type in _IMAGES:
        return ImagePart(media_type=media_type, data=data)
    if media_type == _DOCUMENT:
        return FilePart(media_type=media_type, data=data, name=name)
    return f"({what} of type {media_type}, {len(data) * 3 // 4:,} bytes, which models cannot be shown)"


def _text(blob: str) -> str | None:
    try:
        return base64.b64decode(blob, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _said(structured: dict[str, Any], texts: list[str]) -> bool:
    """Return whether the texts repeat the structured content already.

    Servers are asked to do so, for clients that read text alone.
    """
    values = [_parsed(text) for text in texts]
    whole = [structured, *(structured.values() if len(structured) == 1 else ())]
    return any(value in values or value in texts or value in (values, texts) for value in whole)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
