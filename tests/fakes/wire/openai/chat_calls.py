"""What OpenAI's Chat Completions refuses in past calls of tools, and with it most that follow it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.fakes.wire.openai.chat_messages import calls_of, messages_of
from tests.fakes.wire.openai.words import MEASURED_CHAT, empty_array, missing, no_name, too_many
from tests.fakes.wire.rule import Complaint, Json, RuleBook

CHAT_CALLS = RuleBook("calls of Chat Completions")


@CHAT_CALLS.rule("https://github.com/openai/openai-node/pull/1341")
def tool_calls_are_empty(body: Json) -> Iterator[Complaint]:
    """An empty list of calls, or more than 128."""
    for index, message in enumerate(messages_of(body)):
        path = f"messages[{index}].tool_calls"
        if message.get("tool_calls") == []:
            yield empty_array(path)
        yield from too_many(path, len(message.get("tool_calls") or ()), 128)


@CHAT_CALLS.rule("https://github.com/mcp-use/mcp-use/pull/94")
def call_name_does_not_match(body: Json) -> Iterator[Complaint]:
    """Names of past calls that no tool could have, such as `functions.lookup`."""
    for path, call in calls_of(body):
        yield from no_name(f"{path}.function.name", str((call.get("function") or {}).get("name") or ""), 64)


@CHAT_CALLS.rule(MEASURED_CHAT)
def call_is_incomplete(body: Json) -> Iterator[Complaint]:
    """Calls without an id, or with arguments that are not a text."""
    for path, call in calls_of(body):
        where, arguments = f"{path}.function.arguments", (call.get("function") or {}).get("arguments")
        if not call.get("id"):
            yield missing(f"{path}.id")
        if arguments is None:
            yield missing(where)
        elif not isinstance(arguments, str):
            words = f"Invalid type for '{where}': expected a string, but got an object instead."
            yield Complaint(words, where, "invalid_type")


@CHAT_CALLS.rule("https://github.com/vllm-project/vllm/issues/43995")
def call_arguments_are_no_object(body: Json) -> Iterator[Complaint]:
    """Arguments that are not the text of a JSON object: many servers read them, and fail with 400 or 500."""
    for path, call in calls_of(body):
        try:
            fine = isinstance(json.loads((call.get("function") or {}).get("arguments") or ""), dict)
        except (ValueError, TypeError):
            fine = False
        if not fine:
            yield Complaint("Expecting value: line 1 column 1 (char 0)", f"{path}.function.arguments")


@CHAT_CALLS.rule("https://github.com/miurla/morphic/issues/136")
def tool_message_without_call(body: Json) -> Iterator[Complaint]:
    """A tool's message that answers no call just before it."""
    open_ids: set[Any] = set()
    for index, message in enumerate(messages_of(body)):
        given = message.get("tool_call_id")
        if message.get("role") != "tool":
            open_ids = {call.get("id") for call in message.get("tool_calls") or ()}
        elif "tool_call_id" not in message:
            yield missing(f"messages[{index}].tool_call_id")
        elif not open_ids:
            words = "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
            yield Complaint(f"Invalid parameter: {words}", f"messages.[{index}].role")
        elif given not in open_ids:
            words = f"'tool_call_id' of '{given}' not found in 'tool_calls' of previous message."
            yield Complaint(f"Invalid parameter: {words}", f"messages.[{index}].tool_call_id")


@CHAT_CALLS.rule("https://github.com/router-for-me/CLIProxyAPI/issues/2798")
def calls_are_not_answered(body: Json) -> Iterator[Complaint]:
    """Calls that are not all answered before anything else is said."""
    waiting: list[Any] = []
    messages = messages_of(body)
    for index, message in enumerate([*messages, {"role": "end"}]):
        if message.get("role") == "tool":
            waiting = [one for one in waiting if one != message.get("tool_call_id")]
            continue
        if waiting:
            first = "An assistant message with 'tool_calls' must be followed by tool messages responding to each"
            missed = f"The following tool_call_ids did not have response messages: {', '.join(map(str, waiting))}"
            where = f"messages.[{index}].role" if index < len(messages) else "messages"
            yield Complaint(f"{first} 'tool_call_id'. {missed}", where)
        waiting = [call.get("id") for call in message.get("tool_calls") or ()]
