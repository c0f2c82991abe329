"""Tool arguments as models write them, well or badly."""

import pytest

from sostenuto.activities.adapters.providers.tool_exchange import result_text, sent_arguments, tool_call_part
from sostenuto.contracts.message import ToolCallPart, ToolResultPart


@pytest.mark.parametrize(("raw", "arguments"), [('{"a": [1, null]}', {"a": [1, None]}), ("", {}), ("{}", {})])
def test_an_object_is_read(raw: str, arguments: dict[str, object]) -> None:
    assert tool_call_part("1", "f", raw) == ToolCallPart(id="1", name="f", arguments=arguments)


@pytest.mark.parametrize("raw", ['{"a": 1', "[1]", "null", '"text"', '{"a": NaN}', '{"a": -Infinity}', "<call>"])
def test_anything_else_is_kept_as_it_was_written(raw: str) -> None:
    call = tool_call_part("1", "f", raw)
    assert (call.arguments, call.malformed) == ({}, raw)
    assert sent_arguments(call) == {"INVALID_JSON": raw}


def test_an_error_is_told_in_words() -> None:
    part = ToolResultPart(call_id="1", name="f", content="no such page", is_error=True)
    assert result_text(part) == "Error: no such page"
    assert result_text(part.model_copy(update={"is_error": False})) == "no such page"
