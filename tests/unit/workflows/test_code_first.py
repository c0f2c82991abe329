"""What a code-first workflow is told of a call that is a mistake: our error, which ends the workflow."""

from __future__ import annotations

from typing import Any

import pytest

from sostenuto import SpecError, tool
from sostenuto.workflows import call_tool, run


@tool(effect="read")
async def look(at: str) -> str:
    """Look at something."""
    return at


@pytest.mark.parametrize("runnable", [None, "agent", look])
async def test_what_is_no_runnable_is_not_run(runnable: Any) -> None:
    with pytest.raises(SpecError, match=r"run: .* cannot be run: pass an Agent, Prompt"):
        await run(runnable, "Hello")


async def test_what_is_no_tool_is_not_called() -> None:
    wrong: Any = look.function
    with pytest.raises(SpecError, match=r"call_tool: <function look at .*> is not a tool: pass a function"):
        await call_tool(wrong, at="7")


async def test_an_argument_without_a_name_is_told() -> None:
    called: Any = call_tool
    with pytest.raises(SpecError, match="call_tool: the argument '7' has no name: write name='7'"):
        await called(look, "7")
