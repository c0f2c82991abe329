"""The three wire protocols as their providers speak them: from a step of a script to server-sent events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import JsonValue

from sostenuto.activities.adapters.providers.scripted import ScriptedCall, ScriptedStep

Json = dict[str, Any]


class WireStep(ScriptedStep):
    """A step, with what only one protocol has."""

    blocks: tuple[dict[str, Any], ...] = ()
    """Content blocks (Anthropic), output items (Responses) or deltas (Chat Completions) to send as they are, first."""
    events: tuple[dict[str, Any], ...] = ()
    """Events of the stream to send as they are, after all content."""
    wire_stop: str = ""
    """The stop reason in the protocol's own word, in the place of the one that follows from the step."""
    wire_usage: tuple[JsonValue, ...] = ()
    """One value in the place of the protocol's own account of the tokens; empty for that."""
    refusal: str = ""
    """Text of a refusal. Responses and Chat Completions have a part of its own for it."""

    @property
    def said(self) -> str:
        """All the text."""
        return self.text + ("" if self.output is None else json.dumps(self.output))


def sse(events: Iterator[Json], *, named: bool) -> Iterator[bytes]:
    """The bytes of each event."""
    for event in events:
        name = f"event: {event['type']}\n" if named else ""
        yield f"{name}data: {json.dumps(event, ensure_ascii=False)}\n\n".encode()


def halves(text: str) -> tuple[str, str]:
    """The text in two pieces, so that every stream has to be put together."""
    return text[: len(text) // 2], text[len(text) // 2 :]


def raw_arguments(call: ScriptedCall) -> str:
    """What the model writes as the call's arguments."""
    return call.malformed or json.dumps(call.arguments)


def _usage(step: WireStep, counts: Json) -> JsonValue:
    return step.wire_usage[0] if step.wire_usage else counts


def anthropic_events(step: WireStep, model: str) -> Iterator[Json]:
    """The stream of one message."""
    usage = step.usage
    counts = {
        "input_tokens": usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cached_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
    }
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": []}
    yield {
        "type": "message_start",
        "message": message | {"stop_reason": None, "usage": _usage(step, counts | {"output_tokens": 1})},
    }
    yield {"type": "ping"}
    for index, (block, deltas) in enumerate(_anthropic_blocks(step)):
        yield {"type": "content_block_start", "index": index, "content_block": block}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield from step.events
    written: Json = {"output_tokens": usage.output_tokens}
    if usage.reasoning_tokens:
        written["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    stop = step.wire_stop or {"length": "max_tokens", "refusal": "refusal"}.get(step.stop or "", "")
    stop = stop or ("tool_use" if step.tool_calls else "end_turn")
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": stop, "stop_sequence": None},
        "usage": _usage(step, written),
    }
    yield {"type": "message_stop"}


def _anthropic_blocks(step: WireStep) -> Iterator[tuple[Json, list[Json]]]:
    for block in step.blocks:
        yield block, []
    if step.reasoning:
        pieces = [{"type": "thinking_delta", "thinking": piece} for piece in halves(step.reasoning)]
        signature = {"type": "signature_delta", "signature": "sig=="}
        yield {"type": "thinking", "thinking": "", "signature": ""}, [*pieces, signature]
    text = step.said + step.refusal
    if text:
        yield {"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in halves(text)]
    for index, call in enumerate(step.tool_calls):
        block = {"type": "tool_use", "id": f"toolu_{index}", "name": call.name, "input": {}}
        raw = halves(raw_arguments(call))
        yield block, [{"type": "input_json_delta", "partial_json": piece} for piece in raw]


def responses_events(step: WireStep, model: str, turn: int) -> Iterator[Json]:
    """The stream of one response."""
    response: Json = {"id": "resp_1", "object": "response", "created_at": 1, "model": model, "output": []}
    response |= {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
    yield _numbered({"type": "response.created", "response": response | {"status": "in_progress"}})
    items = list(_responses_items(step, turn))
    for index, (item, deltas) in enumerate(items):
        begun = item | ({"arguments": "", "status": "in_progress"} if item["type"] == "function_call" else {})
        yield _numbered({"type": "response.output_item.added", "output_index": index, "item": begun})
        for delta in deltas:
            yield _numbered(delta | {"output_index": index, "item_id": item.get("id", "")})
        yield _numbered({"type": "response.output_item.done", "output_index": index, "item": item})
    yield from (_numbered(event) for event in step.events)
    reason = step.wire_stop or ("max_output_tokens" if step.stop == "length" else "")
    status = "incomplete" if reason else "completed"
    details = {"incomplete_details": {"reason": reason}} if reason else {}
    usage = step.usage
    counts = {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cached_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.total_tokens,
    }
    whole = (
        response | {"status": status, "output": [item for item, _ in items], "usage": _usage(step, counts)} | details
    )
    yield _numbered({"type": f"response.{status}", "response": whole})


def _responses_items(step: WireStep, turn: int) -> Iterator[tuple[Json, list[Json]]]:
    for block in step.blocks:
        yield block, []
    if step.reasoning:
        summary = [{"type": "summary_text", "text": step.reasoning}]
        item: Json = {"id": f"rs_{turn + 1}", "type": "reasoning", "summary": summary, "encrypted_content": "gAAA=="}
        kind = "response.reasoning_summary_text.delta"
        yield item, [{"type": kind, "delta": piece, "summary_index": 0} for piece in halves(step.reasoning)]
    for kind, text in (("output_text", step.said), ("refusal", step.refusal)):
        if text:
            field = {"text": text, "annotations": []} if kind == "output_text" else {"refusal": text}
            item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
            item["content"] = [{"type": kind, **field}]
            yield item, [{"type": f"response.{kind}.delta", "delta": p, "content_index": 0} for p in halves(text)]
    for index, call in enumerate(step.tool_calls):
        raw = raw_arguments(call)
        item = {"id": f"fc_{index}", "type": "function_call", "call_id": f"call_x{index}", "name": call.name}
        item |= {"arguments": raw, "status": "completed"}
        yield item, [{"type": "response.function_call_arguments.delta", "delta": piece} for piece in halves(raw)]


def _numbered(event: Json) -> Json:
    return event | {"sequence_number": 0}


def chat_events(step: WireStep, model: str) -> Iterator[Json]:
    """The stream of one completion."""
    chunk: Json = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model}
    for delta in _chat_deltas(step):
        yield chunk | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield from step.events
    stop = step.wire_stop or ("length" if step.stop == "length" else "tool_calls" if step.tool_calls else "stop")
    yield chunk | {"choices": [{"index": 0, "delta": {}, "finish_reason": stop}]}
    usage = step.usage
    counts = {
        "prompt_tokens": usage.input_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cached_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "completion_tokens": usage.output_tokens,
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.total_tokens,
    }
    yield chunk | {"choices": [], "usage": _usage(step, counts)}


def _chat_deltas(step: WireStep) -> Iterator[Json]:
    yield {"role": "assistant", "content": ""}
    yield from step.blocks
    for field, text in (("reasoning_content", step.reasoning), ("content", step.said), ("refusal", step.refusal)):
        yield from ({field: piece} for piece in halves(text) if piece)
    for index, call in enumerate(step.tool_calls):
        head, rest = halves(raw_arguments(call))
        function = {"name": call.name, "arguments": head}
        yield {"tool_calls": [{"index": index, "id": f"chat_{index}", "type": "function", "function": function}]}
        yield {"tool_calls": [{"index": index, "function": {"arguments": rest}}]}
