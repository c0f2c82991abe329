"""What OpenAI's Responses endpoint refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.fakes.wire.openai_models import family_of, is_fine_tuned
from tests.fakes.wire.openai_schema import schema_faults
from tests.fakes.wire.rule import Complaint, Json, RuleBook, listed

RESPONSES = RuleBook("OpenAI Responses")

_NAME = re.compile(r"^[a-zA-Z0-9_-]+\Z")
_NAME_CHARS = 64
_ROLES = ("assistant", "system", "developer", "user")
_ASSISTANT_PARTS = ("output_text", "refusal")
_USER_PARTS = ("input_text", "input_image", "input_file", "scoped_content", "input_audio")
_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
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
# What a model does in its turn, and what a reasoning item may come before.
_DONE = frozenset(_PREFIXES) - {"reasoning"}
_PARITY = "https://github.com/kangminlee-maker/local-OAuth-CLI-API-adapter"
_SDK = "openai 3.54, types/responses/response_create_params.py"


def _items(body: Json) -> Iterator[tuple[int, Json]]:
    items = body.get("input")
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield index, item


def _kind(item: Json) -> str:
    return str(item.get("type") or "message")


def _parts(item: Json) -> Iterator[tuple[str, Json]]:
    for field in ("content", "output"):
        parts = item.get(field)
        for index, part in enumerate(parts if isinstance(parts, list) else ()):
            yield f"{field}[{index}]", part


def _too_long(path: str, text: Any, most: int) -> Iterator[Complaint]:
    if isinstance(text, str) and len(text) > most:
        words = (
            f"string too long. Expected a string with maximum length {most}, but got a string with length {len(text)}"
        )
        yield Complaint(f"Invalid '{path}': {words} instead.", path, "string_above_max_length")


@RESPONSES.rule(_PARITY)
def input_is_missing(body: Json) -> Iterator[Complaint]:
    """No input, or an empty one."""
    if "input" not in body:
        yield Complaint("Missing required parameter: 'input'.", "input", "missing_required_parameter")
    elif not body["input"]:
        words = "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation' must be provided."
        yield Complaint(words, None, "missing_required_parameter")


@RESPONSES.rule("https://github.com/cline/cline/issues/5419")
def parameter_has_moved(body: Json) -> Iterator[Complaint]:
    """Parameters of Chat Completions."""
    moved = {"messages": "input", "response_format": "text.format", "reasoning_effort": "reasoning.effort"}
    for old, new in moved.items():
        if old in body:
            words = f"In the Responses API, this parameter has moved to '{new}'."
            yield Complaint(f"Unsupported parameter: '{old}'. {words}", None, "unsupported_parameter")
    for unknown in ("n", "stop", "seed", "logprobs", "max_tokens", "max_completion_tokens"):
        if unknown in body:
            yield Complaint(f"Unknown parameter: '{unknown}'.", unknown, "unknown_parameter")


@RESPONSES.rule(f"{_PARITY}; minimum 16 in openai/openai-openapi")
def max_output_tokens_below_minimum(body: Json) -> Iterator[Complaint]:
    """Room for less than 16 tokens."""
    tokens = body.get("max_output_tokens")
    if tokens is not None and tokens < 16:
        words = f"integer below minimum value. Expected a value >= 16, but got {tokens} instead."
        yield Complaint(f"Invalid 'max_output_tokens': {words}", "max_output_tokens", "integer_below_min_value")


@RESPONSES.rule(f"{_PARITY}; maxLength in openai/openai-openapi")
def string_is_too_long(body: Json) -> Iterator[Complaint]:
    """Cache keys, identifiers and texts beyond their length."""
    yield from _too_long("prompt_cache_key", body.get("prompt_cache_key"), 64)
    yield from _too_long("safety_identifier", body.get("safety_identifier"), 64)
    for index, item in _items(body):
        for path, part in _parts(item):
            yield from _too_long(f"input[{index}].{path}.text", part.get("text"), 10_485_760)


@RESPONSES.rule(_PARITY)
def metadata_is_too_much(body: Json) -> Iterator[Complaint]:
    """Metadata beyond 16 pairs, or values beyond 512 characters."""
    metadata = body.get("metadata") or {}
    if len(metadata) > 16:
        words = f"too many properties. Expected an object with at most 16 properties, but got {len(metadata)}"
        yield Complaint(f"Invalid 'metadata': {words} instead.", "metadata", "object_above_max_properties")
    for key, value in metadata.items():
        yield from _too_long(f"metadata.{key}", value, 512)


@RESPONSES.rule(_PARITY)
def role_is_unknown(body: Json) -> Iterator[Complaint]:
    """Roles that the API does not have, such as `tool`."""
    for index, item in _items(body):
        if _kind(item) == "message" and item.get("role") not in _ROLES:
            words = f"Invalid value: '{item.get('role', '')}'. Supported values are: {listed(list(_ROLES))}."
            yield Complaint(words, f"input[{index}]", "invalid_value")


@RESPONSES.rule(_PARITY)
def content_is_missing(body: Json) -> Iterator[Complaint]:
    """Messages without content."""
    for index, item in _items(body):
        if _kind(item) == "message" and item.get("content") is None:
            path = f"input[{index}].content"
            yield Complaint(f"Missing required parameter: '{path}'.", path, "missing_required_parameter")


@RESPONSES.rule(_PARITY)
def part_has_the_wrong_type(body: Json) -> Iterator[Complaint]:
    """Parts of a user in an assistant's message, and the other way round."""
    for index, item in _items(body):
        takes = _ASSISTANT_PARTS if item.get("role") == "assistant" else _USER_PARTS
        for path, part in _parts(item):
            if _kind(item) in ("message", "function_call_output") and part.get("type") not in takes:
                words = f"Invalid value: '{part.get('type')}'. Supported values are: {listed(list(takes))}."
                yield Complaint(words, f"input[{index}].{path}", "invalid_value")


