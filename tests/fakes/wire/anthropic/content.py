"""What Anthropic's endpoint refuses in pictures, documents and marks for the cache."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from tests.fakes.wire.anthropic.reading import CLAUDE_CODE, DOCS, THOUGHTS, model_of, placed_blocks
from tests.fakes.wire.rule import Complaint, Json, RuleBook

MESSAGE_CONTENT = RuleBook("content of a Messages request")

_IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
_SIGNATURES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}
_IMAGE_CHARS = 10 * 1024 * 1024
_PIXELS = 8_000
_PIXELS_OF_MANY = 2_000
_MANY = 20


def _encoded(body: Json, kind: str) -> Iterator[tuple[str, Json]]:
    """Yield the sources of pictures or documents that are sent as base64, with their places."""
    for path, _, block in placed_blocks(body):
        source = block.get("source") or {}
        if block.get("type") == kind and source.get("type") == "base64":
            yield f"{path}.{kind}.source.base64", source


def _head(source: Json) -> bytes:
    """Return the first bytes: as many as tell the type and, of a PNG, the size."""
    try:
        return base64.b64decode(str(source.get("data", ""))[:40], validate=True)
    except binascii.Error:
        return b""


@MESSAGE_CONTENT.rule(f"{CLAUDE_CODE}/5955")
def image_type_is_not_taken(body: Json) -> Iterator[Complaint]:
    """Pictures of other types than four."""
    for path, source in _encoded(body, "image"):
        if source.get("media_type") not in _IMAGES:
            words = "Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'"
            yield Complaint(f"{path}.media_type: {words}")


@MESSAGE_CONTENT.rule("https://github.com/vybestack/llxprt-code/issues/2130")
def image_is_of_another_type(body: Json) -> Iterator[Complaint]:
    """Pictures whose bytes are of another type than is said."""
    for path, source in _encoded(body, "image"):
        given = source.get("media_type")
        found = next((kind for start, kind in _SIGNATURES.items() if _head(source).startswith(start)), given)
        if found != given:
            words = f"The image was specified using the {given} media type, but the image appears to be a {found} image"
            yield Complaint(f"{path}: {words}")


@MESSAGE_CONTENT.rule(f"{DOCS}/build-with-claude/vision")
def image_size_is_not_taken(body: Json) -> Iterator[Complaint]:
    """Pictures without a byte, over 10 MB, or over 8000 pixels; over 2000 where there are more than 20."""
    sources = list(_encoded(body, "image"))
    most, of_many = (_PIXELS_OF_MANY, " for many-image requests") if len(sources) > _MANY else (_PIXELS, "")
    for path, source in sources:
        size = len(str(source.get("data", "")))
        if not size:
            yield Complaint(f"{path}: image cannot be empty")
        if size > _IMAGE_CHARS:
            yield Complaint(f"{path}: image exceeds 10 MB maximum: {size} bytes > {_IMAGE_CHARS} bytes")
        head = _head(source)
        sides = [int.from_bytes(head[start : start + 4], "big") for start in (16, 20)] if head[12:16] == b"IHDR" else []
        if any(side > most for side in sides):
            words = f"At least one of the image dimensions exceed max allowed size{of_many}: {most} pixels"
            yield Complaint(f"{path}.data: {words}")


@MESSAGE_CONTENT.rule(f"{DOCS}/build-with-claude/vision", quoted=False)
def images_are_too_many(body: Json) -> Iterator[Complaint]:
    """More pictures than a request may have."""
    count, most = sum(block.get("type") == "image" for _, _, block in placed_blocks(body)), model_of(body).images
    if count > most:
        yield Complaint(f"messages: {count} images exceed the maximum of {most}")


@MESSAGE_CONTENT.rule(f"{DOCS}/build-with-claude/pdf-support")
def document_is_no_pdf(body: Json) -> Iterator[Complaint]:
    """Documents in base64 that are no PDF, or are not said to be one."""
    for path, source in _encoded(body, "document"):
        if source.get("media_type") != "application/pdf":
            yield Complaint(f"{path}.media_type: Input should be 'application/pdf'")
        elif not _head(source).startswith(b"%PDF"):
            yield Complaint(f"{path}.data: The PDF specified was not valid.")


def _marks(body: Json) -> Iterator[tuple[str, Json]]:
    """Yield the marks for the cache in the order in which they are read."""
    tools = [(f"tools.{index}", tool) for index, tool in enumerate(body.get("tools") or ())]
    system = [(f"system.{index}", one) for index, one in enumerate(body.get("system") or ()) if isinstance(one, dict)]
    for path, holder in (*tools, *system, *((path, block) for path, _, block in placed_blocks(body))):
        if holder.get("cache_control"):
            yield path, holder["cache_control"]


@MESSAGE_CONTENT.rule("https://github.com/tghamm/Anthropic.SDK/issues/50")
def marks_are_too_many(body: Json) -> Iterator[Complaint]:
    """More than four marks for the cache."""
    found = len(list(_marks(body))) + bool(body.get("cache_control"))
    if found > 4:
        yield Complaint(f"A maximum of 4 blocks with cache_control may be provided. Found {found}.")


@MESSAGE_CONTENT.rule("https://github.com/cnighswonger/claude-code-cache-fix/issues/44")
def marks_are_out_of_order(body: Json) -> Iterator[Complaint]:
    """Marks that last an hour after ones that last five minutes."""
    short = False
    for path, mark in _marks(body):
        if mark.get("ttl") == "1h" and short:
            words = "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block."
            order = "Note that blocks are processed in the following order: `tools`, `system`, `messages`."
            yield Complaint(f"{path}.cache_control.ttl: {words} {order}")
        short = short or mark.get("ttl", "5m") == "5m"


@MESSAGE_CONTENT.rule(f"{DOCS}/build-with-claude/prompt-caching")
def mark_is_on_a_thought(body: Json) -> Iterator[Complaint]:
    """Marks for the cache on thoughts."""
    for path, _, block in placed_blocks(body):
        if block.get("cache_control") and block.get("type") in THOUGHTS:
            yield Complaint(f"{path}.{block['type']}.cache_control: Extra inputs are not permitted")


@MESSAGE_CONTENT.rule(f"{CLAUDE_CODE}/55302")
def mark_is_on_an_empty_text(body: Json) -> Iterator[Complaint]:
    """Marks for the cache on texts without a character."""
    for path, _, block in placed_blocks(body):
        if block.get("cache_control") and block.get("type") == "text" and not block.get("text"):
            yield Complaint(f"{path}.text: cache_control cannot be set for empty text blocks")
