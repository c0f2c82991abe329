"""What Anthropic's Messages endpoint refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from tests.fakes.wire.anthropic_models import claude
from tests.fakes.wire.anthropic_schema import format_faults, input_schema_faults
from tests.fakes.wire.rule import Complaint, Json, RuleBook

MESSAGES = RuleBook("Anthropic Messages")

_ID = re.compile(r"^[a-zA-Z0-9_-]+\Z")
_SERVER_ID = re.compile(r"^srvtoolu_[a-zA-Z0-9_]+\Z")
_NAME = re.compile(r"^[a-zA-Z0-9_-]{1,64}\Z")
_IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
_THOUGHTS = ("thinking", "redacted_thinking")
_DOCS = "https://platform.claude.com/docs/en"


def _blocks(holder: Json) -> list[Json]:
    content = holder.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return content if isinstance(content, list) else []


def _messages(body: Json) -> list[Json]:
    return [one for one in body.get("messages") or () if isinstance(one, dict)]


def _placed(body: Json) -> Iterator[tuple[str, str, Json]]:
    """Yield every block of the messages with its place and its role, those within results of tools too."""
    for index, message in enumerate(_messages(body)):
        for number, block in enumerate(_blocks(message)):
            path = f"messages.{index}.content.{number}"
            yield path, str(message.get("role")), block
            if block.get("type") == "tool_result":
                for inner, one in enumerate(_blocks(block)):
                    yield f"{path}.tool_result.content.{inner}", "tool", one


def _turns(body: Json) -> list[tuple[str, int, list[Json]]]:
    """Return the turns: consecutive messages of one role are one."""
    turns: list[tuple[str, int, list[Json]]] = []
    for index, message in enumerate(_messages(body)):
        role = str(message.get("role"))
        if turns and turns[-1][0] == role:
            turns[-1] = (role, index, turns[-1][2] + _blocks(message))
        else:
            turns.append((role, index, _blocks(message)))
    return turns


@MESSAGES.rule(f"{_DOCS}/api/messages")
def field_is_missing(body: Json) -> Iterator[Complaint]:
    """No model, no limit or no messages."""
    for key in ("model", "max_tokens", "messages"):
        if key not in body:
            yield Complaint(f"{key}: Field required")
    if body.get("messages") == []:
        yield Complaint("messages: at least one message is required")


@MESSAGES.rule(f"{_DOCS}/about-claude/models/overview")
def max_tokens_is_too_large(body: Json) -> Iterator[Complaint]:
    """More room than the model can write."""
    most = claude(body["model"]).max_tokens
    if body["max_tokens"] > most:
        words = f"which is the maximum allowed number of output tokens for {body['model']}"
        yield Complaint(f"max_tokens: {body['max_tokens']} > {most}, {words}")


@MESSAGES.rule(f"{_DOCS}/api/migration-2026-10-21")
def sampling_is_gone(body: Json) -> Iterator[Complaint]:
    """Temperature, top_p and top_k, in the API's present version."""
    for key in ("temperature", "top_p", "top_k"):
        if key in body:
            yield Complaint(f"{key}: Extra inputs are not permitted")


@MESSAGES.rule("https://github.com/anthropics/claude-code/issues/59812")
def text_is_empty(body: Json) -> Iterator[Complaint]:
    """Texts without a character."""
    for _, _, block in _placed(body):
        if block.get("type") == "text" and not block.get("text"):
            yield Complaint("messages: text content blocks must be non-empty")
    for block in body.get("system") or ():
        if isinstance(block, dict) and not block.get("text"):
            yield Complaint("system: text content blocks must be non-empty")


@MESSAGES.rule("https://github.com/anthropics/claude-code/issues/23440")
def text_is_blank(body: Json) -> Iterator[Complaint]:
    """Texts of nothing but blanks."""
    for _, _, block in _placed(body):
        if block.get("type") == "text" and block.get("text") and not block["text"].strip():
            yield Complaint("messages: text content blocks must contain non-whitespace text")


@MESSAGES.rule("https://github.com/miurla/morphic/issues/83")
def user_says_nothing(body: Json) -> Iterator[Complaint]:
    """A user's message without content."""
    for index, message in enumerate(_messages(body)):
        if message.get("role") == "user" and not _blocks(message):
            yield Complaint(f"messages.{index}: user messages must have non-empty content")


@MESSAGES.rule(f"{_DOCS}/api/messages")
def first_is_not_the_user(body: Json) -> Iterator[Complaint]:
    """An assistant that speaks first."""
    if _messages(body) and _messages(body)[0].get("role") != "user":
        yield Complaint('messages: first message must use the "user" role')


