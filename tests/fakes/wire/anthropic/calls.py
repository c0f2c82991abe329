"""What Anthropic's endpoint refuses in past calls of tools and their results."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from tests.fakes.wire.anthropic.reading import (
    CLAUDE_CODE,
    DOCS,
    THOUGHTS,
    Turn,
    blocks_of,
    placed_blocks,
    spoken,
    turns_of,
)
from tests.fakes.wire.rule import Complaint, Json, RuleBook

CALLS = RuleBook("calls of a Messages request")

_ID = re.compile(r"^[a-zA-Z0-9_-]+\Z")
_SERVER_ID = re.compile(r"^srvtoolu_[a-zA-Z0-9_]+\Z")
_NAME_CHARS = 200


@CALLS.rule(f"{DOCS}/agents-and-tools/tool-use/handle-tool-calls")
def block_is_anothers(body: Json) -> Iterator[Complaint]:
    """Results in the assistant's message; calls, thoughts in the user's; pictures and documents in the assistant's."""
    for path, role, block in placed_blocks(body):
        kind, index = block.get("type"), path.split(".content")[0]
        if role == "user" and kind in ("tool_use", *THOUGHTS):
            yield Complaint(f"{index}: `{kind}` blocks can only be in `assistant` messages")
        if role == "assistant" and kind in ("tool_result", "image", "document"):
            yield Complaint(f"{index}: `{kind}` blocks can only be in `user` messages")


@CALLS.rule(f"{CLAUDE_CODE}/7929")
def call_is_not_answered(body: Json) -> Iterator[Complaint]:
    """Calls whose results are not the first thing in the user's next turn."""
    for turn, after in pairwise([*turns_of(body), Turn("end", -1, -1)]):
        wanted = [block.get("id") for block in turn.blocks if block.get("type") == "tool_use"]
        results: list[Any] = []
        for block in after.blocks:
            if block.get("type") != "tool_result":
                break
            results.append(block.get("tool_use_id"))
        missing = [str(one) for one in wanted if one not in results]
        if missing and turn.role == "assistant":
            found = f"`tool_use` ids were found without `tool_result` blocks immediately after: {', '.join(missing)}"
            wants = "Each `tool_use` block must have a corresponding `tool_result` block in the next message."
            yield Complaint(f"messages.{turn.last}: {found}. {wants}")


@CALLS.rule(f"{CLAUDE_CODE}/13460")
def result_without_call(body: Json) -> Iterator[Complaint]:
    """Results of calls that are not in the turn before."""
    before: set[Any] = set()
    for turn in turns_of(body):
        for path, block in turn.placed if turn.role == "user" else ():
            if block.get("type") == "tool_result" and block.get("tool_use_id") not in before:
                found = f"unexpected `tool_use_id` found in `tool_result` blocks: {block.get('tool_use_id')}"
                wants = "Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
                yield Complaint(f"{path}: {found}. {wants}")
        before = {block.get("id") for block in turn.blocks if block.get("type") == "tool_use"}


@CALLS.rule(f"{DOCS}/agents-and-tools/tool-use/handle-tool-calls")
def call_is_answered_twice(body: Json) -> Iterator[Complaint]:
    """Two results of one call."""
    for turn in turns_of(body):
        seen: set[Any] = set()
        for path, block in turn.placed if turn.role == "user" else ():
            one = block.get("tool_use_id")
            if block.get("type") == "tool_result" and one in seen:
                words = f"each tool_use must have a single result. Found multiple `tool_result` blocks with id: {one}"
                yield Complaint(f"{path}: {words}")
            seen.add(one)


@CALLS.rule(f"{CLAUDE_CODE}/21317")
def call_id_is_there_twice(body: Json) -> Iterator[Complaint]:
    """Two calls of one id."""
    seen: set[Any] = set()
    for path, _, block in placed_blocks(body):
        if block.get("type") == "tool_use" and block.get("id") in seen:
            yield Complaint(f"{path}: `tool_use` ids must be unique")
        if block.get("type") == "tool_use":
            seen.add(block.get("id"))


@CALLS.rule("https://github.com/RooCodeInc/Roo-Code/pull/10649")
def call_id_has_other_characters(body: Json) -> Iterator[Complaint]:
    """Ids of past calls with other characters than letters, digits, '_' and '-', or none."""
    for path, _, block in placed_blocks(body):
        if block.get("type") != "tool_use":
            continue
        if "id" not in block:
            yield Complaint(f"{path}.tool_use.id: Field required")
        elif not _ID.match(str(block["id"])):
            yield Complaint(f"{path}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'")


