"""Reads answers of the Responses API.

Must not judge what is said in them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openai.types.responses import ResponseStreamEvent

from .....contracts.control.usage import Usage
from .....contracts.errors import ContentFiltered
from .....contracts.message import CitationPart, Message, OpaquePart, Part, ReasoningPart, Role, TextPart
from .....contracts.wire.model_call import StopReason
from ....model_adapter import Completion, Delta, OnDelta
from ..failures import FailedStreamError, Failure, broken_stream
from ..reading import left_out, objects, said_name, stop_reason, usage_of
from ..tool_exchange import tool_call_part

_DELTAS = {
    "response.output_text.delta": "text",
    "response.refusal.delta": "text",
    "response.reasoning_summary_text.delta": "reasoning",
    "response.reasoning_text.delta": "reasoning",
    "response.function_call_arguments.delta": "tool_call",
}
_STOP_REASONS: dict[str | None, StopReason] = {
    "completed": StopReason.END,
    "max_output_tokens": StopReason.LENGTH,
}
_BEFORE = frozenset({"response.created", "response.queued", "response.in_progress", "error"})
"""Events before there is any answer."""
_KNOWN = ("output_text", "refusal")
_PLACES = ("start_index", "end_index", "index")
_CALLS = {
    "web_search_call": "web_search",
    "file_search_call": "file_search",
    "code_interpreter_call": "code_execution",
}


def _completion(answer: dict[str, Any], provider: str, request_id: str) -> Completion:
    parts = [part for item in answer["output"] for part in _parts(item, provider)]
    message = Message(role=Role.ASSISTANT, parts=tuple(parts))
    stop, note = _map_stop_reason(_reason(answer))
    if stop is StopReason.END and _refused(answer):
        stop = StopReason.REFUSAL
    elif stop is StopReason.END and message.tool_calls:
        stop = StopReason.TOOL_CALLS
    usage = usage_of(answer.get("usage"), _map_usage)
    if usage is not None:
        usage = usage.model_copy(update={"web_searches": sum(map(_is_search, answer["output"]))})
    return Completion(
        message=message,
        model=said_name(answer["model"]),
        stop=stop,
        usage=usage or Usage(),
        usage_known=usage is not None,
        request_id=said_name(request_id, answer.get("id")),
        note=_unknown(answer) or note,
    )


def _map_stop_reason(reason: object) -> tuple[StopReason, str]:
    if reason == "content_filter":
        raise ContentFiltered("the provider's content filter broke off the answer")
    return stop_reason(reason, _STOP_REASONS)


def _map_usage(usage: dict[str, Any]) -> Usage:
    details = usage.get("input_tokens_details") or {}
    return Usage(
        input_tokens=usage.get("input_tokens") or 0,
        cached_tokens=details.get("cached_tokens") or 0,
        cache_write_tokens=details.get("cache_write_tokens") or 0,
        output_tokens=usage.get("output_tokens") or 0,
        reasoning_tokens=(usage.get("output_tokens_details") or {}).get("reasoning_tokens") or 0,
    )


class ResponsesAnswer:
    """Puts a streamed answer together.

    Args:
        on_delta: Is told the pieces as they come in.
    """

    def __init__(self, on_delta: OnDelta | None) -> None:
        self._on_delta = on_delta
        self._items: dict[int, dict[str, Any]] = {}
        self._calls: dict[int, str] = {}
        self._response: dict[str, Any] = {}
        self.begun = False
        """Whether some of the answer has come."""

    def take(self, event: ResponseStreamEvent) -> None:
        """Take in the next event of the stream."""
        self.begun = self.begun or event.type not in _BEFORE
        match event.type:
            case "response.output_item.added" if event.item.type == "function_call":
                self._calls[event.output_index] = event.item.name
            case "response.output_item.done":
                self._items[event.output_index] = event.item.to_dict(mode="json", warnings=False)
            case "response.completed" | "response.incomplete":
                self._response = event.response.to_dict(mode="json", warnings=False)
            case "response.failed":
                error = event.response.error
                raise FailedStreamError(
                    Failure(error.message, codes=(error.code,)) if error else Failure("the response failed")
                )
            case "error":
                raise FailedStreamError(Failure(event.message, codes=(event.code,)))
            case _:
                # Other events tell the same in smaller pieces, and new ones may come: the end of the stream decides.
                self._tell(event.to_dict(mode="json", warnings=False))

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
        if not self._response:
            raise broken_stream("response.completed")
        items = [self._items[index] for index in sorted(self._items)]
        return self._response | {"output": items or self._response["output"]}

    def _tell(self, event: dict[str, Any]) -> None:
        kind = _DELTAS.get(event["type"])
        if kind and self._on_delta:
            place = event.get("output_index", 0)
            number = sum(call < place for call in self._calls) if kind == "tool_call" else 0
            self._on_delta(Delta(kind, event["delta"], self._calls.get(place, ""), number))


def _parts(item: dict[str, Any], provider: str) -> Iterator[Part]:
    match item["type"]:
        case "message":
            yield from _message_parts(item, provider)
        case "reasoning":
            texts = [piece["text"] for piece in (item.get("summary") or item.get("content") or ())]
            yield ReasoningPart(provider=provider, text="\n\n".join(texts), data=item)
        case "function_call":
            cut = item.get("status") == "incomplete"
            yield tool_call_part(item["call_id"], item["name"], item["arguments"], cut=cut)
        case _:
            yield OpaquePart(provider=provider, data=item, tool=_tool_of(item))


def _message_parts(item: dict[str, Any], provider: str) -> Iterator[Part]:
    extras = {key: item[key] for key in ("phase",) if item.get(key)}
    text, cited = "", []
    for piece in item["content"]:
        if piece["type"] not in _KNOWN:
            continue
        cited += [_shifted(annotation, len(text)) for annotation in objects(piece.get("annotations"))]
        text += piece.get("text") or piece.get("refusal") or ""
    if text:
        yield TextPart(text=text)
        yield from (CitationPart(provider=provider, data=annotation) for annotation in cited)
        if extras:
            yield OpaquePart(provider=provider, data={"type": "message", **extras})


def _shifted(annotation: dict[str, Any], by: int) -> dict[str, Any]:
    """Return what is said of a piece of a text as it is of the whole."""
    places = {key: annotation[key] + by for key in _PLACES if isinstance(annotation.get(key), int)}
    return annotation | places


def _tool_of(item: dict[str, Any]) -> str:
    """Return the name of the provider's own tool that an item is a call of."""
    if item["type"] == "mcp_call":
        return f"{item.get('server_label')}/{item.get('name')}"
    if item["type"] == "mcp_list_tools":
        return str(item.get("server_label"))
    return _CALLS.get(item["type"], "")


def _unknown(answer: dict[str, Any]) -> str:
    pieces = (piece["type"] for item in answer["output"] if item["type"] == "message" for piece in item["content"])
    return left_out(kind for kind in pieces if kind not in _KNOWN)


def _reason(answer: dict[str, Any]) -> str | None:
    if answer.get("status") != "incomplete":
        return answer.get("status")
    return (answer.get("incomplete_details") or {}).get("reason")


def _refused(answer: dict[str, Any]) -> bool:
    return any(piece["type"] == "refusal" for item in answer["output"] for piece in item.get("content") or ())


def _is_search(item: dict[str, Any]) -> bool:
    return bool(item["type"] == "web_search_call" and (item.get("action") or {}).get("type", "search") == "search")
