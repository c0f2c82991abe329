"""Writes the messages of the Messages API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .....contracts.message import (
    CitationPart,
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
from ..asking.prepared import Prepared
from ..asking.wire_tools import WireTools
from ..profiles.profile import Profile
from ..tool_exchange import NOTHING
from .provider_tools import CONTAINER

_IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_THOUGHTS = ("thinking", "redacted_thinking")
_CALLS = ("server_tool_use", "mcp_tool_use")


@dataclass(frozen=True, slots=True)
class SentMessages:
    """The messages of a request."""

    messages: list[dict[str, Any]]
    pending: bool
    """Whether a tool of the provider's own has not ended yet: it goes on with the results of ours."""

    @classmethod
    def of(
        cls, messages: Iterable[Message], provider: str, wire: Prepared, *, pending: bool, connects: bool
    ) -> SentMessages:
        """Return the messages of a request: results of parallel calls must share one.

        Args:
            messages: The transcript.
            provider: Whose own parts go back.
            wire: What the model accepts.
            pending: Whether a tool of the provider's own that has not ended can go on.
            connects: Whether the provider is to connect to MCP servers. If not, it knows no past calls of theirs.

        Raises:
            InvalidRequest: A part cannot be sent.
        """
        writer = _Writer(provider, wire.profile, wire.tools, connects=connects)
        told = answered(messages)
        said = [writer.blocks(message.parts) for message in told]
        left = _open(told) if pending else None
        waiting = _pair(said, left)
        sent: list[dict[str, Any]] = []
        for message, blocks in zip(told, said, strict=True):
            _add(sent, message.role, blocks)
        if not sent or sent[-1]["role"] != "user":
            sent.append({"role": "user", "content": [{"type": "text", "text": NOTHING}]})
        return cls(sent, waiting)


def answer_blocks(message: Message, provider: str, profile: Profile, tools: WireTools) -> list[dict[str, Any]]:
    """Return what a model said as the blocks of a request, all of it."""
    return _Writer(provider, profile, tools, connects=True).blocks(message.parts)


def _add(sent: list[dict[str, Any]], spoken_by: Role, blocks: list[dict[str, Any]]) -> None:
    role = "assistant" if spoken_by is Role.ASSISTANT else "user"
    if spoken_by is Role.USER:
        blocks = blocks or [{"type": "text", "text": NOTHING}]
    # A thought that led to nothing is refused at the end.
    while role == "assistant" and blocks and blocks[-1]["type"] in _THOUGHTS:
        blocks.pop()
    if sent and sent[-1]["role"] == role:
        sent[-1]["content"] += blocks
    elif blocks:  # the API refuses an empty message
        sent.append({"role": role, "content": blocks})


def _open(messages: Sequence[Message]) -> int | None:
    """Return the place of the turn that goes on with the results of our tools.

    None where a user spoke since.
    """
    last = len(messages) - 1
    while last >= 0 and messages[last].role is Role.TOOL:
        last -= 1
    return last if last >= 0 and messages[last].role is Role.ASSISTANT else None


def _pair(said: Sequence[list[dict[str, Any]]], left: int | None) -> bool:
    """Take out the provider's own calls without a result, and results without a call.

    An answer may have been cut, or have paused for tools of ours: then the result is in the next one.

    Args:
        said: The blocks of each message.
        left: Place of the message whose calls may be without a result yet.

    Returns:
        Whether any is.
    """
    ended = {str(block["tool_use_id"]) for blocks in said for block in blocks if _is_result(block)}
    begun: set[str] = set()
    waiting = False
    for place, blocks in enumerate(said):
        kept: list[dict[str, Any]] = []
        for block in blocks:
            if block["type"] in _CALLS:
                waits = str(block.get("id")) not in ended
                if waits and place != left:
                    continue
                waiting |= waits
                begun.add(str(block.get("id")))
            elif _is_result(block) and str(block["tool_use_id"]) not in begun:
                continue
            kept.append(block)
        blocks[:] = kept
    return waiting


def _is_result(block: dict[str, Any]) -> bool:
    return str(block["type"]).endswith("_tool_result") and "tool_use_id" in block


class _Writer:
    def __init__(self, provider: str, profile: Profile, tools: WireTools, *, connects: bool) -> None:
        self._provider = provider
        self._profile = profile
        self._tools = tools
        self._unknown = (CONTAINER,) if connects else (CONTAINER, "mcp_tool_use", "mcp_tool_result")

    def blocks(self, parts: Iterable[Part]) -> list[dict[str, Any]]:
        blocks: list[dict[str, Any]] = []
        for part in parts:
            found = list(self._block(part))
            if not isinstance(part, CitationPart):
                blocks += found
            elif found and blocks and blocks[-1]["type"] == "text":
                blocks[-1]["citations"] = [*blocks[-1].get("citations", ()), *found]
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
            case CitationPart() | OpaquePart():
                if part.provider == self._provider and part.data.get("type") not in self._unknown:
                    yield dict(part.data)
            case _:
                raise unsupported(part, self._provider, "it is to be resolved before the call")


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
