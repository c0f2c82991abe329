"""What OpenAI's own Chat Completions endpoint refuses, and with it most that follow it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.fakes.wire.openai_models import family_of, is_fine_tuned
from tests.fakes.wire.openai_schema import schema_faults
from tests.fakes.wire.rule import Complaint, Json, RuleBook, listed

CHAT = RuleBook("Chat Completions")
"""What every server of the protocol refuses, or may."""

OPENAI_CHAT = RuleBook("OpenAI Chat Completions", CHAT)
"""What OpenAI's own refuses besides."""

_PARITY = "https://github.com/kangminlee-maker/local-OAuth-CLI-API-adapter"
_NAME = re.compile(r"^[a-zA-Z0-9_-]{1,64}\Z")
_ROLES = ("system", "assistant", "user", "function", "tool", "developer")
_USER_PARTS = ("text", "image_url", "input_audio", "file")
_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")


def messages_of(body: Json) -> list[Json]:
    """Return the messages of a request."""
    messages = body.get("messages")
    return [one for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []


def tools_of(body: Json) -> list[Json]:
    """Return the functions of a request."""
    return [tool.get("function") or {} for tool in body.get("tools") or ()]


def calls_of(body: Json) -> Iterator[tuple[str, Json]]:
    """Return the past calls with their places."""
    for index, message in enumerate(messages_of(body)):
        for number, call in enumerate(message.get("tool_calls") or ()):
            yield f"messages[{index}].tool_calls[{number}]", call


def parts_of(message: Json) -> list[Json]:
    """Return the parts of a message whose content is a list."""
    content = message.get("content")
    return content if isinstance(content, list) else []


@CHAT.rule(_PARITY)
def messages_are_missing(body: Json) -> Iterator[Complaint]:
    """No messages, or an empty list of them."""
    if "messages" not in body:
        yield Complaint("Missing required parameter: 'messages'.", "messages", "missing_required_parameter")
    elif not body["messages"]:
        words = "empty array. Expected an array with minimum length 1, but got an empty array instead."
        yield Complaint(f"Invalid 'messages': {words}", "messages", "empty_array")


@CHAT.rule(_PARITY)
def message_role_is_unknown(body: Json) -> Iterator[Complaint]:
    """Roles that the protocol does not have."""
    for index, message in enumerate(messages_of(body)):
        if message.get("role") not in _ROLES:
            words = f"Invalid value: '{message.get('role')}'. Supported values are: {listed(list(_ROLES))}."
            yield Complaint(words, f"messages[{index}].role", "invalid_value")


@CHAT.rule(_PARITY)
def message_has_no_content(body: Json) -> Iterator[Complaint]:
    """Messages without content, but an assistant's with calls."""
    for index, message in enumerate(messages_of(body)):
        if message.get("content") is None and not (message.get("role") == "assistant" and message.get("tool_calls")):
            path = f"messages.[{index}].content"
            yield Complaint("Invalid value for 'content': expected a string, got null.", path)


@CHAT.rule("https://github.com/openai/openai-node/pull/1341")
def tool_calls_are_empty(body: Json) -> Iterator[Complaint]:
    """An empty list of calls."""
    for index, message in enumerate(messages_of(body)):
        if message.get("tool_calls") == []:
            path = f"messages[{index}].tool_calls"
            words = "empty array. Expected an array with minimum length 1, but got an empty array instead."
            yield Complaint(f"Invalid '{path}': {words}", path, "empty_array")


@CHAT.rule("https://github.com/continuedev/continue/issues/3370")
def tools_are_empty(body: Json) -> Iterator[Complaint]:
    """An empty list of tools."""
    if body.get("tools") == []:
        words = "empty array. Expected an array with minimum length 1, but got an empty array instead."
        yield Complaint(f"Invalid 'tools': {words}", "tools", "empty_array")


@CHAT.rule("https://portkey.ai/error-library/input-validation-error-10047")
def call_name_does_not_match(body: Json) -> Iterator[Complaint]:
    """Names of past calls that no tool could have, such as `functions.lookup`."""
    for path, call in calls_of(body):
        name = (call.get("function") or {}).get("name")
        if not isinstance(name, str) or not _NAME.match(name):
            where = f"{path}.function.name"
            words = "string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
            yield Complaint(f"Invalid '{where}': {words}", where, "invalid_value")


@CHAT.rule("https://github.com/sst/opencode/issues/3523")
def tool_name_does_not_match(body: Json) -> Iterator[Complaint]:
    """Names of tools beyond 64 letters, digits, '_' and '-'."""
    for index, tool in enumerate(tools_of(body)):
        if not _NAME.match(str(tool.get("name") or "")):
            where = f"tools[{index}].function.name"
            words = "string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
            yield Complaint(f"Invalid '{where}': {words}", where, "invalid_value")


@CHAT.rule(_PARITY)
def call_is_incomplete(body: Json) -> Iterator[Complaint]:
    """Calls without an id, or with arguments that are not a text."""
    for path, call in calls_of(body):
        if not call.get("id"):
            yield Complaint(f"Missing required parameter: '{path}.id'.", f"{path}.id", "missing_required_parameter")
        if not isinstance((call.get("function") or {}).get("arguments"), str):
            where = f"{path}.function.arguments"
            yield Complaint(f"Invalid type for '{where}': expected a string.", where, "invalid_type")


@CHAT.rule("https://github.com/vllm-project/vllm/issues/43995")
def call_arguments_are_no_object(body: Json) -> Iterator[Complaint]:
    """Arguments that are not the text of a JSON object: many servers read them, and fail with 400 or 500."""
    for path, call in calls_of(body):
        try:
            fine = isinstance(json.loads((call.get("function") or {}).get("arguments") or ""), dict)
        except (ValueError, TypeError):
            fine = False
        if not fine:
            yield Complaint("Expecting value: line 1 column 1 (char 0)", f"{path}.function.arguments")


@CHAT.rule("https://github.com/miurla/morphic/issues/136")
def tool_message_without_call(body: Json) -> Iterator[Complaint]:
    """A tool's message that answers no call just before it."""
    open_ids: set[Any] = set()
    for index, message in enumerate(messages_of(body)):
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in open_ids:
                words = "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
                yield Complaint(f"Invalid parameter: {words}", f"messages.[{index}].role")
        else:
            open_ids = {call.get("id") for call in message.get("tool_calls") or ()}


@CHAT.rule("https://github.com/router-for-me/CLIProxyAPI/issues/2798")
def calls_are_not_answered(body: Json) -> Iterator[Complaint]:
    """Calls that are not all answered before anything else is said."""
    waiting: list[Any] = []
    for index, message in enumerate([*messages_of(body), {"role": "end"}]):
        if message.get("role") == "tool":
            waiting = [one for one in waiting if one != message.get("tool_call_id")]
            continue
        if waiting:
            first = "An assistant message with 'tool_calls' must be followed by tool messages responding to each"
            missing = f"The following tool_call_ids did not have response messages: {', '.join(map(str, waiting))}"
            yield Complaint(f"{first} 'tool_call_id'. {missing}", f"messages.[{index}].role")
        waiting = [call.get("id") for call in message.get("tool_calls") or ()]


@CHAT.rule(_PARITY)
def part_type_is_unknown(body: Json) -> Iterator[Complaint]:
    """Parts of other types than the role takes."""
    for index, message in enumerate(messages_of(body)):
        takes = _USER_PARTS if message.get("role") == "user" else ("text", "refusal", "thinking")
        for number, part in enumerate(parts_of(message)):
            if part.get("type") not in takes:
                path = f"messages[{index}].content[{number}].type"
                words = f"Invalid value: '{part.get('type')}'. Supported values are: {listed(list(takes))}."
                yield Complaint(words, path, "invalid_value")


@CHAT.rule("https://github.com/vercel/ai/issues/7266")
def file_part_is_incomplete(body: Json) -> Iterator[Complaint]:
    """Files without a name, by an address, or that are no data URL."""
    for index, message in enumerate(messages_of(body)):
        for number, part in enumerate(parts_of(message)):
            if part.get("type") != "file":
                continue
            path, file = f"messages[{index}].content[{number}].file", part.get("file") or {}
            if "file_url" in file:
                yield Complaint(f"Unknown parameter: '{path}.file_url'.", f"{path}.file_url", "unknown_parameter")
            elif not file.get("file_id") and not (file.get("file_data") and file.get("filename")):
                yield Complaint(f"Missing required parameter: '{path}.file_id'.", path, "missing_required_parameter")
            elif not str(file.get("file_data", "data:")).startswith("data:"):
                words = "Expected a base64-encoded data URL, but got an invalid base64-encoded value."
                yield Complaint(f"Invalid file data: '{path}.file_data'. {words}", path, "invalid_value")


@CHAT.rule("https://platform.openai.com/docs/guides/images-vision")
def picture_is_not_one(body: Json) -> Iterator[Complaint]:
    """Data URLs of pictures of another type."""
    for index, message in enumerate(messages_of(body)):
        for number, part in enumerate(parts_of(message)):
            url = (part.get("image_url") or {}).get("url", "") if part.get("type") == "image_url" else ""
            media = url.removeprefix("data:").partition(";base64,")[0]
            if url.startswith("data:") and media not in _IMAGES:
                path = f"messages[{index}].content[{number}].image_url.url"
                words = "Expected a base64-encoded data URL with an image MIME type, but got unsupported MIME type"
                yield Complaint(f"Invalid image URL: '{path}'. {words} '{media}'.", path, "invalid_value")


@CHAT.rule("https://github.com/gumloop/guMCP/pull/136")
def tool_schema_is_refused(body: Json) -> Iterator[Complaint]:
    """Tools whose schema is refused."""
    for index, tool in enumerate(tools_of(body)):
        strict = tool.get("strict") is True
        for fault in schema_faults(tool.get("parameters"), strict=strict, fine_tuned=is_fine_tuned(body["model"])):
            words = f"Invalid schema for function '{tool.get('name')}': {fault}"
            yield Complaint(words, f"tools[{index}].function.parameters", "invalid_function_parameters")


@CHAT.rule(_PARITY)
def response_format_is_none(body: Json) -> Iterator[Complaint]:
    """A response format without a name, or with one that does not match."""
    form = body.get("response_format") or {}
    if form.get("type") != "json_schema":
        return
    name = (form.get("json_schema") or {}).get("name")
    path = "response_format.json_schema.name"
    if not name:
        yield Complaint(f"Missing required parameter: '{path}'.", path, "missing_required_parameter")
    elif not _NAME.match(name):
        words = "string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
        yield Complaint(f"Invalid '{path}': {words}", path, "invalid_value")


@CHAT.rule("https://platform.openai.com/docs/guides/structured-outputs")
def response_schema_is_refused(body: Json) -> Iterator[Complaint]:
    """A schema of the answer that is refused."""
    form = (body.get("response_format") or {}).get("json_schema") or {}
    strict = form.get("strict") is True
    for fault in schema_faults(form.get("schema"), strict=strict, fine_tuned=is_fine_tuned(body["model"])):
        yield Complaint(f"Invalid schema for response_format '{form.get('name')}': {fault}", "response_format")


@CHAT.rule("https://platform.openai.com/docs/guides/structured-outputs#json-mode")
def json_object_without_the_word(body: Json) -> Iterator[Complaint]:
    """JSON mode without the word in the messages."""
    if (body.get("response_format") or {}).get("type") == "json_object" and "json" not in str(body["messages"]).lower():
        words = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
        yield Complaint(words, "messages")


@CHAT.rule("https://github.com/Upsonic/Upsonic/issues/323")
def choice_without_tools(body: Json) -> Iterator[Complaint]:
    """A choice of tools, or whether they may be parallel, where there are none."""
    for key in ("tool_choice", "parallel_tool_calls"):
        if body.get(key) is not None and not body.get("tools"):
            yield Complaint(f"Invalid value for '{key}': '{key}' is only allowed when 'tools' are specified.", key)


@CHAT.rule(_PARITY)
def choice_names_no_tool(body: Json) -> Iterator[Complaint]:
    """A choice of a tool that is not among the tools."""
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        name = (choice.get("function") or {}).get("name")
        if name not in [tool.get("name") for tool in tools_of(body)]:
            words = f"no function named '{name}' was specified in the 'functions' parameter."
            yield Complaint(f"Invalid value for 'function_call': {words}", "function_call")


@CHAT.rule("https://github.com/BerriAI/litellm/issues/5803")
def stream_options_without_stream(body: Json) -> Iterator[Complaint]:
    """Options of a stream where there is none."""
    if body.get("stream_options") and not body.get("stream"):
        words = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        yield Complaint(words, "stream_options")


@OPENAI_CHAT.rule(_PARITY)
def chat_parameter_is_unknown(body: Json) -> Iterator[Complaint]:
    """Parameters of other endpoints and providers."""
    for key in ("reasoning", "thinking", "input", "text", "top_k", "repetition_penalty", "random_seed", "include"):
        if key in body:
            yield Complaint(f"Unknown parameter: '{key}'.", key, "unknown_parameter")
    for index, message in enumerate(messages_of(body)):
        for key in ("reasoning_content", "reasoning", "reasoning_details", "thinking", "extra_content"):
            if key in message:
                path = f"messages[{index}].{key}"
                yield Complaint(f"Unknown parameter: '{path}'.", path, "unknown_parameter")


@OPENAI_CHAT.rule("https://github.com/agno-agi/agno/issues/5382")
def chat_call_id_is_too_long(body: Json) -> Iterator[Complaint]:
    """Ids of calls beyond 40 characters."""
    for path, call in calls_of(body):
        if len(call.get("id") or "") > 40:
            got = f"but got a string with length {len(call['id'])} instead."
            words = f"string too long. Expected a string with maximum length 40, {got}"
            yield Complaint(f"Invalid '{path}.id': {words}", f"{path}.id", "string_above_max_length")


@OPENAI_CHAT.rule("https://github.com/Upsonic/Upsonic/issues/176")
def tools_are_too_many(body: Json) -> Iterator[Complaint]:
    """More than 128 tools."""
    count = len(body.get("tools") or ())
    if count > 128:
        words = (
            f"array too long. Expected an array with maximum length 128, but got an array with length {count} instead."
        )
        yield Complaint(f"Invalid 'tools': {words}", "tools", "array_above_max_length")


@OPENAI_CHAT.rule("https://github.com/ITSpecialist111/ai_automation_suggester/issues/38")
def max_tokens_of_reasoning_models(body: Json) -> Iterator[Complaint]:
    """The old name of the output limit for models that reason."""
    family = family_of(body["model"])
    if body.get("max_tokens") is not None and not family.stop:
        words = "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        yield Complaint(f"Unsupported parameter: {words}", "max_tokens", "unsupported_parameter")


@OPENAI_CHAT.rule("https://github.com/ChatGPTNextWeb/NextChat/issues/3195")
def output_limit_is_too_large(body: Json) -> Iterator[Complaint]:
    """More room than the model can write."""
    tokens = body.get("max_tokens") or body.get("max_completion_tokens") or 0
    most = family_of(body["model"]).max_output_tokens
    if tokens > most:
        words = f"This model supports at most {most} completion tokens, whereas you provided {tokens}."
        yield Complaint(f"max_tokens is too large: {tokens}. {words}", "max_tokens")


@OPENAI_CHAT.rule(_PARITY)
def chat_sampling_while_reasoning(body: Json) -> Iterator[Complaint]:
    """Temperature, top_p and stop sequences for models that reason."""
    family = family_of(body["model"])
    effort = body.get("reasoning_effort") or family.effort
    if not family.sampling and effort != "none":
        for key in ("temperature", "top_p"):
            if body.get(key) not in (None, 1):
                words = (
                    f"'{key}' does not support {body[key]} with this model. Only the default (1) value is supported."
                )
                yield Complaint(f"Unsupported value: {words}", key, "unsupported_value")
    if body.get("stop") is not None and not family.stop:
        yield Complaint(
            "Unsupported parameter: 'stop' is not supported with this model.", "stop", "unsupported_parameter"
        )


@OPENAI_CHAT.rule(_PARITY)
def chat_effort_is_not_the_models(body: Json) -> Iterator[Complaint]:
    """An effort that the model does not have, or any where it does not reason."""
    effort, efforts = body.get("reasoning_effort"), family_of(body["model"]).efforts
    if effort is None:
        return
    if not efforts:
        words = "Unsupported parameter: 'reasoning_effort' is not supported with this model."
        yield Complaint(words, "reasoning_effort", "unsupported_parameter")
    elif effort not in efforts:
        words = f"'reasoning_effort' does not support '{effort}' with this model."
        yield Complaint(
            f"Unsupported value: {words} Supported values are: {listed(list(efforts))}.", "reasoning_effort"
        )


@OPENAI_CHAT.rule("https://platform.openai.com/docs/guides/latest-model")
def tools_of_reasoning_models(body: Json) -> Iterator[Complaint]:
    """Functions beside reasoning, which newer models take on the other endpoint alone."""
    family = family_of(body["model"])
    if body.get("tools") and not family.tools_in_chat and (body.get("reasoning_effort") or family.effort) != "none":
        words = f"Function tools with reasoning_effort are not supported for {body['model']} in /v1/chat/completions."
        yield Complaint(f"{words} To use function tools, use /v1/responses or set reasoning_effort to 'none'.", "tools")


@OPENAI_CHAT.rule("https://github.com/evalstate/fast-agent/issues/279")
def parallel_calls_of_o_models(body: Json) -> Iterator[Complaint]:
    """Whether calls may be parallel, for the o models."""
    if body.get("parallel_tool_calls") is not None and re.match(r"o\d", body["model"]):
        words = "Unsupported parameter: 'parallel_tool_calls' is not supported with this model."
        yield Complaint(words, "parallel_tool_calls", "unsupported_parameter")


@OPENAI_CHAT.rule("https://platform.openai.com/docs/guides/structured-outputs#supported-models")
def response_format_of_old_models(body: Json) -> Iterator[Complaint]:
    """A schema of the answer for a model that enforces none."""
    if (body.get("response_format") or {}).get("type") == "json_schema" and not family_of(body["model"]).strict:
        words = "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model."
        yield Complaint(words, "response_format")


@OPENAI_CHAT.rule("https://github.com/browser-use/web-ui/issues/274")
def picture_for_a_blind_model(body: Json) -> Iterator[Complaint]:
    """Pictures for a model that takes none."""
    for index, message in enumerate(messages_of(body)):
        for number, part in enumerate(parts_of(message)):
            if part.get("type") == "image_url" and not family_of(body["model"]).images:
                path = f"messages.[{index}].content.[{number}].type"
                yield Complaint("Invalid content type. image_url is only supported by certain models.", path)


@OPENAI_CHAT.rule("https://platform.openai.com/docs/api-reference/chat/create")
def too_many_stops(body: Json) -> Iterator[Complaint]:
    """More than four stop sequences, or none in a list."""
    stop = body.get("stop")
    if isinstance(stop, list) and not 1 <= len(stop) <= 4:
        words = "array too long. Expected an array with maximum length 4, but got an array with length"
        yield Complaint(f"Invalid 'stop': {words} {len(stop)} instead.", "stop", "array_above_max_length")
