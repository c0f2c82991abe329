"""What Google's Gemini refuses on its endpoint of Chat Completions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.fakes.wire.chat_rules import CHAT
from tests.fakes.wire.dialects.json_schemas import FORMS, form_of, tool_nodes
from tests.fakes.wire.openai.chat_messages import messages_of, tools_of
from tests.fakes.wire.rule import Complaint, Json, RuleBook

GEMINI = RuleBook("Google Gemini", CHAT)

_TOP = frozenset(
    {
        *("model", "messages", "stream", "tools", "tool_choice", "temperature", "top_p", "stop", "n", "user", "seed"),
        *("max_tokens", "max_completion_tokens", "presence_penalty", "frequency_penalty", "parallel_tool_calls"),
        *("reasoning_effort", "response_format", "stream_options", "extra_body", "logprobs", "top_logprobs"),
    }
)
_UNKNOWN_KEYWORDS = (
    *("$schema", "additionalProperties", "propertyNames", "const", "exclusiveMinimum", "exclusiveMaximum", "$defs"),
    *("$ref", "oneOf", "allOf", "not", "patternProperties", "uniqueItems", "definitions", "examples"),
)
_NAME = re.compile(r"^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}\Z")


def _is_new(body: Json) -> bool:
    return bool(re.match(r"(models/)?gemini-([3-9]|\d\d)", str(body.get("model", ""))))


def _thinking_config(body: Json) -> Json:
    config: Json = ((body.get("extra_body") or {}).get("google") or {}).get("thinking_config") or {}
    return config


@GEMINI.rule("https://github.com/manthanabc/paws/issues/103")
def thought_signature_is_missing(body: Json) -> Iterator[Complaint]:
    """Calls since the last question without the signature that came with them."""
    messages = messages_of(body)
    last = max((i for i, message in enumerate(messages) if message.get("role") == "user"), default=0)
    for message in messages[last:] if _is_new(body) else ():
        for call in (message.get("tool_calls") or ())[:1]:
            if not ((call.get("extra_content") or {}).get("google") or {}).get("thought_signature"):
                words = "Function call is missing a thought_signature in functionCall parts."
                why = "This is required for tools to work correctly, and missing thought_signature may lead to degraded"
                more = f"Additional data, function call `default_api:{call['function']['name']}` , position 2."
                see = "Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details."
                yield Complaint(f"{words} {why} model performance. {more} {see}")


@GEMINI.rule("https://github.com/MinLL/SkyrimNet-GamePlugin/issues/77")
def gemini_field_is_unknown(body: Json) -> Iterator[Complaint]:
    """Fields that the API does not have."""
    for key in sorted(body.keys() - _TOP):
        yield Complaint(f'Invalid JSON payload received. Unknown name "{key}": Cannot find field.')


@GEMINI.rule("https://github.com/zed-industries/zed/issues/44875")
def gemini_keyword_is_unknown(body: Json) -> Iterator[Complaint]:
    """Keywords of JSON Schema that the API does not have."""
    for path, schema in tool_nodes(body):
        for key in _UNKNOWN_KEYWORDS:
            if key in schema:
                words = f"Unknown name \"{key}\" at '{path}': Cannot find field."
                yield Complaint(f"Invalid JSON payload received. {words}")


@GEMINI.rule("https://github.com/agno-agi/agno/issues/2112")
def gemini_object_is_empty(body: Json) -> Iterator[Complaint]:
    """Objects without properties."""
    for path, schema in tool_nodes(body):
        if schema.get("type") == "object" and not schema.get("properties"):
            yield Complaint(f"* GenerateContentRequest.{path}.properties: should be non-empty for OBJECT type")


@GEMINI.rule("https://github.com/cline/cline/issues/7926")
def gemini_array_without_items(body: Json) -> Iterator[Complaint]:
    """Arrays that do not say of what."""
    for path, schema in tool_nodes(body):
        if schema.get("type") == "array" and not schema.get("items"):
            yield Complaint(f"* GenerateContentRequest.{path}.items: missing field.")


@GEMINI.rule("https://github.com/anomalyco/opencode/pull/49392")
def gemini_items_of_no_array(body: Json) -> Iterator[Complaint]:
    """Items of what is no array, such as those beside alternatives."""
    for path, schema in tool_nodes(body):
        if "items" in schema and schema.get("type") != "array":
            yield Complaint(f"* GenerateContentRequest.{path}.items: field predicate failed: $type == Type.ARRAY")


@GEMINI.rule("https://github.com/danny-avila/LibreChat/issues/6971")
def gemini_type_is_missing(body: Json) -> Iterator[Complaint]:
    """Anything without a type, or with several."""
    for path, schema in tool_nodes(body):
        if not isinstance(schema.get("type"), str) and "anyOf" not in schema:
            words = "must be specified when not using one_of, any_of or all_of fields"
            yield Complaint(f"* GenerateContentRequest.{path}.type: {words}")


@GEMINI.rule("https://github.com/directus/directus/issues/27100")
def gemini_enum_is_no_text(body: Json) -> Iterator[Complaint]:
    """Choices among anything but texts."""
    for path, schema in tool_nodes(body):
        enum = schema.get("enum")
        if enum is not None and (schema.get("type") != "string" or not all(isinstance(v, str) and v for v in enum)):
            yield Complaint(f"* GenerateContentRequest.{path}.enum: only allowed for STRING type")


@GEMINI.rule("https://github.com/google-gemini/gemini-cli/issues/5450")
def gemini_format_is_unknown(body: Json) -> Iterator[Complaint]:
    """Formats of texts beyond two."""
    for path, schema in tool_nodes(body):
        if schema.get("type") == "string" and schema.get("format") not in (None, "enum", "date-time"):
            words = "only 'enum' and 'date-time' are supported for STRING type"
            yield Complaint(f"* GenerateContentRequest.{path}.format: {words}")


@GEMINI.rule("https://github.com/probelabs/probe/issues/569")
def gemini_required_is_unknown(body: Json) -> Iterator[Complaint]:
    """Required properties that there are not."""
    for path, schema in tool_nodes(body):
        for index, name in enumerate(schema.get("required") or ()):
            if name not in (schema.get("properties") or {}):
                yield Complaint(f"* GenerateContentRequest.{path}.required[{index}]: property is not defined")


@GEMINI.rule("https://github.com/google-gemini/gemini-cli/issues/9535")
def gemini_name_is_none(body: Json) -> Iterator[Complaint]:
    """Names of tools that begin with anything but a letter or '_'."""
    for index, tool in enumerate(tools_of(body)):
        if not _NAME.match(str(tool.get("name"))):
            start = "Invalid function name. Must start with a letter or an underscore."
            rest = "Must be alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-),"
            where = f"* GenerateContentRequest.tools[0].function_declarations[{index}].name"
            yield Complaint(f"{where}: {start} {rest} with a maximum length of 64.")


@GEMINI.rule("https://github.com/openai/openai-agents-python/issues/656")
def gemini_tools_beside_json(body: Json) -> Iterator[Complaint]:
    """Tools beside a JSON answer, for models before Gemini 3."""
    if body.get("tools") and form_of(body) in FORMS and not _is_new(body):
        yield Complaint("Function calling with a response mime type: 'application/json' is unsupported")


@GEMINI.rule("https://github.com/google-gemini/gemini-cli/issues/4217")
def gemini_results_are_too_many(body: Json) -> Iterator[Complaint]:
    """More results than there were calls."""
    calls = results = 0
    for message in [*messages_of(body), {"role": "end"}]:
        if message.get("role") == "tool":
            results += 1
            continue
        if results > calls:
            words = "Please ensure that the number of function response parts is equal to the number of function call"
            yield Complaint(f"{words} parts of the function call turn.")
        calls, results = len(message.get("tool_calls") or ()), 0


@GEMINI.rule("https://github.com/router-for-me/CLIProxyAPI/issues/1292")
def gemini_part_is_empty(body: Json) -> Iterator[Complaint]:
    """Messages that say nothing."""
    for index, message in enumerate(messages_of(body)):
        if not message.get("content") and not message.get("tool_calls"):
            words = "required oneof field 'data' must have one initialized field"
            yield Complaint(f"* GenerateContentRequest.contents[{index}].parts[0].data: {words}")


@GEMINI.rule("https://ai.google.dev/gemini-api/docs/openai")
def gemini_always_thinks(body: Json) -> Iterator[Complaint]:
    """No thinking, of models that always think."""
    if body.get("reasoning_effort") == "none" and (_is_new(body) or "-pro" in str(body.get("model"))):
        yield Complaint("Budget 0 is invalid. This model only works in thinking mode.")


@GEMINI.rule("https://github.com/RooCodeInc/Roo-Code/issues/10700")
def gemini_level_of_old_models(body: Json) -> Iterator[Complaint]:
    """A level of thinking for models that take a budget."""
    if "thinking_level" in _thinking_config(body) and not _is_new(body):
        yield Complaint("Thinking level is not supported for this model.")


@GEMINI.rule("https://ai.google.dev/gemini-api/docs/openai")
def gemini_thinking_is_asked_twice(body: Json) -> Iterator[Complaint]:
    """An effort beside a configuration of thinking."""
    if body.get("reasoning_effort") and _thinking_config(body):
        yield Complaint("Expected one of either `reasoning_effort` or custom `thinking_config`; found both.")
