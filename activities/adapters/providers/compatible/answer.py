"""Reads answers of the Chat Completions API.

Must not judge what is said in them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from openai.types.chat import ChatCompletionChunk

from .....contracts.control.usage import Usage
from .....contracts.errors import ContentFiltered
from .....contracts.message import CitationPart, Message, OpaquePart, Part, ReasoningPart, Role, TextPart
from .....contracts.wire.model_call import StopReason
from ....model_adapter import Completion, Delta, OnDelta
from ..failures import broken_stream
from ..reading import left_out, objects, plain, said_name, stop_reason, usage_of
from ..tool_exchange import is_json, tool_call_part
from .messages import EXTRA

# No two providers agree what their models' thinking is called.
_REASONING_TEXT = ("reasoning_content", "reasoning")
_REASONING_BLOCKS = "reasoning_details"
_STOP_REASONS: dict[str | None, StopReason] = {
    "stop": StopReason.END,
    "eos": StopReason.END,
    "eos_token": StopReason.END,
    "end_turn": StopReason.END,
    "stop_sequence": StopReason.END,
    "tool_calls": StopReason.TOOL_CALLS,
    "function_call": StopReason.TOOL_CALLS,
    "tool_use": StopReason.TOOL_CALLS,
    "length": StopReason.LENGTH,
    "max_tokens": StopReason.LENGTH,
    "model_length": StopReason.LENGTH,
}
_CUT = frozenset(reason for reason, stop in _STOP_REASONS.items() if stop is StopReason.LENGTH)
# Where a server leaves the thoughts in the text.
_THOUGHTS = re.compile(r"\s*<(think|thinking|thought)>(.*?)</\1>\s*(.*)", re.DOTALL)


def _completion(answer: dict[str, Any], provider: str, request_id: str) -> Completion:
    message = Message(role=Role.ASSISTANT, parts=tuple(_parts(answer, provider)))
    stop, note = _map_stop_reason(answer["finish_reason"])
    if stop is StopReason.END and answer["refusal"]:
        stop = StopReason.REFUSAL
    elif stop is StopReason.END and message.tool_calls:
        stop = StopReason.TOOL_CALLS
    usage = usage_of(answer["usage"], _map_usage)
    return Completion(
        message=message,
        model=said_name(answer["model"]),
        stop=stop,
        usage=usage or Usage(),
        usage_known=usage is not None,
        request_id=said_name(request_id, answer["id"]),
        note=answer["note"] or note,
    )


def _map_stop_reason(reason: object) -> tuple[StopReason, str]:
    if str(reason).startswith("content_filter"):
        raise ContentFiltered("the provider's content filter broke off the answer")
    return stop_reason(reason, _STOP_REASONS)


def _map_usage(usage: dict[str, Any]) -> Usage:
    details = usage.get("prompt_tokens_details") or {}
    prompt, written = usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
    # Some, such as xAI and Gemini, count thoughts in the total alone.
    beside = max((usage.get("total_tokens") or 0) - prompt - written, 0)
    return Usage(
        input_tokens=prompt,
        cached_tokens=details.get("cached_tokens") or 0,
        cache_write_tokens=details.get("cache_write_tokens") or 0,
        output_tokens=written + beside,
        reasoning_tokens=(usage.get("completion_tokens_details") or {}).get("reasoning_tokens") or beside,
    )


class ChatAnswer:
    """Puts a streamed answer together.

    Args:
        on_delta: Is told the pieces as they come in.
    """

    def __init__(self, on_delta: OnDelta | None) -> None:
        self._on_delta = on_delta
        self._texts = {"content": "", "refusal": ""}
        self._reasoning: dict[str, Any] = {}
        self._citations: list[dict[str, Any]] = []
        self._calls: list[dict[str, Any]] = []
        self._open: dict[int, dict[str, Any]] = {}
        self._counted = False
        self.begun = False
        """Whether some of the answer has come."""
        self._head: dict[str, Any] = {"id": "", "model": "", "usage": {}, "finish_reason": None, "note": ""}

    def take(self, chunk: ChatCompletionChunk) -> None:
        """Take in the next event of the stream."""
        self.begun = self.begun or bool(chunk.choices)
        self._head |= {"id": chunk.id or self._head["id"], "model": chunk.model or self._head["model"]}
        if chunk.usage:
            self._head["usage"] = plain(chunk.usage)
            self._counted = not chunk.choices
        for choice in chunk.choices or ():
            index: object = choice.index
            if isinstance(index, int) and index:
                continue  # one answer was asked for: another beside it is none of this one's words
            if isinstance(usage := (choice.model_extra or {}).get("usage"), dict):  # as Moonshot has it
                self._head["usage"] = usage
            self._extend(plain(choice.delta))
            self._head["finish_reason"] = choice.finish_reason or self._head["finish_reason"]

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
        # Some give no reason at all; that the tokens are counted by themselves says that it was the end.
        if self._head["finish_reason"] is None and not self._counted:
            raise broken_stream("finish_reason")
        parts = {"reasoning": self._reasoning, "citations": self._citations, "tool_calls": self._calls}
        return self._head | self._texts | parts

    def _extend(self, delta: dict[str, Any]) -> None:
        if delta.get("function_call") or delta.get("audio"):
            self._head["note"] = left_out(delta)
        for field in _REASONING_TEXT:
            if isinstance(delta.get(field), str):
                self._think(field, delta[field])
        for piece in delta.get(_REASONING_BLOCKS) or ():
            _add_block(self._reasoning.setdefault(_REASONING_BLOCKS, []), piece)
        for field in self._texts:
            self._say(field, delta.get(field))
        self._citations += (_cited(one) for one in objects(delta.get("annotations")))
        for call in delta.get("tool_calls") or ():
            self._extend_call(call)

    def _think(self, field: str, text: str) -> None:
        if text:
            self._reasoning[field] = self._reasoning.get(field, "") + text
            self._tell("reasoning", text)

    def _say(self, field: str, content: object) -> None:
        """Take in a text, or a list of parts, of which some may be thoughts."""
        if isinstance(content, str) and content:
            self._texts[field] += content
            self._tell("text", content)
        for part in content if isinstance(content, list) else ():
            if part.get("type") == "thinking":
                said = part.get("thinking") or ()
                self._think("thinking", said if isinstance(said, str) else "".join(one.get("text", "") for one in said))
            else:
                self._say(field, part.get("text"))

    def _extend_call(self, piece: dict[str, Any]) -> None:
        function = piece.get("function") or {}
        name, arguments = function.get("name") or "", function.get("arguments")
        index = piece.get("index") or 0
        call = self._open.get(index)
        if call is None or _is_another(call, piece.get("id"), name):
            call = self._open[index] = {"id": piece.get("id") or "", "name": "", "arguments": "", EXTRA: None}
            self._calls.append(call)
        call["name"] = call["name"] or name
        call[EXTRA] = piece.get(EXTRA) or call[EXTRA]
        written = arguments if isinstance(arguments, str) else json.dumps(arguments) if arguments else ""
        if written:
            call["arguments"] += written
            number = next(place for place, one in enumerate(self._calls) if one is call)
            self._tell("tool_call", written, tool=call["name"], index=number)

    def _tell(self, kind: str, text: str, *, tool: str = "", index: int = 0) -> None:
        if self._on_delta:
            self._on_delta(Delta(kind, text, tool, index))


def _add_block(blocks: list[dict[str, Any]], piece: dict[str, Any]) -> None:
    """Add a piece of a block of thoughts to the others of its number."""
    last = blocks[-1] if blocks else {}
    if piece.get("index") is None or (last.get("index"), last.get("type")) != (piece["index"], piece.get("type")):
        blocks.append(dict(piece))
        return
    for key, value in piece.items():
        is_more = key in ("text", "summary", "data") and isinstance(value, str) and isinstance(last.get(key), str)
        if value is not None:
            last[key] = last[key] + value if is_more else value


def _is_another(call: dict[str, Any], call_id: object, name: str) -> bool:
    """Return whether a piece begins another call, although it has the same number.

    Some servers number all alike. They tell calls apart by their ids; or they have none either, and send each call
    in one piece.
    """
    if call_id not in (None, "", call["id"]):
        return True
    return bool(name) and not call_id and not call["id"] and bool(call["name"]) and is_json(call["arguments"])


def _parts(answer: dict[str, Any], provider: str) -> Iterable[Part]:
    reasoning = answer["reasoning"]
    thoughts, said = _apart(answer["content"])
    if reasoning or thoughts:
        text = next((reasoning[field] for field in (*_REASONING_TEXT, "thinking") if field in reasoning), thoughts)
        yield ReasoningPart(provider=provider, text=text, data=reasoning)
    text = said + answer["refusal"]
    if text:
        yield TextPart(text=text)
        yield from (CitationPart(provider=provider, data=citation) for citation in answer["citations"])
    for call in answer["tool_calls"]:
        yield tool_call_part(call["id"], call["name"], call["arguments"], cut=answer["finish_reason"] in _CUT)
        if call[EXTRA]:
            yield OpaquePart(provider=provider, data={EXTRA: call[EXTRA]})


def _cited(annotation: dict[str, Any]) -> dict[str, Any]:
    """Return a citation with its fields beside its type.

    They come one level below it.
    """
    kind = annotation.get("type", "")
    inner = annotation.get(kind)
    return {"type": kind, **inner} if isinstance(inner, dict) else annotation


def _apart(content: str) -> tuple[str, str]:
    """Return thoughts that stand before the answer, and the answer."""
    found = _THOUGHTS.fullmatch(content)
    return (found[2].strip(), found[3]) if found else ("", content)