@RESPONSES.rule(_PARITY)
def phase_is_not_an_assistants(body: Json) -> Iterator[Complaint]:
    """A phase on a message that is not the assistant's."""
    for index, item in _items(body):
        if "phase" in item and item.get("role") != "assistant":
            yield Complaint(f"Unknown parameter: 'input[{index}].phase'.", f"input[{index}].phase", "unknown_parameter")


@RESPONSES.rule("https://github.com/continuedev/continue/issues/8933")
def reasoning_without_following_item(body: Json) -> Iterator[Complaint]:
    """A reasoning item that is not followed by what the model did after it."""
    items = [item for _, item in _items(body)]
    for index, item in enumerate(items):
        if _kind(item) != "reasoning" or not item.get("id"):
            continue
        after = items[index + 1] if index + 1 < len(items) else {}
        done = _kind(after) in _DONE and after.get("role", "assistant") == "assistant" and after
        if not done and _kind(after) != "reasoning":
            words = f"Item '{item['id']}' of type 'reasoning' was provided without its required following item."
            yield Complaint(words, "input")


@RESPONSES.rule("https://github.com/VRSEN/agency-swarm/issues/367")
def item_without_its_reasoning(body: Json) -> Iterator[Complaint]:
    """A call under its original id whose reasoning item is missing."""
    seen: set[str] = set()
    for _, item in _items(body):
        # The double's own ids say what they come after, since it keeps nothing.
        needed = str(item.get("id", "")).partition("_after_")[2]
        if needed and needed not in seen:
            kind = f"Item '{item['id']}' of type '{_kind(item)}' was provided without its required 'reasoning' item"
            yield Complaint(f"{kind}: '{needed}'.", "input")
        seen.add(str(item.get("id")))


@RESPONSES.rule("https://github.com/openai/openai-agents-python/issues/2020", status=404)
def item_is_not_kept(body: Json) -> Iterator[Complaint]:
    """A reference, or reasoning without its content, where nothing was stored."""
    for _, item in _items(body):
        bare = _kind(item) == "reasoning" and item.get("id") and not item.get("encrypted_content")
        if bare or _kind(item) == "item_reference":
            words = "Items are not persisted when `store` is set to false."
            yield Complaint(f"Item with id '{item.get('id')}' not found. {words}", "input")


@RESPONSES.rule("https://platform.openai.com/docs/guides/reasoning")
def reasoning_item_has_content(body: Json) -> Iterator[Complaint]:
    """Reasoning whose raw text is sent back, or without its summary."""
    for index, item in _items(body):
        if _kind(item) != "reasoning":
            continue
        if "summary" not in item:
            path = f"input[{index}].summary"
            yield Complaint(f"Missing required parameter: '{path}'.", path, "missing_required_parameter")
        if item.get("content"):
            words = "array too long. Expected an array with maximum length 0, but got an array with length 1 instead."
            yield Complaint(
                f"Invalid 'input[{index}].content': {words}", f"input[{index}].content", "array_above_max_length"
            )


