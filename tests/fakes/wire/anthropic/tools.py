"""What Anthropic's endpoint refuses in tools, in their choice and in schemas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.fakes.wire.anthropic.reading import CLAUDE_CODE, DOCS, model_of
from tests.fakes.wire.anthropic.schema import format_faults, input_schema_faults
from tests.fakes.wire.rule import Complaint, Json, RuleBook

MESSAGE_TOOLS = RuleBook("tools of a Messages request")

_NAME = re.compile(r"^[a-zA-Z0-9_-]{1,128}\Z")
_STRICT_TOOLS = 20


def _custom(body: Json) -> Iterator[tuple[int, Json]]:
    """Yield the tools that are the client's own, with their places."""
    for index, tool in enumerate(body.get("tools") or ()):
        if tool.get("type") in (None, "custom"):
            yield index, tool


def _names(body: Json) -> list[Any]:
    return [tool.get("name") for tool in body.get("tools") or () if tool.get("type") != "mcp_toolset"]


@MESSAGE_TOOLS.rule("https://github.com/modelcontextprotocol/modelcontextprotocol/issues/1345")
def tool_name_is_none(body: Json) -> Iterator[Complaint]:
    """Names of tools beyond 128 letters, digits, '_' and '-'."""
    for index, tool in _custom(body):
        if not _NAME.match(str(tool.get("name"))):
            yield Complaint(f"tools.{index}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")


@MESSAGE_TOOLS.rule("https://github.com/tailcallhq/forgecode/issues/892")
def tool_is_there_twice(body: Json) -> Iterator[Complaint]:
    """Two tools of one name."""
    if len(set(_names(body))) < len(_names(body)):
        yield Complaint("tools: Tool names must be unique.")


@MESSAGE_TOOLS.rule(f"{CLAUDE_CODE}/63673")
def input_schema_is_refused(body: Json) -> Iterator[Complaint]:
    """Tools whose schema is refused."""
    for index, tool in _custom(body):
        for fault in input_schema_faults(tool.get("input_schema")):
            yield Complaint(f"tools.{index}.custom.input_schema{fault}")


@MESSAGE_TOOLS.rule(f"{DOCS}/build-with-claude/structured-outputs")
def strict_tool_is_refused(body: Json) -> Iterator[Complaint]:
    """Strict tools whose schema cannot be enforced, and more than 20 of them."""
    strict = [(index, tool) for index, tool in _custom(body) if tool.get("strict")]
    for index, tool in strict:
        for fault in format_faults(tool.get("input_schema")):
            yield Complaint(f"tools.{index}.custom: {fault}")
    if len(strict) > _STRICT_TOOLS:
        words = f"The maximum number of strict tools supported is {_STRICT_TOOLS}."
        yield Complaint(
            f"Too many strict tools ({len(strict)}). {words} Try reducing the number of tools marked as strict."
        )


@MESSAGE_TOOLS.rule(f"{DOCS}/agents-and-tools/tool-use/web-search-tool", quoted=False)
def search_has_two_lists(body: Json) -> Iterator[Complaint]:
    """Searches of the web with domains that are allowed beside some that are not."""
    for index, tool in enumerate(body.get("tools") or ()):
        if tool.get("allowed_domains") and tool.get("blocked_domains"):
            yield Complaint(f"tools.{index}: only one of `allowed_domains` and `blocked_domains` may be set")


@MESSAGE_TOOLS.rule(f"{DOCS}/agents-and-tools/mcp-connector", quoted=False)
def connector_is_half(body: Json) -> Iterator[Complaint]:
    """MCP servers without a set of tools, sets without a server, and two of one name."""
    servers = [server.get("name") for server in body.get("mcp_servers") or ()]
    sets = [tool.get("mcp_server_name") for tool in body.get("tools") or () if tool.get("type") == "mcp_toolset"]
    if len(set(servers)) < len(servers):
        yield Complaint("mcp_servers: server names must be unique")
    if sorted(map(str, servers)) != sorted(map(str, sets)):
        yield Complaint("mcp_servers: each server must be referenced by exactly one MCPToolset in `tools`")


@MESSAGE_TOOLS.rule(f"{DOCS}/agents-and-tools/mcp-connector", quoted=False)
def connector_is_not_safe(body: Json) -> Iterator[Complaint]:
    """MCP servers at addresses that are not https."""
    for index, server in enumerate(body.get("mcp_servers") or ()):
        if not str(server.get("url")).startswith("https://"):
            yield Complaint(f"mcp_servers.{index}.url: must start with https://")


@MESSAGE_TOOLS.rule(f"{DOCS}/agents-and-tools/tool-use/tool-search-tool")
def every_tool_is_deferred(body: Json) -> Iterator[Complaint]:
    """Tools that are all to be loaded later."""
    tools = body.get("tools") or ()
    if tools and all(tool.get("defer_loading") for tool in tools):
        yield Complaint("At least one tool must have defer_loading=false. All tools cannot be deferred.")


@MESSAGE_TOOLS.rule("https://github.com/anthropics/claude-cookbooks/issues/854")
def choice_is_forced(body: Json) -> Iterator[Complaint]:
    """A demanded call, for a model that takes no demands."""
    if (body.get("tool_choice") or {}).get("type") in ("any", "tool") and not model_of(body).forced_choice:
        yield Complaint('tool_choice: type "tool" and "any" are not supported for this model.')


@MESSAGE_TOOLS.rule(f"{DOCS}/agents-and-tools/tool-use/define-tools")
def choice_is_not_there(body: Json) -> Iterator[Complaint]:
    """A demanded call where there are no tools, or not this one."""
    choice = body.get("tool_choice") or {}
    if choice.get("type") == "any" and not _names(body):
        yield Complaint("tool_choice.any may only be specified while providing tools")
    if choice.get("type") == "tool" and choice.get("name") not in _names(body):
        yield Complaint(f"Tool '{choice.get('name')}' not found in provided tools")


@MESSAGE_TOOLS.rule("https://github.com/mastra-ai/mastra/issues/7507")
def choice_is_forced_while_thinking(body: Json) -> Iterator[Complaint]:
    """A demanded call where thinking is on by a budget."""
    forced = (body.get("tool_choice") or {}).get("type") in ("any", "tool")
    if forced and (body.get("thinking") or {}).get("type") == "enabled":
        yield Complaint("Thinking may not be enabled when tool_choice forces tool use.")


@MESSAGE_TOOLS.rule("https://github.com/veryfront/veryfront-code/issues/3918")
def format_is_refused(body: Json) -> Iterator[Complaint]:
    """A schema of the answer that cannot be enforced."""
    form = (body.get("output_config") or {}).get("format")
    for fault in format_faults(form.get("schema")) if form else ():
        yield Complaint(f"output_config.format.schema: {fault}")


@MESSAGE_TOOLS.rule(f"{DOCS}/build-with-claude/structured-outputs", quoted=False)
def format_is_not_the_models(body: Json) -> Iterator[Complaint]:
    """A schema of the answer for a model that enforces none."""
    if (body.get("output_config") or {}).get("format") and not model_of(body).formats:
        yield Complaint("output_config.format: structured outputs are not supported by this model")
