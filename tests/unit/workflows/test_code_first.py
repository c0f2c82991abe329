"""What a code-first workflow is told of a call that is a mistake: our error, which ends the workflow."""

from __future__ import annotations

from typing import Any, assert_type

import pytest

from sostenuto import SpecError, ToolContext, tool
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
    with pytest.raises(SpecError, match=r"call_tool: the function look is not a tool: pass a function"):
        await call_tool(wrong, at="7")


async def test_arguments_that_a_tool_does_not_have_are_told() -> None:
    called: Any = call_tool
    with pytest.raises(SpecError, match="call_tool: the argument '8' has no name: write name='8'"):
        await called(look, "7", "8")
    with pytest.raises(SpecError, match="call_tool: at is given twice"):
        await called(look, "7", at="8")


@tool(effect="read")
def count(ctx: ToolContext, word: str) -> int:
    """Count."""
    return len(f"{ctx.run_id}{word}")


async def _typed() -> None:
    """For type checkers alone: they know the arguments of a tool, and what it returns."""
    assert_type(await call_tool(look, at="7"), str)
    assert_type(await call_tool(count, word="7"), int)
    await call_tool(look, att="7")  # type: ignore[call-overload]
    await call_tool(count, word=7)  # type: ignore[call-overload]
