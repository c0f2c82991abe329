"""Each tool of a list is judged by itself: what is wrong with one is told, and costs no other."""

from __future__ import annotations

from typing import Any

import pytest

from sostenuto.activities.adapters.mcp.listed_tool import judged
from sostenuto.activities.mcp_session import ListedTool
from sostenuto.contracts import limits

OBJECT = {"type": "object", "properties": {}}
GOOD = {"name": "good", "description": "Works.", "inputSchema": OBJECT}


def found(entry: Any) -> tuple[list[ListedTool], list[str]]:
    """What is found of this tool, beside a good one before and behind it."""
    tools, faults = judged([GOOD, entry, {**GOOD, "name": "last"}])
    assert [tools[0].name, tools[-1].name] == ["good", "last"]
    return tools[1:-1], [fault.told for fault in faults]


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (None, "left out of its list: entry 2, which is null, not a tool"),
        (["bad"], "left out of its list: entry 2, which is a list, not a tool"),
        ({}, "left out of its list: entry 2, whose name is null, not a text"),
        ({**GOOD, "name": 7}, "left out of its list: entry 2, whose name is a number, not a text"),
        ({**GOOD, "name": " "}, "left out of its list: entry 2, whose name is empty"),
        ({**GOOD, "name": "a\x1b[2J"}, "tool 'a\\x1b[2J' left out: its name has characters that are not text"),
        ({**GOOD, "name": "a\ufffd"}, "tool 'a\ufffd' left out: its name has characters that are not text"),
        ({**GOOD, "name": "a\n"}, "tool 'a\\n' left out: its name has characters that are not text"),
        (
            {**GOOD, "name": "a" * 300},
            f"tool '{'a' * 127}…' left out: its name has 300 characters and the limit is 256",
        ),
        (GOOD, "tool 'good' left out: there is another tool of this name before it, which is kept"),
        ({"name": "bad", "inputSchema": []}, "tool 'bad' left out: its inputSchema is a list, not an object"),
    ],
)
def test_what_cannot_be_called_is_left_out(entry: Any, told: str) -> None:
    assert found(entry) == ([], [told])


@pytest.mark.parametrize(
    ("more", "tool", "told"),
    [
        ({"inputSchema": None}, {"parameters": OBJECT}, "it has no inputSchema: taken to have no arguments"),
        ({"description": ["x"]}, {"description": ""}, "its description is a list, not a text: left out"),
        ({"description": 7, "title": "T"}, {"description": "T"}, "its description is a number, not a text: left out"),
        ({"title": {}}, {}, "its title is an object, not a text: left out"),
        ({"annotations": "read"}, {}, "its annotations are a text, not an object: left out"),
        ({"annotations": {"readOnlyHint": "perhaps"}}, {}, "its readOnlyHint is a text, not true or false: left out"),
    ],
)
def test_what_has_one_meaning_is_repaired(more: dict[str, Any], tool: dict[str, Any], told: str) -> None:
    (repaired,), problems = found({**GOOD, "name": "odd", **more})
    assert problems == [f"tool 'odd' repaired: {told}"]
    wanted = {"name": "odd", "description": "Works.", "parameters": OBJECT, **tool}
    assert repaired == ListedTool(**wanted)


@pytest.mark.parametrize(
    "more",
    [
        {"outputSchema": [], "icons": "none", "execution": 7, "_meta": "x", "unknown": {}},
        {"outputSchema": {"$ref": "nowhere"}, "title": None, "description": "Works.", "annotations": None},
        {"annotations": {"readOnlyHint": None, "title": 7}},
    ],
)
def test_what_is_not_used_may_be_anything(more: dict[str, Any]) -> None:
    assert found({**GOOD, "name": "odd", **more}) == ([ListedTool("odd", "Works.", OBJECT)], [])


def test_hints_are_read_as_before() -> None:
    hints = {"readOnlyHint": True, "idempotentHint": "true", "destructiveHint": False}
    ((tool,), problems) = found({**GOOD, "name": "odd", "annotations": hints})
    assert (tool.read_only, tool.idempotent, tool.destructive, problems) == (True, True, False, [])


def test_a_description_of_a_megabyte_is_cut() -> None:
    ((tool,), (told,)) = found({**GOOD, "name": "odd", "description": "x" * 1_000_000})
    assert tool.description == "x" * limits.MAX_DESCRIPTION_CHARS + "… (cut)"
    assert told == "tool 'odd' repaired: its description has 1,000,000 characters: cut at 20,000"


def test_of_many_problems_of_one_tool_some_are_told() -> None:
    properties = {name: {"type": "array"} for name in "abcde"}
    _, (told,) = found({**GOOD, "name": "odd", "inputSchema": {"type": "object", "properties": properties}})
    assert told.startswith("tool 'odd' repaired: items of 'a' is missing: taken for anything; items of 'b'")
    assert told.endswith("; and 2 more")


def test_no_page_takes_for_ever() -> None:
    large = {"type": "object", "description": "x" * (limits.MAX_SCHEMA_BYTES - 100)}
    tools, faults = judged({"name": f"t{number}", "inputSchema": large} for number in range(1000))
    assert len(tools) == 16
    assert [fault.told for fault in faults] == [
        "left out of its list: what comes after entry 16 of a page: it is too much"
    ]
