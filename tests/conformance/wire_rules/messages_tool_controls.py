"""Controls of the rules of tools and content of Anthropic's Messages endpoint."""

from __future__ import annotations

import base64

from tests.conformance.wire_rules.bodies import (
    CLAUDE_TOOL,
    JPEG,
    LOOSE,
    PDF,
    SCHEMA,
    Control,
    assistant,
    claude,
    control,
    document,
    image,
    text,
    thought,
    user,
)

_SEARCH = {"type": "web_search_20250305", "name": "web_search"}
_SET = {"type": "mcp_toolset", "mcp_server_name": "tracker"}
_SERVER = {"type": "url", "name": "tracker", "url": "https://example.com/mcp"}
_ANY = {"type": "any"}
_LOOK_UP = {"type": "tool", "name": "look_up"}
_MARK = {"cache_control": {"type": "ephemeral"}}
_HOUR = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
_STRICT = CLAUDE_TOOL | {"strict": True, "input_schema": SCHEMA}


def _png(width: int, height: int) -> str:
    sides = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + sides + b"\x08\x02" + bytes(8)).decode()


TOOLS: dict[str, Control] = {
    "tool_name_is_none": control(
        claude(tools=[CLAUDE_TOOL | {"name": "n" * 128}]),
        claude(tools=[CLAUDE_TOOL | {"name": "n" * 129}]),
        claude(tools=[CLAUDE_TOOL | {"name": "look up"}]),
    ),
    "tool_is_there_twice": control(claude(tools=[CLAUDE_TOOL]), claude(tools=[CLAUDE_TOOL, CLAUDE_TOOL])),
    "input_schema_is_refused": control(
        claude(tools=[CLAUDE_TOOL]), claude(tools=[CLAUDE_TOOL | {"input_schema": LOOSE | {"anyOf": [LOOSE]}}])
    ),
    "strict_tool_is_refused": control(
        claude(tools=[_STRICT | {"name": f"tool_{n}"} for n in range(20)]),
        claude(tools=[_STRICT | {"name": f"tool_{n}"} for n in range(21)]),
        claude(tools=[_STRICT | {"input_schema": LOOSE}]),
    ),
    "search_has_two_lists": control(
        claude(tools=[_SEARCH | {"allowed_domains": ["a.org"]}]),
        claude(tools=[_SEARCH | {"allowed_domains": ["a.org"], "blocked_domains": ["b.org"]}]),
    ),
    "connector_is_half": control(
        claude(tools=[_SET], mcp_servers=[_SERVER]),
        claude(tools=[CLAUDE_TOOL], mcp_servers=[_SERVER]),
        claude(tools=[_SET], mcp_servers=[_SERVER | {"name": "other"}]),
        claude(tools=[_SET, _SET], mcp_servers=[_SERVER, _SERVER]),
    ),
    "connector_is_not_safe": control(
        claude(tools=[_SET], mcp_servers=[_SERVER]),
        claude(tools=[_SET], mcp_servers=[_SERVER | {"url": "http://example.com/mcp"}]),
    ),
    "every_tool_is_deferred": control(
        claude(tools=[CLAUDE_TOOL, CLAUDE_TOOL | {"name": "other", "defer_loading": True}]),
        claude(tools=[CLAUDE_TOOL | {"defer_loading": True}]),
    ),
    "choice_is_forced": control(
        claude(tools=[CLAUDE_TOOL], tool_choice=_ANY),
        claude(tools=[CLAUDE_TOOL], tool_choice=_ANY, model="claude-opus-5-5"),
        claude(tools=[CLAUDE_TOOL], tool_choice=_LOOK_UP, model="claude-fable-5-1"),
    ),
    "choice_is_not_there": control(
        claude(tools=[CLAUDE_TOOL], tool_choice=_LOOK_UP),
        claude(tool_choice=_ANY),
        claude(tools=[CLAUDE_TOOL], tool_choice=_LOOK_UP | {"name": "other"}),
    ),
    "choice_is_forced_while_thinking": control(
        claude(tools=[CLAUDE_TOOL], tool_choice=_ANY, thinking={"type": "adaptive"}),
        claude(tools=[CLAUDE_TOOL], tool_choice=_ANY, thinking={"type": "enabled", "budget_tokens": 2_000}),
    ),
    "format_is_refused": control(
        claude(output_config={"format": {"type": "json_schema", "schema": SCHEMA}}),
        claude(output_config={"format": {"type": "json_schema", "schema": LOOSE}}),
    ),
    "format_is_not_the_models": control(
        claude(output_config={"format": {"type": "json_schema", "schema": SCHEMA}}, model="claude-haiku-4-5"),
        claude(output_config={"format": {"type": "json_schema", "schema": SCHEMA}}, model="claude-opus-4-1"),
    ),
}

CONTENT: dict[str, Control] = {
    "image_type_is_not_taken": control(
        claude(user(image(JPEG, "image/jpeg"))), claude(user(image("SUkqAA==", "image/tiff")))
    ),
    "image_is_of_another_type": control(claude(user(image())), claude(user(image(JPEG)))),
    "image_size_is_not_taken": control(
        claude(user(image(_png(8_000, 8_000)))),
        claude(user(image(""))),
        claude(user(image("iVBORw0K" + "A" * 10_500_000))),
        claude(user(image(_png(8_001, 10)))),
        claude(user(*[image(_png(10, 2_001))] * 21)),
    ),
    "images_are_too_many": control(
        claude(user(*[image()] * 600)),
        claude(user(*[image()] * 601)),
        claude(user(*[image()] * 101), model="claude-haiku-4-5"),
    ),
    "document_is_no_pdf": control(
        claude(user(document())), claude(user(document("UEs=", "application/zip"))), claude(user(document("UEs=")))
    ),
    "marks_are_too_many": control(
        claude(user(*[text("x", **_MARK)] * 3), tools=[CLAUDE_TOOL | _MARK]),
        claude(user(*[text("x", **_MARK)] * 3), tools=[CLAUDE_TOOL | _MARK], system=[text("x", **_MARK)]),
        claude(user(*[text("x", **_MARK)] * 4), **_MARK),
    ),
    "marks_are_out_of_order": control(
        claude(user(text("x", **_MARK)), system=[text("x", **_HOUR)]),
        claude(user(text("x", **_HOUR)), system=[text("x", **_MARK)]),
        claude(user(text("x", **_HOUR)), tools=[CLAUDE_TOOL | _MARK]),
    ),
    "mark_is_on_a_thought": control(
        claude(user("Go"), assistant(thought(), text("So.", **_MARK)), user("Yes?")),
        claude(user("Go"), assistant(thought(**_MARK), text("So.")), user("Yes?")),
    ),
    "mark_is_on_an_empty_text": control(
        claude(user(text("x", **_MARK))), claude(user(document(PDF), text("", **_MARK)))
    ),
}