@RESPONSES.rule("https://github.com/openai/codex/issues/8119")
def encrypted_content_is_not_ours(body: Json) -> Iterator[Complaint]:
    """Reasoning that another provider encrypted."""
    for _, item in _items(body):
        content = item.get("encrypted_content") if _kind(item) == "reasoning" else None
        if content and not str(content).startswith("gAAA"):
            words = f"The encrypted content {content} could not be verified."
            yield Complaint(words, None, "invalid_encrypted_content")


@RESPONSES.rule("https://github.com/microsoft/vscode/issues/320060")
def output_without_call(body: Json) -> Iterator[Complaint]:
    """A tool's output whose call is missing."""
    called: set[Any] = set()
    for _, item in _items(body):
        if _kind(item) == "function_call":
            called.add(item.get("call_id"))
        elif _kind(item) == "function_call_output" and item.get("call_id") not in called:
            words = f"No tool call found for function call output with call_id {item.get('call_id')}."
            yield Complaint(words, "input")


@RESPONSES.rule("https://github.com/smallmain/vscode-unify-chat-provider/issues/40")
def call_without_output(body: Json) -> Iterator[Complaint]:
    """A call of a tool without an output."""
    answered = {item.get("call_id") for _, item in _items(body) if _kind(item) == "function_call_output"}
    for _, item in _items(body):
        if _kind(item) == "function_call" and item.get("call_id") not in answered:
            yield Complaint(f"No tool output found for function call {item.get('call_id')}.", "input")


@RESPONSES.rule("https://github.com/AnswerDotAI/fastllm/issues/45")
def call_id_is_too_long(body: Json) -> Iterator[Complaint]:
    """Ids of calls beyond 64 characters."""
    for index, item in _items(body):
        yield from _too_long(f"input[{index}].call_id", item.get("call_id"), 64)


@RESPONSES.rule("https://github.com/jlcodes99/cockpit-tools/issues/2090")
def item_id_has_the_wrong_prefix(body: Json) -> Iterator[Complaint]:
    """Ids of items that do not begin as their type's do."""
    for index, item in _items(body):
        prefix, given = _PREFIXES.get(_kind(item)), item.get("id")
        if prefix and isinstance(given, str) and not given.startswith(prefix):
            words = f"Invalid 'input[{index}].id': '{given}'. Expected an ID that begins with '{prefix}'."
            yield Complaint(words, f"input[{index}].id", "invalid_value")


@RESPONSES.rule("https://github.com/microsoft/vscode/issues/321977")
def item_is_there_twice(body: Json) -> Iterator[Complaint]:
    """Two items of one id."""
    seen: set[str] = set()
    for _, item in _items(body):
        given = item.get("id")
        if isinstance(given, str) and given in seen:
            words = f"Duplicate item found with id {given}. Remove duplicate items from your input and try again."
            yield Complaint(words, "input")
        seen.add(str(given))


@RESPONSES.rule("https://github.com/microsoft/agent-framework/issues/7483")
def reasoning_is_asked_of_a_model_without(body: Json) -> Iterator[Complaint]:
    """Reasoning settings, content or items for a model that does not reason."""
    if family_of(body["model"]).reasons:
        return
    if "reasoning.encrypted_content" in (body.get("include") or ()):
        yield Complaint("Encrypted content is not supported with this model.", "include")
    for key in ("effort", "summary"):
        if (body.get("reasoning") or {}).get(key):
            words = f"Unsupported parameter: 'reasoning.{key}' is not supported with this model."
            yield Complaint(words, f"reasoning.{key}", "unsupported_parameter")
    if any(_kind(item) == "reasoning" for _, item in _items(body)):
        yield Complaint("Reasoning input items can only be provided to a reasoning or computer use model.", "input")


@RESPONSES.rule(_PARITY)
def effort_is_not_the_models(body: Json) -> Iterator[Complaint]:
    """An effort that the model does not have."""
    effort, efforts = (body.get("reasoning") or {}).get("effort"), family_of(body["model"]).efforts
    if effort and efforts and effort not in efforts:
        words = f"'{effort}' is not supported with the '{body['model']}' model."
        takes = f"Supported values are: {listed(list(efforts))}."
        yield Complaint(f"Unsupported value: {words} {takes}", "reasoning.effort", "unsupported_value")


