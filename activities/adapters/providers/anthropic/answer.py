"""Reads answers of the Messages API.

Must not judge what is said in them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from anthropic.types import RawMessageStreamEvent

from .....contracts.control.usage import Usage
from .....contracts.message import CitationPart, Message, OpaquePart, Part, ReasoningPart, Role, TextPart
from .....contracts.wire.model_call import StopReason
from ....model_adapter import Completion, Delta, OnDelta
from ..failures import broken_stream
from ..reading import left_out, merged, objects, plain, said_name, stop_reason, usage_of
from ..tool_exchange import is_json, tool_call_part
from .provider_tools import CONTAINER, ProviderCalls

_PAUSE = "pause_turn"
"""The provider's own tools have not ended, and the answer is to go on."""

_STOP_REASONS: dict[str | None, StopReason] = {
    "end_turn": StopReason.END,
    "stop_sequence": StopReason.END,
    _PAUSE: StopReason.END,
    "tool_use": StopReason.TOOL_CALLS,
    "max_tokens": StopReason.LENGTH,
    "model_context_window_exceeded": StopReason.LENGTH,
    "refusal": StopReason.REFUSAL,
}


def _completion(answer: dict[str, Any], provider: str, request_id: str) -> Completion:
    stop, note = _map_stop_reason(answer.get("stop_reason"))
    cut = stop is StopReason.LENGTH
    tools = ProviderCalls()
    parts = [part for block in answer["content"] for part in _parts(block, provider, tools, cut=cut)]
    if isinstance(answer.get(CONTAINER), dict) and isinstance(answer[CONTAINER].get("id"), str):
        parts.append(
            OpaquePart(provider=provider, data={**answer[CONTAINER], "type": CONTAINER}, tool="code_execution")
        )
    usage = usage_of(answer.get("usage"), _map_usage)
    return Completion(
        message=Message(role=Role.ASSISTANT, parts=tuple(parts)),
        model=said_name(answer["model"]),
        stop=stop,
        usage=usage or Usage(),
        usage_known=usage is not None,
        request_id=said_name(request_id, answer.get("id")),
        note=answer["note"] or note,
        paused=answer.get("stop_reason") == _PAUSE,
    )


def _map_stop_reason(reason: object) -> tuple[StopReason, str]:
    return stop_reason(reason, _STOP_REASONS)


def _map_usage(usage: dict[str, Any]) -> Usage:
    cached = usage.get("cache_read_input_tokens") or 0
    written = usage.get("cache_creation_input_tokens") or 0
    return Usage(
        # The API leaves the cached ones out of its count.
        input_tokens=(usage.get("input_tokens") or 0) + cached + written,
        cached_tokens=cached,
        cache_write_tokens=written,
        output_tokens=usage.get("output_tokens") or 0,
        reasoning_tokens=(usage.get("output_tokens_details") or {}).get("thinking_tokens") or 0,
        web_searches=(usage.get("server_tool_use") or {}).get("web_search_requests") or 0,
    )


class MessagesAnswer:
    """Puts a streamed answer together.

    Args:
        on_delta: Is told the pieces as they come in.
    """

    def __init__(self, on_delta: OnDelta | None) -> None:
        self._on_delta = on_delta
        self._message: dict[str, Any] = {}
        self._blocks: dict[int, dict[str, Any]] = {}
        self._ended = False
        self._note = ""
        self.begun = False
        """Whether some of the answer has come."""

    def take(self, event: RawMessageStreamEvent) -> None:
        """Take in the next event of the stream."""
        match event.type:
            case "message_start":
                self._message = event.message.to_dict(mode="json", warnings=False)
            case "content_block_start":
                self.begun = True
                self._blocks[event.index] = event.content_block.to_dict(mode="json", warnings=False)
            case "content_block_delta":
                self._extend(self._blocks[event.index], event.delta.to_dict(mode="json", warnings=False))
            case "message_delta":
                self._message["stop_reason"] = event.delta.stop_reason
                self._message[CONTAINER] = plain(event.delta.container) or self._message.get(CONTAINER)
                self._message["usage"] = merged(self._message.get("usage"), event.usage)
            case "message_stop":
                self._ended = True
            case _:
                pass  # new events may come, by the API's own rules; what belongs to a block is checked above

    def completion(self, provider: str, request_id: str) -> Completion:
        """Return the whole answer, now that the stream has ended.

        Args:
            provider: Tags the parts that only it can read.
            request_id: What the response's headers call it, may be empty.

        Raises:
            ModelError: The stream broke off, or the answer was filtered.
        """
        return _completion(self._whole(), provider, request_id)

    def _whole(self) -> dict[str, Any]:
        if not self._ended:
            raise broken_stream("message_stop")
        # A server of one's own, such as llama.cpp's, may leave out how a message starts: what was said stands.
        head = {"model": ""} if self._blocks else {}
        return head | self._message | {"content": [self._blocks[i] for i in sorted(self._blocks)], "note": self._note}

    def _extend(self, block: dict[str, Any], delta: dict[str, Any]) -> None:
        match delta["type"]:
            case "text_delta":
                self._append(block, "text", delta["text"], "text")
            case "thinking_delta":
                self._append(block, "thinking", delta["thinking"], "reasoning")
            case "input_json_delta":
                kind = "tool_call" if block["type"] == "tool_use" else ""
                self._append(block, "input_json", delta["partial_json"], kind)
            case "signature_delta":
                block["signature"] = delta["signature"]
            case "citations_delta":
                block["citations"] = [*(block.get("citations") or ()), delta["citation"]]
            case unknown:
                self._note = left_out([unknown])

    def _append(self, block: dict[str, Any], field: str, text: str, kind: str) -> None:
        block[field] = block.get(field, "") + text
        if self._on_delta and kind and text:
            calls = [one for one in self._blocks.values() if one["type"] == "tool_use"]
            number = next((place for place, one in enumerate(calls) if one is block), 0)
            self._on_delta(Delta(kind, text, block.get("name", ""), number))


def _parts(block: dict[str, Any], provider: str, tools: ProviderCalls, *, cut: bool) -> Iterator[Part]:
    match block["type"]:
        case "text":
            if block["text"]:
                yield TextPart(text=block["text"])
            for citation in objects(block.get("citations")) if block["text"] else ():
                yield CitationPart(provider=provider, data=citation)
        case "thinking":
            yield ReasoningPart(provider=provider, text=block.get("thinking", ""), data=block)
        case "redacted_thinking":
            yield ReasoningPart(provider=provider, data=block)
        case "tool_use":
            raw = block.get("input_json") or (json.dumps(block["input"]) if block.get("input") else "")
            yield tool_call_part(block["id"], block["name"], raw, cut=cut)
        case _:
            written = block.pop("input_json", None)
            if written and not is_json(written):
                return  # it was cut, and is worth nothing without its end
            data = block | ({"input": json.loads(written)} if written else {})
            yield OpaquePart(provider=provider, data=data, tool=tools.name_of(block))
