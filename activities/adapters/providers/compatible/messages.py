"""Writes the messages of the Chat Completions API, as each dialect wants them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
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
from ....model_adapter import ModelRequest
from ..asking.blob import blob_text, blob_url, is_text, unsupported
from ..asking.conversation import answered, is_blank
from ..asking.wire_tools import WireTools
from ..profiles.profile import Profile
from ..tool_exchange import NOTHING, result_text

EXTRA = "extra_content"
"""What a provider says of a call besides, and wants back with it."""

_BRIDGE = {"role": "assistant", "content": "I have the results."}


def chat_messages(
    request: ModelRequest, provider: str, profile: Profile, tools: WireTools, words: str, asked: str
) -> list[dict[str, Any]]:
    """Return the messages of a request.

    Attachments of tool results follow them as a user's, since a result can only be text.

    Args:
        request: The prompt.
        provider: Whose opaque parts go back.
        profile: What the model accepts.
        tools: The agent's, as they are sent.
        words: What the instructions say besides.
        asked: What is asked of the very next answer; may be empty.

    Raises:
        InvalidRequest: A part cannot be sent.
    """
    writer = _Writer(provider, profile, tools)
    instructions = "\n\n".join(filter(None, (request.instructions, words)))
    if instructions:
        writer.sent.append({"role": profile.system_role, "content": instructions})
    for message in answered(request.messages):
        writer.add(message)
    writer.add_attached()
    if asked:
        writer.add_user(asked)
    if not writer.sent or writer.sent[-1]["role"] not in ("user", "tool"):
        writer.add_user(NOTHING)
    return writer.sent


class _Writer:
    def __init__(self, provider: str, profile: Profile, tools: WireTools) -> None:
        self.sent: list[dict[str, Any]] = []
        self._provider = provider
        self._profile = profile
        self._tools = tools
        self._attached: list[dict[str, Any]] = []

    def add(self, message: Message) -> None:
        if message.role is Role.TOOL:
            for result in _results(message, self._provider):
                text = result_text(result)
                self.sent.append({"role": "tool", "tool_call_id": self._id(result.call_id), "content": text})
                self._attached += self._attachments(result)
            return
        self.add_attached()
        if message.role is Role.ASSISTANT:
            for sent in self._assistant(message):
                self._append(sent)
        else:
            self.add_user(self._user_content(message))

    def add_attached(self) -> None:
        """Add what came with the results of tools.

        Called once the last of them has been told.
        """
        if self._attached:
            self.add_user(self._attached)
            self._attached = []

    def add_user(self, content: str | list[dict[str, Any]]) -> None:
        if not self._profile.user_after_tool and self.sent and self.sent[-1]["role"] == "tool":
            self.sent.append(dict(_BRIDGE))
        if self._profile.text_only and isinstance(content, list):
            content = "\n".join(part["text"] for part in content)
        self._append({"role": "user", "content": content})

    def _append(self, message: dict[str, Any]) -> None:
        """Add a message, or add what it says to the one before.

        That is where two of one role may not follow each other.
        """
        before = self.sent[-1] if self.sent else {}
        if not self._profile.alternate or before.get("role") != message["role"]:
            self.sent.append(message)
            return
        before["content"] = _together(before.get("content"), message.get("content"))
        if message.get("tool_calls"):
            before["tool_calls"] = [*before.get("tool_calls", ()), *message["tool_calls"]]

    def _id(self, ours: str) -> str:
        return ours if self._profile.call_ids == "any" else sha256(ours.encode()).hexdigest()[:9]

    def _assistant(self, message: Message) -> Iterator[dict[str, Any]]:
        unsaid = None if self._profile.null_content else ""
        sent: dict[str, Any] = {"role": "assistant", "content": message.text or unsaid}
        calls: list[dict[str, Any]] = []
        for part in message.parts:
            match part:
                case TextPart() | CitationPart():
                    pass
                case ToolCallPart():
                    name, arguments = self._tools.sent(part)
                    function = {"name": name, "arguments": json.dumps(arguments)}
                    calls.append({"id": self._id(part.id), "type": "function", "function": function})
                case OpaquePart() if EXTRA in part.data:
                    if part.provider == self._provider and calls:
                        calls[-1][EXTRA] = part.data[EXTRA]
                case ReasoningPart() | OpaquePart():
                    sent |= self._echo(part)
                case _:
                    raise unsupported(part, self._provider, "an assistant has text, tool calls and reasoning only")
        if calls:
            sent["tool_calls"] = self._signed(calls)
        if self._profile.echo_required:
            sent.setdefault(self._profile.echo[0], "")
        if calls or message.text.strip():  # an empty message is refused by many
            yield sent

    def _echo(self, part: ReasoningPart | OpaquePart) -> dict[str, Any]:
        if part.provider != self._provider or not self._profile.reasons:
            return {}
        return {field: part.data[field] for field in self._profile.echo if field in part.data}

    def _signed(self, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Sign the first of the calls, where another model made it."""
        if self._profile.unsigned_call and EXTRA not in calls[0]:
            calls[0][EXTRA] = {"google": {"thought_signature": self._profile.unsigned_call}}
        return calls

    def _attachments(self, result: ToolResultPart) -> list[dict[str, Any]]:
        if not result.attachments:
            return []
        label = {"type": "text", "text": f"Attached to the result of {result.name} ({self._id(result.call_id)}):"}
        return [label, *(self._content(blob) for blob in result.attachments)]

    def _user_content(self, message: Message) -> str | list[dict[str, Any]]:
        # A plain text is what every server takes.
        if all(isinstance(part, TextPart) for part in message.parts):
            return message.text if message.text.strip() else NOTHING
        return [self._content(part) for part in message.parts if not is_blank(part)]

    def _content(self, part: Part) -> dict[str, Any]:
        takes, provider = self._profile, self._provider
        match part:
            case TextPart():
                return {"type": "text", "text": part.text}
            case ImagePart():
                if takes.images == "none" or (takes.images == "data" and part.url is not None):
                    by = "no pictures" if takes.images == "none" else "pictures by data only"
                    raise unsupported(part, provider, f"this model takes {by}")
                return {"type": "image_url", "image_url": {"url": blob_url(part)}}
            case FilePart() if is_text(part):
                return {"type": "text", "text": f"{part.name}\n{blob_text(part)}" if part.name else blob_text(part)}
            case FilePart() if part.url is not None:
                raise unsupported(part, provider, "Chat Completions takes files by data only")
            case FilePart() if takes.files == "none":
                raise unsupported(part, provider, "this model takes files of text only")
            case FilePart():
                return {"type": "file", "file": {"filename": part.name or "file", "file_data": blob_url(part)}}
            case _:
                raise unsupported(part, provider, "a user message has text, images and files only")


def _together(one: Any, other: Any) -> Any:
    if not one or not other:
        return one or other
    if isinstance(one, str) and isinstance(other, str):
        return f"{one}\n\n{other}"
    return [*_as_parts(one), *_as_parts(other)]


def _as_parts(content: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _results(message: Message, provider: str) -> Iterable[ToolResultPart]:
    for part in message.parts:
        if not isinstance(part, ToolResultPart):
            raise unsupported(part, provider, "a tool message has tool results only")
        yield part