@MESSAGES.rule(f"{_DOCS}/api/errors#prefill-not-supported")
def last_is_the_assistant(body: Json) -> Iterator[Complaint]:
    """An assistant that has the last word, with nothing of a server's tool at its end."""
    turns = _turns(body)
    if turns and turns[-1][0] == "assistant":
        last = (turns[-1][2] or [{}])[-1]
        if last.get("type") in _THOUGHTS:
            yield Complaint(f"messages.{turns[-1][1]}: The final block in an assistant message cannot be `thinking`.")
        elif "tool" not in str(last.get("type")) or last.get("type") == "tool_use":
            words = "This model does not support assistant message prefill."
            yield Complaint(f"{words} The conversation must end with a user message.")


@MESSAGES.rule(f"{_DOCS}/build-with-claude/extended-thinking")
def thought_stands_last(body: Json) -> Iterator[Complaint]:
    """An assistant's message that ends in a thought: refused by older versions wherever it stands."""
    for index, message in enumerate(_messages(body)):
        blocks = _blocks(message)
        if message.get("role") == "assistant" and blocks and blocks[-1].get("type") in _THOUGHTS:
            yield Complaint(f"messages.{index}: The final block in an assistant message cannot be `thinking`.")


@MESSAGES.rule("https://github.com/anthropics/claude-code/issues/7929")
def call_is_not_answered(body: Json) -> Iterator[Complaint]:
    """Calls whose results are not the first thing in the user's next turn."""
    turns = [*_turns(body), ("end", -1, [])]
    for (role, index, blocks), (_, _, after) in pairwise(turns):
        wanted = [block.get("id") for block in blocks if block.get("type") == "tool_use"] if role == "assistant" else []
        results: list[Any] = []
        for block in after:
            if block.get("type") != "tool_result":
                break
            results.append(block.get("tool_use_id"))
        if missing := [str(one) for one in wanted if one not in results]:
            found = f"`tool_use` ids were found without `tool_result` blocks immediately after: {', '.join(missing)}"
            wants = "Each `tool_use` block must have a corresponding `tool_result` block in the next message."
            yield Complaint(f"messages.{index}: {found}. {wants}")


@MESSAGES.rule("https://github.com/anthropics/claude-code/issues/13460")
def result_without_call(body: Json) -> Iterator[Complaint]:
    """Results of calls that are not in the turn before."""
    before: set[Any] = set()
    for role, index, blocks in _turns(body):
        if role == "user":
            for number, block in enumerate(blocks):
                if block.get("type") == "tool_result" and block.get("tool_use_id") not in before:
                    found = f"unexpected `tool_use_id` found in `tool_result` blocks: {block.get('tool_use_id')}"
                    wants = (
                        "Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
                    )
                    yield Complaint(f"messages.{index}.content.{number}: {found}. {wants}")
        before = {block.get("id") for block in blocks if block.get("type") == "tool_use"}


@MESSAGES.rule(f"{_DOCS}/agents-and-tools/tool-use/implement-tool-use")
def call_is_answered_twice(body: Json) -> Iterator[Complaint]:
    """Two results of one call, or two calls of one id."""
    for role, index, blocks in _turns(body):
        given = [block.get("tool_use_id") for block in blocks if block.get("type") == "tool_result"]
        for one in {one for one in given if given.count(one) > 1} if role == "user" else ():
            words = f"each tool_use must have a single result. Found multiple `tool_result` blocks with id: {one}"
            yield Complaint(f"messages.{index}.content.1: {words}")
    ids = [block.get("id") for _, _, block in _placed(body) if block.get("type") == "tool_use"]
    if len(set(ids)) < len(ids):
        yield Complaint("messages: `tool_use` ids must be unique")


