"""Writes the messages of the Messages API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .....contracts.message import (
    FilePart,
    ImagePart,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    Role,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from ..asking.blob import Blob, blob_text, is_text, unsupported
from ..asking.conversation import answered, is_blank
from ..asking.wire_tools import WireTools
from ..profiles.profile import Profile
from ..tool_exchange import NOTHING

_IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_THOUGHTS = ("thinking", "redacted_thinking")


def sent_messages(
    messages: Iterable[Message], provider: str, profile: Profile, tools: WireTools
) -> list[dict[str, Any]]:
    """Return the messages of a request: results of parallel calls must share one.

    Raises:
        InvalidRequest: A part cannot be sent.
    """
    writer = _Writer(provider, profile, tools)
    sent: list[dict[str, Any]] = []
    for message in answered(messages):
        role = "assistant" if message.role is Role.ASSISTANT else "user"
        blocks = writer.blocks(message.parts)
        if message.role is Role.USER:
            blocks = blocks or [{"type": "text", "text": NOTHING}]
        blocks = _resolved(blocks)
        # A thought that led to nothing is refused at the end.
        while role == "assistant" and blocks and blocks[-1]["type"] in _THOUGHTS:
            blocks.pop()
        if sent and sent[-1]["role"] == role:
            sent[-1]["content"] += blocks
        elif blocks:  # the API refuses an empty message
            sent.append({"role": role, "content": blocks})
    if not sent or sent[-1]["role"] != "user":
        sent.append({"role": "user", "content": [{"type": "text", "text": NOTHING}]})
    return sent


def answer_blocks(message: Message, provider: str, profile: Profile, tools: WireTools) -> list[dict[str, Any]]:
    """Return what a model said as the blocks of a request, all of it."""
    return _Writer(provider, profile, tools).blocks(message.parts)


class _Writer:
    def __init__(self, provider: str, profile: Profile, tools: WireTools) -> None:
        self._provider = provider
        self._profile = profile
        self._tools = tools

    def blocks(self, parts: Iterable[Part]) -> list[dict[str, Any]]:
        blocks: list[dict[str, Any]] = []
        for part in parts:
            found = list(self._block(part))
            if isinstance(part, OpaquePart) and part.data.get("type") == "text":
                for extras in found if blocks else ():
                    blocks[-1] |= extras  # the citations of the text before
            else:
                blocks += found
        return blocks

    def _block(self, part: Part) -> Iterator[dict[str, Any]]:
        match part:
            case TextPart():
                if not is_blank(part):  # the API refuses a blank one
                    yield {"type": "text", "text": part.text}
            case ImagePart() | FilePart():
                yield _blob_block(part, self._provider)
            case ToolCallPart():
                name, arguments = self._tools.sent(part)
                yield {"type": "tool_use", "id": part.id, "name": name, "input": arguments}
            case ToolResultPart():
                text = [{"type": "text", "text": part.content}] if part.content.strip() else []
                content = text + [_blob_block(blob, self._provider) for blob in part.attachments]
                result: dict[str, Any] = {"type": "tool_result", "tool_use_id": part.call_id, "content": content}
                # Of a call that failed, the API takes words alone.
                yield result | ({"is_error": True} if part.is_error and not part.attachments else {})
            case ReasoningPart():
                if part.provider == self._provider and part.data and self._profile.reasons and self._profile.thoughts:
                    yield dict(part.data)
            case OpaquePart():
                if part.provider == self._provider:
                    yield dict(part.data)
            case _:
                raise unsupported(part, self._provider, "it is to be resolved before the call")


def _resolved(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return blocks without calls of the provider's own tools that have no result.

    An answer may have been cut.
    """
    answered = {block.get("tool_use_id") for block in blocks}
    return [block for block in blocks if block["type"] != "server_tool_use" or block.get("id") in answered]


def _blob_block(part: Blob, provider: str) -> dict[str, Any]:
    by_url = {"type": "url", "url": part.url}
    by_data = {"type": "base64", "media_type": part.media_type, "data": part.data}
    if isinstance(part, ImagePart):
        if part.url is None and part.media_type not in _IMAGE_TYPES:
            raise unsupported(part, provider, f"images are {', '.join(sorted(_IMAGE_TYPES))}")
        return {"type": "image", "source": by_url if part.url else by_data}
    title = {"title": part.name} if part.name else {}
    if is_text(part):
        source = {"type": "text", "media_type": "text/plain", "data": blob_text(part)}
        return {"type": "document", "source": source, **title}
    if part.media_type != "application/pdf":
        raise unsupported(part, provider, "documents are PDF by data or url, or text by data")
    return {"type": "document", "source": by_url if part.url else by_data, **title}
