"""What OpenAI's Responses endpoint refuses in tools."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.fakes.wire.openai.models import is_fine_tuned
from tests.fakes.wire.openai.responses_items import items_of, kind_of
from tests.fakes.wire.openai.schema import schema_faults
from tests.fakes.wire.openai.words import MEASURED_RESPONSES, missing, no_name
from tests.fakes.wire.rule import Complaint, Json, RuleBook

RESPONSE_TOOLS = RuleBook("tools of a Responses request")

_NAME_CHARS = 128
_LABEL_CHARS = 64
_NEEDED = {
    "mcp": ("server_label", "server_url"),
    "code_interpreter": ("container",),
    "file_search": ("vector_store_ids",),
}
_HOSTED = ("web_search", "web_search_preview", "file_search", "code_interpreter", "image_generation", "mcp")


@RESPONSE_TOOLS.rule(MEASURED_RESPONSES)
def tool_has_no_name(body: Json) -> Iterator[Complaint]:
    """Tools without a type, and functions in the form of Chat Completions."""
    for index, tool in enumerate(body.get("tools") or ()):
        if not tool.get("type"):
            yield missing(f"tools[{index}].type")
        if tool.get("type") == "function" and not tool.get("name"):
            yield missing(f"tools[{index}].name")


@RESPONSE_TOOLS.rule("https://github.com/openai/openai-openapi/blob/main/openapi.json")
def function_name_does_not_match(body: Json) -> Iterator[Complaint]:
    """Names of tools and of past calls beyond 128 letters, digits, '_' and '-'."""
    tools = ((f"tools[{i}].name", tool.get("name")) for i, tool in enumerate(body.get("tools") or ()))
    calls = ((f"input[{i}].name", item.get("name")) for i, item in items_of(body) if kind_of(item) == "function_call")
    for path, name in (*tools, *calls):
        if name is not None:
            yield from no_name(path, name, _NAME_CHARS)


@RESPONSE_TOOLS.rule("https://github.com/kevinwatt/mysql-mcp/issues/5")
def parameters_are_no_schema(body: Json) -> Iterator[Complaint]:
    """Tools whose schema is refused."""
    fine_tuned = is_fine_tuned(str(body.get("model", "")))
    for index, tool in enumerate(body.get("tools") or ()):
        strict = tool.get("strict") is True
        schema = tool.get("parameters") if tool.get("type") == "function" else None
        for fault in schema_faults(schema, strict=strict, fine_tuned=fine_tuned):
            words = f"Invalid schema for function '{tool.get('name')}': {fault}"
            yield Complaint(words, f"tools[{index}].parameters", "invalid_function_parameters")


@RESPONSE_TOOLS.rule("https://github.com/openai/openai-openapi/blob/main/openapi.json")
def tool_choice_names_no_tool(body: Json) -> Iterator[Complaint]:
    """A choice of a tool where there is none, or not this one."""
    choice, tools = body.get("tool_choice"), body.get("tools") or []
    if choice in (None, "auto", "none"):
        return
    if not tools:
        yield Complaint("Tool choice 'required' must be specified with 'tools' parameter.", "tool_choice")
    elif isinstance(choice, dict):
        wanted = choice.get("tools") or [] if choice.get("type") == "allowed_tools" else [choice]
        for one in wanted:
            kind = one.get("type")
            there = [tool.get("name") for tool in tools if tool.get("type") == kind]
            if kind == "function" and not one.get("name"):
                yield missing("tool_choice.name")
            elif (one.get("name") not in there) if kind == "function" else not there:
                yield Complaint(f"Tool choice '{kind}' not found in 'tools' parameter.", "tool_choice")


@RESPONSE_TOOLS.rule(
    "https://github.com/davidmovas/postulator/blob/main/internal/adapters/llm/openai/openaitest/refuse.go"
)
def deferred_tools_need_a_search(body: Json) -> Iterator[Complaint]:
    """Tools that are to be loaded later, where nothing searches for them."""
    tools = body.get("tools") or ()
    if any(tool.get("defer_loading") for tool in tools) and not any(
        tool.get("type") == "tool_search" for tool in tools
    ):
        words = "Invalid Value: 'tools.defer_loading'. Deferred tools require tools.tool_search."
        yield Complaint(words, "tools.defer_loading")


@RESPONSE_TOOLS.rule("https://github.com/QuantumNous/new-api/issues/1478")
def hosted_tool_lacks_a_field(body: Json) -> Iterator[Complaint]:
    """MCP servers without a label or an address, interpreters without a container, searches of files in none."""
    for index, tool in enumerate(body.get("tools") or ()):
        for field in _NEEDED.get(str(tool.get("type")), ()):
            if not tool.get(field):
                yield missing(f"tools[{index}].{field}")


@RESPONSE_TOOLS.rule("https://github.com/fhswf/openai-ui/pull/159")
def label_does_not_match(body: Json) -> Iterator[Complaint]:
    """Labels of MCP servers beyond 64 letters, digits, '_' and '-'."""
    for index, tool in enumerate(body.get("tools") or ()):
        if tool.get("server_label"):
            yield from no_name(f"tools[{index}].server_label", tool["server_label"], _LABEL_CHARS)


@RESPONSE_TOOLS.rule("https://github.com/smg-project/smg/pull/479", quoted=False)
def label_is_there_twice(body: Json) -> Iterator[Complaint]:
    """Two MCP servers of one label, case ignored."""
    labels = [str(tool.get("server_label")).lower() for tool in body.get("tools") or () if tool.get("type") == "mcp"]
    if len(set(labels)) < len(labels):
        yield Complaint("MCP tools must have distinct server labels.", "tools", "mcp_tool_duplicate_server_label")


@RESPONSE_TOOLS.rule("https://github.com/openai/codex/issues/3559")
def hosted_tools_need_more_effort(body: Json) -> Iterator[Complaint]:
    """Hosted tools beside the effort `minimal`."""
    kinds = [tool["type"] for tool in body.get("tools") or () if tool.get("type") in ("web_search", "image_generation")]
    if kinds and (body.get("reasoning") or {}).get("effort") == "minimal":
        words = "The following tools cannot be used with reasoning.effort 'minimal'"
        yield Complaint(f"{words}: {', '.join(kinds)}.", "tools")


@RESPONSE_TOOLS.rule("https://github.com/QuantumNous/new-api/issues/1586")
def hosted_tool_is_not_the_models(body: Json) -> Iterator[Complaint]:
    """Hosted tools for the smallest model, which has none."""
    model = str(body.get("model", ""))
    for tool in body.get("tools") or ():
        if tool.get("type") in _HOSTED and re.match(r"gpt-4\.1-nano", model):
            yield Complaint(f"Hosted tool '{tool['type']}' is not supported with {model}.", "tools")
