"""What OpenAI's Chat Completions refuses in messages, and with it most that follow it."""

from __future__ import annotations

from collections.abc import Iterator

from tests.fakes.wire.openai.words import IMAGES, MEASURED_CHAT, TEXT_CHARS, empty_array, missing, too_long, unknown
from tests.fakes.wire.rule import Complaint, Json, RuleBook, listed

CHAT_MESSAGES = RuleBook("messages of Chat Completions")

_ROLES = ("system", "assistant", "user", "function", "tool", "developer")
_PARTS = ("text", "image_url", "input_audio", "refusal", "audio", "file")
_IN_PLACE_OF_CONTENT = ("tool_calls", "function_call", "refusal", "audio")


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


def placed_parts(body: Json) -> Iterator[tuple[str, Json, Json]]:
    """Yield the parts of all messages with their places, each after its message."""
    for index, message in enumerate(messages_of(body)):
        for number, part in enumerate(parts_of(message)):
            yield f"messages[{index}].content[{number}]", message, part


@CHAT_MESSAGES.rule(MEASURED_CHAT)
def chat_model_is_missing(body: Json) -> Iterator[Complaint]:
    """No model."""
    if "model" not in body:
        yield Complaint("you must provide a model parameter")


@CHAT_MESSAGES.rule(MEASURED_CHAT)
def messages_are_missing(body: Json) -> Iterator[Complaint]:
    """No messages, or an empty list of them."""
    if "messages" not in body:
        yield missing("messages")
    elif not body["messages"]:
        yield empty_array("messages")


@CHAT_MESSAGES.rule(MEASURED_CHAT)
def message_role_is_unknown(body: Json) -> Iterator[Complaint]:
    """Roles that the protocol does not have."""
    for index, message in enumerate(messages_of(body)):
        path = f"messages[{index}].role"
        if "role" not in message:
            yield missing(path)
        elif message["role"] not in _ROLES:
            words = f"Invalid value: '{message['role']}'. Supported values are: {listed(list(_ROLES))}."
            yield Complaint(words, path, "invalid_value")


@CHAT_MESSAGES.rule(MEASURED_CHAT)
def message_has_no_content(body: Json) -> Iterator[Complaint]:
    """Messages without content, but an assistant's with calls or a refusal."""
    for index, message in enumerate(messages_of(body)):
        role, path = message.get("role"), f"messages[{index}].content"
        stands_in = role == "assistant" and any(message.get(key) for key in _IN_PLACE_OF_CONTENT)
        if message.get("content") is not None or stands_in:
            continue
        if role != "developer":
            yield Complaint("Invalid value for 'content': expected a string, got null.", f"messages.[{index}].content")
        elif "content" not in message:
            yield missing(path)
        else:
            words = "expected one of a string or array of objects, but got null instead."
            yield Complaint(f"Invalid type for '{path}': {words}", path, "invalid_type")


@CHAT_MESSAGES.rule(MEASURED_CHAT)
def part_type_is_unknown(body: Json) -> Iterator[Complaint]:
    """Parts of other types, such as the Responses endpoint's."""
    for path, message, part in placed_parts(body):
        # Some servers have thoughts among the parts of an assistant.
        thought = message.get("role") == "assistant" and part.get("type") == "thinking"
        if part.get("type") not in _PARTS and not thought:
            words = f"Invalid value: '{part.get('type')}'. Supported values are: {listed(list(_PARTS))}."
            yield Complaint(words, f"{path}.type", "invalid_value")


@CHAT_MESSAGES.rule("https://github.com/openai/openai-node/issues/1030")
def picture_is_not_the_users(body: Json) -> Iterator[Complaint]:
    """Pictures in any other message than a user's."""
    for path, message, part in placed_parts(body):
        if message.get("role") != "user" and part.get("type") == "image_url":
            where, role = path.partition(".")[0], message.get("role")
            words = "Image URLs are only allowed for messages with role 'user', but this message with role"
            yield Complaint(f"Invalid '{where}'. {words} '{role}' contains an image URL.", where, "invalid_value")


@CHAT_MESSAGES.rule("https://github.com/pydantic/pydantic-ai/tree/main/tests/models/cassettes")
def part_is_not_text(body: Json) -> Iterator[Complaint]:
    """Files and sounds in any other message than a user's."""
    for path, message, part in placed_parts(body):
        if message.get("role") != "user" and part.get("type") in ("file", "input_audio"):
            where = path.partition(".")[0]
            words = "Content blocks are expected to be either text or image_url type."
            yield Complaint(f"Invalid '{where}'. {words}", where, "invalid_value")


@CHAT_MESSAGES.rule("https://github.com/vercel/ai/issues/7266")
def file_part_is_incomplete(body: Json) -> Iterator[Complaint]:
    """Files without a name, by an address, or that are no data URL."""
    for place, _, part in placed_parts(body):
        if part.get("type") != "file":
            continue
        path, file = f"{place}.file", part.get("file") or {}
        if "file_url" in file:
            yield unknown(f"{path}.file_url")
        elif not file.get("file_id") and not (file.get("file_data") and file.get("filename")):
            yield missing(f"{path}.file_id")
        elif not str(file.get("file_data", "data:")).startswith("data:"):
            wanted = "Expected a base64-encoded data URL with an application/pdf MIME type"
            example = "(e.g. 'data:application/pdf;base64,SGVsbG8sIFdvcmxkIQ==')"
            words = f"{wanted} {example}, but got an invalid base64-encoded value."
            yield Complaint(f"Invalid file data: '{path}.file_data'. {words}", path, "invalid_value")


@CHAT_MESSAGES.rule("https://github.com/Alibaba-NLP/OmniSearch/issues/3")
def picture_is_not_one(body: Json) -> Iterator[Complaint]:
    """Data URLs of pictures of another type."""
    for place, _, part in placed_parts(body):
        url = (part.get("image_url") or {}).get("url", "") if part.get("type") == "image_url" else ""
        media = url.removeprefix("data:").partition(";base64,")[0]
        if url.startswith("data:") and media not in IMAGES:
            path = f"{place}.image_url.url"
            wanted = "Expected a base64-encoded data URL with an image MIME type"
            words = f"{wanted} (e.g. 'data:image/png;base64,…'), but got unsupported MIME type '{media}'."
            yield Complaint(f"Invalid image URL: '{path}'. {words}", path, "invalid_value")


@CHAT_MESSAGES.rule("https://github.com/openai/openai-openapi/blob/main/openapi.json")
def message_is_too_long(body: Json) -> Iterator[Complaint]:
    """Texts beyond ten million characters."""
    for index, message in enumerate(messages_of(body)):
        yield from too_long(f"messages[{index}].content", message.get("content"), TEXT_CHARS)
    for path, _, part in placed_parts(body):
        yield from too_long(f"{path}.text", part.get("text"), TEXT_CHARS)