@MESSAGES.rule(f"{_DOCS}/agents-and-tools/tool-use/implement-tool-use")
def call_is_misshapen(body: Json) -> Iterator[Complaint]:
    """Past calls with an id, a name or an input that cannot be."""
    for path, _, block in _placed(body):
        kind = block.get("type")
        if kind == "tool_use":
            if not _ID.match(str(block.get("id", ""))):
                yield Complaint(f"{path}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
            if not _NAME.match(str(block.get("name", ""))):
                yield Complaint(f"{path}.tool_use.name: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'")
            if not isinstance(block.get("input"), dict):
                yield Complaint(f"{path}.tool_use.input: Input should be a valid dictionary")
        if kind == "server_tool_use" and not _SERVER_ID.match(str(block.get("id", ""))):
            words = "String should match pattern '^srvtoolu_[a-zA-Z0-9_]+$'"
            yield Complaint(f"{path}.server_tool_use.id: {words}")


@MESSAGES.rule(f"{_DOCS}/agents-and-tools/tool-use/implement-tool-use")
def failed_result_has_more_than_text(body: Json) -> Iterator[Complaint]:
    """Pictures in the result of a call that failed."""
    for path, _, block in _placed(body):
        if block.get("is_error") and any(one.get("type") != "text" for one in _blocks(block)):
            yield Complaint(f"{path}: all content must be type `text` if `is_error` is true")


@MESSAGES.rule("https://github.com/BerriAI/litellm, UnsupportedParamsError: tool calling without `tools=`")
def calls_need_tools(body: Json) -> Iterator[Complaint]:
    """Past calls where there are no tools."""
    past = any(block.get("type") in ("tool_use", "tool_result") for _, _, block in _placed(body))
    if past and not body.get("tools"):
        yield Complaint("Requests which include `tool_use` or `tool_result` blocks must define tools.")


@MESSAGES.rule(f"{_DOCS}/agents-and-tools/tool-use/implement-tool-use")
def tool_name_is_none(body: Json) -> Iterator[Complaint]:
    """Names of tools with other characters, too long ones, and two of one name."""
    names = [tool.get("name") for tool in body.get("tools") or ()]
    for index, name in enumerate(names):
        if not _NAME.match(str(name)):
            yield Complaint(f"tools.{index}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'")
    if len(set(names)) < len(names):
        yield Complaint("tools: Tool names must be unique.")


@MESSAGES.rule("https://github.com/modelcontextprotocol/go-sdk/issues/169")
def input_schema_is_refused(body: Json) -> Iterator[Complaint]:
    """Tools whose schema is refused."""
    for index, tool in enumerate(body.get("tools") or ()):
        if tool.get("type", "custom") == "custom":
            for fault in input_schema_faults(tool.get("input_schema")):
                yield Complaint(f"tools.{index}.custom.input_schema{fault}")


@MESSAGES.rule("https://github.com/anthropics/claude-cookbooks/issues/854")
def choice_cannot_be_made(body: Json) -> Iterator[Complaint]:
    """A demanded call where there are no tools, not this one, or a model that takes no demands."""
    choice, names = body.get("tool_choice") or {}, [tool.get("name") for tool in body.get("tools") or ()]
    if choice.get("type") not in ("any", "tool"):
        return
    if not claude(body["model"]).forced_choice:
        yield Complaint('tool_choice: type "tool" and "any" are not supported for this model.')
    if choice["type"] == "any" and not names:
        yield Complaint("tool_choice.any may only be specified while providing tools")
    if choice["type"] == "tool" and choice.get("name") not in names:
        yield Complaint(f"Tool '{choice.get('name')}' not found in provided tools")
    if (body.get("thinking") or {}).get("type") == "enabled":
        yield Complaint("Thinking may not be enabled when tool_choice forces tool use.")


@MESSAGES.rule(f"{_DOCS}/build-with-claude/adaptive-thinking")
def thinking_is_not_the_models(body: Json) -> Iterator[Complaint]:
    """A kind of thinking that the model does not have."""
    kind, takes = (body.get("thinking") or {}).get("type"), claude(body["model"]).thinking
    if kind is None or kind in takes:
        return
    if kind == "adaptive":
        yield Complaint("adaptive thinking is not supported on this model")
    else:
        words = 'Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.'
        yield Complaint(f'"thinking.type.{kind}" is not supported for this model. {words}')


@MESSAGES.rule(f"{_DOCS}/build-with-claude/effort")
def effort_is_not_a_models(body: Json) -> Iterator[Complaint]:
    """An effort that the model does not have."""
    effort, takes = (body.get("output_config") or {}).get("effort"), claude(body["model"]).efforts
    if effort and not takes:
        yield Complaint("This model does not support the effort parameter.")
    elif effort and effort not in takes:
        yield Complaint(f"output_config.effort '{effort}' is not supported. Supported levels: {', '.join(takes)}.")


@MESSAGES.rule(f"{_DOCS}/build-with-claude/extended-thinking")
def budget_is_out_of_range(body: Json) -> Iterator[Complaint]:
    """A budget of thinking below the least one, or that leaves no room for an answer."""
    thinking = body.get("thinking") or {}
    if thinking.get("type") != "enabled":
        return
    if thinking.get("budget_tokens", 0) < 1024:
        yield Complaint("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
    elif body["max_tokens"] <= thinking["budget_tokens"]:
        yield Complaint("`max_tokens` must be greater than `thinking.budget_tokens`.")


@MESSAGES.rule(f"{_DOCS}/build-with-claude/extended-thinking")
def thought_is_missing_before_calls(body: Json) -> Iterator[Complaint]:
    """Calls that are being answered without the thought that came first, where thinking is on by a budget."""
    turns = _turns(body)
    done = [(index, blocks) for role, index, blocks in turns if role == "assistant"]
    if (body.get("thinking") or {}).get("type") != "enabled" or not done:
        return
    index, blocks = done[-1]
    answering = any(block.get("type") == "tool_result" for block in turns[-1][2])
    if answering and blocks and blocks[0].get("type") not in _THOUGHTS:
        words = f"Expected `thinking` or `redacted_thinking`, but found `{blocks[0].get('type')}`."
        yield Complaint(f"messages.{index}.content.0.type: {words}")


@MESSAGES.rule(f"{_DOCS}/build-with-claude/extended-thinking")
def thought_has_no_signature(body: Json) -> Iterator[Complaint]:
    """Thoughts without their signature."""
    for path, _, block in _placed(body):
        if block.get("type") == "thinking" and "signature" not in block:
            yield Complaint(f"{path}.thinking.signature: Field required")
        elif block.get("type") == "thinking" and not block["signature"]:
            yield Complaint(f"{path}: Invalid `signature` in `thinking` block")


@MESSAGES.rule(f"{_DOCS}/build-with-claude/prompt-caching")
def marks_are_too_many(body: Json) -> Iterator[Complaint]:
    """More than four marks for the cache."""
    holders = [block for _, _, block in _placed(body)] + list(body.get("tools") or ())
    holders += [block for block in body.get("system") or () if isinstance(block, dict)] + [body]
    found = sum("cache_control" in one for one in holders)
    if found > 4:
        yield Complaint(f"A maximum of 4 blocks with cache_control may be provided. Found {found}.")


@MESSAGES.rule("https://github.com/anthropics/claude-code/issues/62379")
def mark_cannot_be_there(body: Json) -> Iterator[Complaint]:
    """Marks for the cache on thoughts and empty texts."""
    for path, _, block in _placed(body):
        if "cache_control" in block and block.get("type") in _THOUGHTS:
            yield Complaint(f"{path}.thinking.cache_control: Extra inputs are not permitted")
        if "cache_control" in block and block.get("type") == "text" and not block.get("text"):
            yield Complaint(f"{path}.text: cache_control cannot be set for empty text blocks")


@MESSAGES.rule(f"{_DOCS}/build-with-claude/vision")
def image_type_is_not_taken(body: Json) -> Iterator[Complaint]:
    """Pictures and documents of other types, and without a byte."""
    for path, _, block in _placed(body):
        source = block.get("source") or {}
        if block.get("type") == "image" and source.get("type") == "base64":
            if source.get("media_type") not in _IMAGES:
                words = "Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'"
                yield Complaint(f"{path}.image.source.base64.media_type: {words}")
            elif not source.get("data"):
                yield Complaint(f"{path}.image.source.base64: image cannot be empty")
        is_data = block.get("type") == "document" and source.get("type") == "base64"
        if is_data and source.get("media_type") != "application/pdf":
            yield Complaint(f"{path}.document.source.base64.media_type: Input should be 'application/pdf'")


@MESSAGES.rule(f"{_DOCS}/api/messages")
def block_is_anothers(body: Json) -> Iterator[Complaint]:
    """Results in the assistant's message; calls, thoughts in the user's; pictures and documents in the assistant's."""
    for path, role, block in _placed(body):
        kind, index = block.get("type"), path.split(".content")[0]
        if role == "user" and kind in ("tool_use", *_THOUGHTS):
            yield Complaint(f"{index}: `{kind}` blocks can only be in `assistant` messages")
        if role == "assistant" and kind in ("tool_result", "image", "document"):
            yield Complaint(f"{index}: `{kind}` blocks can only be in `user` messages")


@MESSAGES.rule(f"{_DOCS}/build-with-claude/structured-outputs")
def format_is_refused(body: Json) -> Iterator[Complaint]:
    """A schema of the answer that is refused, or for a model that enforces none."""
    form = (body.get("output_config") or {}).get("format")
    if form is None:
        return
    if not claude(body["model"]).formats:
        yield Complaint("output_config.format: structured outputs are not supported by this model")
    for fault in format_faults(form.get("schema")):
        yield Complaint(f"output_config.format.schema: {fault}")


@MESSAGES.rule(f"{_DOCS}/agents-and-tools/tool-use/server-tools")
def servers_tool_is_not_there(body: Json) -> Iterator[Complaint]:
    """Past calls of the provider's own tools that have no result, but in the last message."""
    messages = _messages(body)
    for index, message in enumerate(messages[:-1]):
        blocks = _blocks(message)
        answered = {block.get("tool_use_id") for block in blocks}
        for block in blocks:
            if block.get("type") == "server_tool_use" and block.get("id") not in answered:
                found = f"`{block.get('name')}` tool use with id `{block.get('id')}` was found without a corresponding"
                yield Complaint(f"messages.{index}: {found} `{block.get('name')}_tool_result` block")


@MESSAGES.rule(f"{_DOCS}/api/messages")
def stop_sequence_is_blank(body: Json) -> Iterator[Complaint]:
    """Stop sequences of nothing but blanks."""
    if any(not one.strip() for one in body.get("stop_sequences") or ()):
        yield Complaint("stop_sequences: each stop sequence must contain non-whitespace")