@RESPONSES.rule(_PARITY)
def sampling_is_fixed_while_reasoning(body: Json) -> Iterator[Complaint]:
    """Temperature and top_p for a model that reasons."""
    family = family_of(body["model"])
    effort = (body.get("reasoning") or {}).get("effort") or family.effort
    if family.sampling or effort == "none":
        return
    for key in ("temperature", "top_p"):
        if body.get(key) is not None:
            yield Complaint(f"Unsupported parameter: '{key}' is not supported with this model.", key)


@RESPONSES.rule(_PARITY)
def tool_has_no_name(body: Json) -> Iterator[Complaint]:
    """Tools in the form of Chat Completions."""
    for index, tool in enumerate(body.get("tools") or ()):
        if tool.get("type") == "function" and not tool.get("name"):
            path = f"tools[{index}].name"
            yield Complaint(f"Missing required parameter: '{path}'.", path, "missing_required_parameter")


@RESPONSES.rule("https://github.com/openai/openai-openapi, FunctionToolParam")
def function_name_does_not_match(body: Json) -> Iterator[Complaint]:
    """Names of tools and of past calls with other characters than letters, digits, '_' and '-'."""
    tools = ((f"tools[{i}].name", tool.get("name")) for i, tool in enumerate(body.get("tools") or ()))
    calls = ((f"input[{i}].name", item.get("name")) for i, item in _items(body) if _kind(item) == "function_call")
    for path, name in (*tools, *calls):
        if name is not None and not _NAME.match(name):
            words = "string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
            yield Complaint(f"Invalid '{path}': {words}", path, "invalid_value")
        yield from _too_long(path, name, _NAME_CHARS)


@RESPONSES.rule("https://github.com/xemantic/xemantic-ai-tool-schema/issues/37")
def parameters_are_no_schema(body: Json) -> Iterator[Complaint]:
    """Tools whose schema is refused."""
    for index, tool in enumerate(body.get("tools") or ()):
        if tool.get("type") != "function":
            continue
        strict = tool.get("strict") is True
        for fault in schema_faults(tool.get("parameters"), strict=strict, fine_tuned=is_fine_tuned(body["model"])):
            words = f"Invalid schema for function '{tool.get('name')}': {fault}"
            yield Complaint(words, f"tools[{index}].parameters", "invalid_function_parameters")


@RESPONSES.rule("https://platform.openai.com/docs/api-reference/responses/create")
def tool_choice_names_no_tool(body: Json) -> Iterator[Complaint]:
    """A choice of a tool where there is none, or not this one."""
    choice, tools = body.get("tool_choice"), body.get("tools") or []
    if choice is None or choice in ("auto", "none"):
        return
    if not tools:
        yield Complaint("Tool choice 'required' must be specified with 'tools' parameter.", "tool_choice")
    elif isinstance(choice, dict) and choice.get("type") == "function":
        if not choice.get("name"):
            path = "tool_choice.name"
            yield Complaint(f"Missing required parameter: '{path}'.", path, "missing_required_parameter")
        elif choice["name"] not in [tool.get("name") for tool in tools]:
            yield Complaint("Tool choice 'function' not found in 'tools' parameter.", "tool_choice")


@RESPONSES.rule(_PARITY)
def answer_format_is_none(body: Json) -> Iterator[Complaint]:
    """A format of the answer without a name, or with one that does not match."""
    form = (body.get("text") or {}).get("format") or {}
    if form.get("type") != "json_schema":
        return
    if not form.get("name"):
        path = "text.format.name"
        yield Complaint(f"Missing required parameter: '{path}'.", path, "missing_required_parameter")
    elif not _NAME.match(form["name"]):
        words = "string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
        yield Complaint(f"Invalid 'text.format.name': {words}", "text.format.name", "invalid_value")
    yield from _too_long("text.format.name", form.get("name"), 64)


@RESPONSES.rule("https://platform.openai.com/docs/guides/structured-outputs")
def answer_schema_is_refused(body: Json) -> Iterator[Complaint]:
    """A schema of the answer that is refused, or a model that enforces none."""
    form = (body.get("text") or {}).get("format") or {}
    if form.get("type") != "json_schema":
        return
    if not family_of(body["model"]).strict:
        words = "Invalid parameter: 'text.format' of type 'json_schema' is not supported with this model."
        yield Complaint(words, "text.format")
    strict = form.get("strict") is True
    for fault in schema_faults(form.get("schema"), strict=strict, fine_tuned=is_fine_tuned(body["model"])):
        words = f"Invalid schema for response_format '{form.get('name')}': {fault}"
        yield Complaint(words, "text.format.schema", "invalid_json_schema")


