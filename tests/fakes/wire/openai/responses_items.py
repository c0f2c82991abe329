"""What OpenAI's Responses endpoint refuses in the items of its input."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.fakes.wire.openai.words import MEASURED_RESPONSES, missing, too_long, unknown
from tests.fakes.wire.rule import Complaint, Json, RuleBook, listed

ITEMS = RuleBook("items of a Responses request")

_ROLES = ("assistant", "system", "developer", "user")
_ASSISTANT_PARTS = ("output_text", "refusal")
_USER_PARTS = ("input_text", "input_image", "input_file", "scoped_content", "input_audio")
_ID = re.compile(r"^[a-zA-Z0-9_]*[a-zA-Z0-9]\Z")
_PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "web_search_call": "ws",
    "file_search_call": "fs",
    "code_interpreter_call": "ci",
    "image_generation_call": "ig",
    "computer_call": "cu",
    "mcp_call": "mcp",
    "mcp_list_tools": "mcpl",
    "mcp_approval_request": "mcpr",
    "custom_tool_call": "ctc",
}
DONE = frozenset(_PREFIXES) - {"reasoning"}
"""What a model does in its turn, and what a reasoning item may come before."""


def items_of(body: Json) -> Iterator[tuple[int, Json]]:
    """Yield the items of the input with their places."""
    items = body.get("input")
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield index, item


def kind_of(item: Json) -> str:
    """Return the type of an item: a message, where none is said."""
    return str(item.get("type") or "message")


def parts_with_places(item: Json) -> Iterator[tuple[str, Json]]:
    """Yield the parts of a message or of a tool's output with their places."""
    for field in ("content", "output"):
        parts = item.get(field)
        for index, part in enumerate(parts if isinstance(parts, list) else ()):
            yield f"{field}[{index}]", part


@ITEMS.rule(MEASURED_RESPONSES)
def role_is_unknown(body: Json) -> Iterator[Complaint]:
    """Roles that the API does not have, such as `tool`."""
    for index, item in items_of(body):
        if kind_of(item) == "message" and item.get("role") not in _ROLES:
            words = f"Invalid value: '{item.get('role', '')}'. Supported values are: {listed(list(_ROLES))}."
            yield Complaint(words, f"input[{index}]", "invalid_value")


@ITEMS.rule(MEASURED_RESPONSES)
def content_is_missing(body: Json) -> Iterator[Complaint]:
    """Messages without content."""
    for index, item in items_of(body):
        if kind_of(item) == "message" and item.get("content") is None:
            yield missing(f"input[{index}].content")


@ITEMS.rule(MEASURED_RESPONSES)
def part_has_the_wrong_type(body: Json) -> Iterator[Complaint]:
    """Parts of a user in an assistant's message, and the other way round."""
    for index, item in items_of(body):
        takes = _ASSISTANT_PARTS if item.get("role") == "assistant" else _USER_PARTS
        for path, part in parts_with_places(item):
            if kind_of(item) in ("message", "function_call_output") and part.get("type") not in takes:
                words = f"Invalid value: '{part.get('type')}'. Supported values are: {listed(list(takes))}."
                yield Complaint(words, f"input[{index}].{path}", "invalid_value")


@ITEMS.rule(MEASURED_RESPONSES)
def phase_is_not_an_assistants(body: Json) -> Iterator[Complaint]:
    """A phase on a message that is not the assistant's."""
    for index, item in items_of(body):
        if "phase" in item and item.get("role") != "assistant":
            yield unknown(f"input[{index}].phase")


@ITEMS.rule("https://github.com/microsoft/vscode/issues/320060")
def output_without_call(body: Json) -> Iterator[Complaint]:
    """A tool's output whose call is missing."""
    called: set[Any] = set()
    for _, item in items_of(body):
        if kind_of(item) == "function_call":
            called.add(item.get("call_id"))
        elif kind_of(item) == "function_call_output" and item.get("call_id") not in called:
            words = f"No tool call found for function call output with call_id {item.get('call_id')}."
            yield Complaint(words, "input")


@ITEMS.rule("https://github.com/tjardoo/openai-client/pull/124")
def call_without_output(body: Json) -> Iterator[Complaint]:
    """A call of a tool without an output."""
    answered = {item.get("call_id") for _, item in items_of(body) if kind_of(item) == "function_call_output"}
    for _, item in items_of(body):
        if kind_of(item) == "function_call" and item.get("call_id") not in answered:
            yield Complaint(f"No tool output found for function call {item.get('call_id')}.", "input")


@ITEMS.rule("https://github.com/AnswerDotAI/fastllm/issues/45")
def call_id_is_too_long(body: Json) -> Iterator[Complaint]:
    """Ids of calls beyond 64 characters."""
    for index, item in items_of(body):
        yield from too_long(f"input[{index}].call_id", item.get("call_id"), 64)


@ITEMS.rule("https://github.com/jlcodes99/cockpit-tools/issues/2090")
def item_id_has_the_wrong_prefix(body: Json) -> Iterator[Complaint]:
    """Ids of items that do not begin as their type's do."""
    for index, item in items_of(body):
        prefix, given = _PREFIXES.get(kind_of(item)), item.get("id")
        if prefix and isinstance(given, str) and not given.startswith(prefix):
            words = f"Invalid 'input[{index}].id': '{given}'. Expected an ID that begins with '{prefix}'."
            yield Complaint(words, f"input[{index}].id", "invalid_value")


@ITEMS.rule("https://github.com/CopilotKit/CopilotKit/pull/6117")
def item_id_is_malformed(body: Json) -> Iterator[Complaint]:
    """Ids of items with a dash, whatever the words say, or other marks, or a last '_', or beyond 64."""
    for index, item in items_of(body):
        given = item.get("id")
        if isinstance(given, str) and not _ID.match(given):
            words = "Expected an ID that contains letters, numbers, underscores, or dashes,"
            told = f"Invalid 'input[{index}].id': '{given}'. {words} but this value contained additional characters."
            yield Complaint(told, f"input[{index}].id", "invalid_value")
        yield from too_long(f"input[{index}].id", given, 64)


@ITEMS.rule("https://github.com/OpenRouterTeam/ai-sdk-provider/issues/254")
def item_is_there_twice(body: Json) -> Iterator[Complaint]:
    """Two items of one id."""
    seen: set[str] = set()
    for _, item in items_of(body):
        given = item.get("id")
        if isinstance(given, str) and given in seen:
            words = f"Duplicate item found with id {given}. Remove duplicate items from your input and try again."
            yield Complaint(words, "input")
        seen.add(str(given))


@ITEMS.rule(MEASURED_RESPONSES)
def text_is_no_text(body: Json) -> Iterator[Complaint]:
    """Arguments and outputs in any other form than a text."""
    for index, item in items_of(body):
        if kind_of(item) == "function_call" and not isinstance(item.get("arguments"), str):
            path = f"input[{index}].arguments"
            words = f"Invalid type for '{path}': expected a string, but got an object instead."
            yield Complaint(words, path, "invalid_type")
        if kind_of(item) == "function_call_output" and not isinstance(item.get("output"), str | list):
            path = f"input[{index}].output"
            words = "expected one of an array of objects or string, but got an object instead."
            yield Complaint(f"Invalid type for '{path}': {words}", path, "invalid_type")
