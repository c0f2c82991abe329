"""Bodies of requests that every endpoint takes, and what they are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.fakes.wire.rule import Json

PNG = "iVBORw0KGgo="
JPEG = "/9j/4AAQ"
PDF = "JVBERi0="
WEB = "https://example.com/a.png"
LONG = "n" * 200
SCHEMA: Json = {
    "type": "object",
    "properties": {"what": {"type": "string"}},
    "required": ["what"],
    "additionalProperties": False,
}
LOOSE: Json = {"type": "object", "properties": {"what": {"type": "string"}}, "required": ["what"]}


@dataclass(frozen=True)
class Control:
    """A body that an endpoint takes, and what is broken in the others: one for each kind of fault."""

    mended: Json
    broken: tuple[Json, ...]


def control(mended: Json, *broken: Json) -> Control:
    """Return the control of a rule."""
    return Control(mended, broken)


def _filled(body: Json, fields: Json) -> Json:
    return {key: value for key, value in (body | fields).items() if value is not ...}


# Anthropic, Messages.

SEARCH: Json = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}}
FOUND: Json = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
CLAIM: Json = {
    "type": "web_search_result_location",
    "url": "https://example.com",
    "title": "An example",
    "cited_text": "It is so.",
    "encrypted_index": "x",
}
CLAUDE_TOOL: Json = {"name": "look_up", "description": "Looks up.", "input_schema": LOOSE}


def user(*content: Any) -> Json:
    """A user's message: a text, or blocks."""
    return {"role": "user", "content": content[0] if len(content) == 1 and isinstance(content[0], str) else [*content]}


def assistant(*content: Any) -> Json:
    """An assistant's message: a text, or blocks."""
    return user(*content) | {"role": "assistant"}


def text(said: str, **fields: Any) -> Json:
    """A block of text."""
    return {"type": "text", "text": said, **fields}


def use(call_id: str = "call_1", **fields: Any) -> Json:
    """A call of a tool. A field that is `...` is left out."""
    return _filled({"type": "tool_use", "id": call_id, "name": "look_up", "input": {"what": "Oslo"}}, fields)


def result(call_id: str = "call_1", **fields: Any) -> Json:
    """The result of a call."""
    return {"type": "tool_result", "tool_use_id": call_id, "content": "700000", **fields}


def thought(**fields: Any) -> Json:
    """A thought. A field that is `...` is left out."""
    return _filled({"type": "thinking", "thinking": "Hm.", "signature": "sig=="}, fields)


def image(data: str = PNG, media_type: str = "image/png") -> Json:
    """A picture."""
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}


def document(data: str = PDF, media_type: str = "application/pdf") -> Json:
    """A document."""
    return {"type": "document", "source": {"type": "base64", "media_type": media_type, "data": data}}


def claude(*messages: Json, **fields: Any) -> Json:
    """A body for the Messages endpoint. A field that is `...` is left out."""
    base: Json = {"model": "claude-sonnet-4-6", "max_tokens": 4_000, "stream": True}
    return _filled(base | {"messages": list(messages or [user("Hello?")])}, fields)


def claude_called(*blocks: Json, **fields: Any) -> Json:
    """A conversation in which blocks of the assistant are followed by the result of the call."""
    return claude(user("Go"), assistant(*(blocks or (use(),))), user(result()), **({"tools": [CLAUDE_TOOL]} | fields))


# OpenAI, Responses.

FUNCTION: Json = {"type": "function", "name": "look_up", "parameters": SCHEMA, "strict": True}


def asked(*content: Any) -> Json:
    """A user's item: a text, or parts."""
    return user(*content)


def called(call_id: str = "call_1", **fields: Any) -> Json:
    """A call of a function."""
    return {"type": "function_call", "call_id": call_id, "name": "look_up", "arguments": '{"what": "x"}', **fields}


def output(call_id: str = "call_1", **fields: Any) -> Json:
    """The output of a function."""
    return {"type": "function_call_output", "call_id": call_id, "output": "700000", **fields}


def reasoned(**fields: Any) -> Json:
    """A reasoning item. A field that is `...` is left out."""
    base: Json = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "gAAA=="}
    return _filled(base, fields)


def responses(*items: Json, **fields: Any) -> Json:
    """A body for the Responses endpoint. A field that is `...` is left out."""
    base: Json = {"model": "gpt-5.6-terra", "store": False, "stream": True}
    return _filled(base | {"input": list(items or [asked("Hello?")])}, fields)


def answer_format(schema: Json | None = None, **fields: Any) -> Json:
    """A format of the answer."""
    form = {"type": "json_schema", "name": "Answer", "schema": schema or SCHEMA, "strict": True}
    return {"format": _filled(form, fields)}


# Chat Completions.


def function(**fields: Any) -> Json:
    """A tool. A field that is `...` is left out."""
    return {"type": "function", "function": _filled({"name": "look_up", "parameters": LOOSE}, fields)}


def call(call_id: str = "call_1", **fields: Any) -> Json:
    """A call of a tool. A field that is `...` is left out."""
    made = _filled({"name": "look_up", "arguments": '{"what": "x"}'}, fields)
    return _filled({"id": call_id, "type": "function", "function": made}, {})


def calls(*made: Json, **fields: Any) -> Json:
    """An assistant's message with calls. A field that is `...` is left out."""
    return _filled({"role": "assistant", "content": "I look.", "tool_calls": list(made or [call()])}, fields)


def tool(call_id: str = "call_1", **fields: Any) -> Json:
    """A tool's message."""
    return {"role": "tool", "tool_call_id": call_id, "content": "700000", **fields}


def system(said: str = "Be brief.", role: str = "system") -> Json:
    """Instructions."""
    return {"role": role, "content": said}


def picture(url: str = f"data:image/png;base64,{PNG}") -> Json:
    """A picture."""
    return {"type": "image_url", "image_url": {"url": url}}


def file(**fields: Any) -> Json:
    """A file. A field that is `...` is left out."""
    base = {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}
    return {"type": "file", "file": _filled(base, fields)}


def form(schema: Json | None = None, **fields: Any) -> Json:
    """A response format."""
    return {"type": "json_schema", "json_schema": _filled({"name": "Answer", "schema": schema or LOOSE}, fields)}


def chat(*messages: Json, **fields: Any) -> Json:
    """A body for Chat Completions. A field that is `...` is left out."""
    return _filled({"model": "any", "stream": True, "messages": list(messages or [user("Hello?")])}, fields)


def chat_called(*after: Json, **fields: Any) -> Json:
    """A conversation in which a call is answered."""
    return chat(user("Go"), calls(), tool(), *after, **({"tools": [function()]} | fields))