@RESPONSES.rule("https://platform.openai.com/docs/guides/structured-outputs#json-mode")
def json_mode_without_the_word(body: Json) -> Iterator[Complaint]:
    """JSON mode without the word in the input."""
    if ((body.get("text") or {}).get("format") or {}).get("type") != "json_object":
        return
    if "json" not in json.dumps(body["input"]).lower():
        words = "Response input messages must contain the word 'json' in some form to use 'text.format' of type"
        yield Complaint(f"{words} 'json_object'.", "input")


@RESPONSES.rule("https://github.com/mkht/PSOpenAI/issues/43")
def image_is_not_one(body: Json) -> Iterator[Complaint]:
    """Data URLs of images that are not base64, or of another type."""
    for index, item in _items(body):
        for path, part in _parts(item):
            url = part.get("image_url")
            if part.get("type") != "input_image" or not isinstance(url, str) or not url.startswith("data:"):
                continue
            media, _, data = url.removeprefix("data:").partition(";base64,")
            where = f"input[{index}].{path}.image_url"
            wanted = (
                "Expected a base64-encoded data URL with an image MIME type (e.g. 'data:image/png;base64,aW1nIGJ5')"
            )
            if media not in _IMAGES:
                words = f"{wanted}, but got unsupported MIME type '{media}'."
                yield Complaint(f"Invalid '{where}'. {words}", where, "invalid_value")
            elif not data:
                yield Complaint(
                    f"Invalid '{where}'. {wanted}, but got empty base64-encoded bytes.", where, "invalid_value"
                )


@RESPONSES.rule("https://github.com/pydantic/pydantic-ai, recorded cassettes of tests/models")
def file_is_not_one(body: Json) -> Iterator[Complaint]:
    """Files that are no data URL, or of a type that is not taken."""
    for index, item in _items(body):
        for path, part in _parts(item):
            data = part.get("file_data")
            if part.get("type") != "input_file" or data is None:
                continue
            where = f"input[{index}].{path}.file_data"
            media = data.removeprefix("data:").partition(";base64,")[0]
            if not data.startswith("data:"):
                yield Complaint(f"Invalid '{where}'.", where, "invalid_value")
            elif media.startswith(("audio/", "video/", "application/zip", "application/octet-stream")):
                wanted = "Expected a base64-encoded data URL with a valid file MIME type"
                words = f"{wanted}, but got unsupported MIME type '{media}'."
                yield Complaint(f"Invalid file data: '{where}'. {words}", where, "invalid_value")


@RESPONSES.rule(_SDK)
def instructions_are_no_text(body: Json) -> Iterator[Complaint]:
    """Instructions in any other form than a text."""
    given = body.get("instructions", "")
    if not isinstance(given, str):
        words = "Invalid type for 'instructions': expected a string, but got an array instead."
        yield Complaint(words, "instructions", "invalid_type")


@RESPONSES.rule(_PARITY)
def text_is_no_text(body: Json) -> Iterator[Complaint]:
    """Arguments and outputs in any other form than a text."""
    for index, item in _items(body):
        if _kind(item) == "function_call" and not isinstance(item.get("arguments"), str):
            path = f"input[{index}].arguments"
            yield Complaint(
                f"Invalid type for '{path}': expected a string, but got an object instead.", path, "invalid_type"
            )
        if _kind(item) == "function_call_output" and not isinstance(item.get("output"), str | list):
            path = f"input[{index}].output"
            words = "expected one of an array of objects or string, but got an object instead."
            yield Complaint(f"Invalid type for '{path}': {words}", path, "invalid_type")


@RESPONSES.rule("https://platform.openai.com/docs/guides/tools-web-search")
def hosted_tools_need_more_effort(body: Json) -> Iterator[Complaint]:
    """Hosted tools beside the effort `minimal`."""
    kinds = [tool["type"] for tool in body.get("tools") or () if tool.get("type") in ("web_search", "image_generation")]
    if kinds and (body.get("reasoning") or {}).get("effort") == "minimal":
        words = "The following tools cannot be used with reasoning.effort 'minimal'"
        yield Complaint(f"{words}: {', '.join(kinds)}.", "tools")