@CALLS.rule("https://github.com/ding113/claude-code-hub/issues/470")
def servers_call_id_is_another(body: Json) -> Iterator[Complaint]:
    """Ids of calls of the provider's own tools that are not its own."""
    for path, _, block in placed_blocks(body):
        if block.get("type") == "server_tool_use" and not _SERVER_ID.match(str(block.get("id", ""))):
            words = "String should match pattern '^srvtoolu_[a-zA-Z0-9_]+$'"
            yield Complaint(f"{path}.server_tool_use.id: {words}")


@CALLS.rule(f"{CLAUDE_CODE}/2673")
def called_name_is_too_long(body: Json) -> Iterator[Complaint]:
    """Names of past calls beyond 200 characters, or empty."""
    for path, _, block in placed_blocks(body):
        name = str(block.get("name", "")) if block.get("type") == "tool_use" else "-"
        if len(name) > _NAME_CHARS:
            yield Complaint(f"{path}.tool_use.name: String should have at most {_NAME_CHARS} characters")
        elif not name:
            yield Complaint(f"{path}.tool_use.name: String should have at least 1 character")


@CALLS.rule("https://github.com/anthropics/anthropic-sdk-typescript/issues/648")
def call_input_is_no_object(body: Json) -> Iterator[Complaint]:
    """Past calls whose arguments are no object."""
    for path, _, block in placed_blocks(body):
        if block.get("type") == "tool_use" and not isinstance(block.get("input"), dict):
            yield Complaint(f"{path}.tool_use.input: Input should be a valid dictionary")


@CALLS.rule(f"{DOCS}/agents-and-tools/tool-use/handle-tool-calls")
def failed_result_has_more_than_text(body: Json) -> Iterator[Complaint]:
    """Pictures in the result of a call that failed."""
    for path, _, block in placed_blocks(body):
        if block.get("is_error") and any(one.get("type") != "text" for one in blocks_of(block)):
            yield Complaint(f"{path}: all content must be type `text` if `is_error` is true")


@CALLS.rule("https://github.com/anthropics/anthropic-sdk-python/issues/494")
def calls_need_tools(body: Json) -> Iterator[Complaint]:
    """Past calls where there are no tools."""
    past = any(block.get("type") in ("tool_use", "tool_result") for _, _, block in placed_blocks(body))
    if past and not body.get("tools"):
        yield Complaint("Requests which include `tool_use` or `tool_result` blocks must define tools.")


@CALLS.rule(f"{DOCS}/agents-and-tools/tool-use/server-tools")
def servers_tool_is_not_there(body: Json) -> Iterator[Complaint]:
    """Past calls of the provider's own tools that have no result, but where the answer goes on."""
    answered = {block.get("tool_use_id") for _, _, block in placed_blocks(body)}
    for index, message in enumerate(spoken(body)[: _goes_on(body)]):
        for block in blocks_of(message):
            if block.get("type") == "server_tool_use" and block.get("id") not in answered:
                found = f"`{block.get('name')}` tool use with id `{block.get('id')}` was found without a corresponding"
                yield Complaint(f"messages.{index}: {found} `{block.get('name')}_tool_result` block")


def _goes_on(body: Json) -> int:
    """Return the place of the message that goes on: the last, or that before the results of its other calls."""
    messages = spoken(body)
    last = len(messages) - 1
    if last > 0 and any(block.get("type") == "tool_result" for block in blocks_of(messages[last])):
        return last - 1
    return max(last, 0)


@CALLS.rule("https://github.com/anthropics/anthropic-sdk-python/issues/1801")
def container_is_not_said(body: Json) -> Iterator[Complaint]:
    """Calls of code execution that go on with the results of others, without their container."""
    answered = {block.get("tool_use_id") for _, _, block in placed_blocks(body)}
    last = spoken(body)[_goes_on(body) :]
    waits = [
        block
        for block in blocks_of(last[0] if len(last) > 1 else {})
        if block.get("type") == "server_tool_use" and block.get("id") not in answered
    ]
    if waits and not body.get("container"):
        yield Complaint(
            "container_id is required when there are pending tool uses generated by code execution with tools."
        )


@CALLS.rule(f"{CLAUDE_CODE}/64383")
def servers_result_without_call(body: Json) -> Iterator[Complaint]:
    """Results of the provider's own tools whose call is missing."""
    called: set[Any] = set()
    for path, _, block in placed_blocks(body):
        kind = str(block.get("type"))
        if kind == "server_tool_use":
            called.add(block.get("id"))
        elif kind.endswith("_tool_result") and block.get("tool_use_id") not in called and not kind.startswith("mcp"):
            found = f"unexpected `tool_use_id` found in `{kind}` blocks: {block.get('tool_use_id')}"
            wants = f"Each `{kind}` block must have a corresponding `server_tool_use` block before it."
            yield Complaint(f"{path}: {found}. {wants}")
