"""Tool calls of code-first workflows: `call_tool`.

With the guarantees of their effect class, and without a model.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar, overload

from pydantic import JsonValue
from pydantic_core import to_jsonable_python
from temporalio import workflow
from temporalio.exceptions import ApplicationError

from ...contracts import limits, names
from ...contracts.contract import brief
from ...contracts.errors import SpecError
from ...contracts.mcp import McpRef
from ...contracts.tool import Tool, ToolContext, ToolSpec
from ...contracts.wire.places import direct_call_id
from ...contracts.wire.tool_call import ToolInvocation, ToolOutput
from ..agent.mcp_catalogue import find_tool
from ..effects.made_call import make_call
from ..interpreter import Interpreter
from ..payload_limits import PayloadTooLargeError
from ..run_context import has_context
from .held import own_interpreter

P = ParamSpec("P")
R = TypeVar("R")


@overload
async def call_tool(
    tool: Tool[Concatenate[ToolContext[Any, Any], P], Coroutine[Any, Any, R]],
    /,
    *unnamed: P.args,
    **arguments: P.kwargs,
) -> R: ...


@overload
async def call_tool(
    tool: Tool[Concatenate[ToolContext[Any, Any], P], R], /, *unnamed: P.args, **arguments: P.kwargs
) -> R: ...


@overload
async def call_tool(tool: Tool[P, Coroutine[Any, Any, R]], /, *unnamed: P.args, **arguments: P.kwargs) -> R: ...


@overload
async def call_tool(tool: Tool[P, R], /, *unnamed: P.args, **arguments: P.kwargs) -> R: ...


@overload
async def call_tool(tool: str, /, **arguments: Any) -> str: ...


async def call_tool(tool: Tool[..., Any] | str, /, *unnamed: Any, **arguments: Any) -> Any:
    """Call a tool with the guarantees of its effect class and return what it returns.

    Args:
        tool: A function made by `@tool`, or a tool of an MCP server, as `"mcp:server/tool"`, which returns text.
        *unnamed: Its first arguments. The call leaves out its `ToolContext`, which type checkers expect to be the first
            parameter.
        **arguments: Its others, as JSON or pydantic values.

    Raises:
        SpecError: It is not a tool, an argument has no name, or it returned something else than it says.
        temporalio.exceptions.ApplicationError: The tool failed; of type `ToolFailed`, with a message that says why.
        temporalio.exceptions.ActivityError: The call was ended from outside; the cause says why.
    """
    if unnamed:
        arguments = _named(tool, unnamed, arguments)
    if not isinstance(tool, Tool | str):
        raise SpecError(
            f"call_tool: {brief(tool)} is not a tool: pass a function decorated with @tool, or 'mcp:server/tool'"
        )
    if isinstance(tool, str):
        return (await _call_mcp(McpRef.parse(tool), arguments)).content
    interpreter = own_interpreter()
    invocation = _invocation(interpreter, arguments)
    output = await _called(tool.spec, invocation, interpreter)
    if output.incomplete:
        message = f"{tool.spec.name} has run, but {output.incomplete[:1].lower()}{output.incomplete[1:]}"
        raise ApplicationError(message, type=names.TOOL_FAILED, non_retryable=True)
    try:
        return tool.signature.parse(output.content)
    except ValueError as error:
        raise SpecError(
            f"tool {tool.spec.name!r}: it has run, and returned something else than its return type: {error}"
        ) from None


def _named(tool: object, unnamed: Sequence[object], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call by their names.

    Raises:
        SpecError: There are more than the tool has, or one is given twice.
    """
    known = list(tool.spec.parameters.get("properties", ())) if isinstance(tool, Tool) else []
    if len(unnamed) > len(known):
        first = brief(unnamed[len(known)])
        raise SpecError(f"call_tool: the argument {first} has no name: write name={first}")
    named = dict(zip(known, unnamed, strict=False))
    for name in named:
        if name in arguments:
            raise SpecError(f"call_tool: {name} is given twice")
    return {**named, **arguments}


async def _call_mcp(ref: McpRef, arguments: Mapping[str, Any]) -> ToolOutput:
    if not ref.tool:
        raise SpecError(f"'mcp:{ref.server}' is a whole server: name one of its tools, as 'mcp:{ref.server}/tool'")
    interpreter = own_interpreter()
    place = partial(interpreter.numbered, interpreter.root / ref.server)
    tool = find_tool(await interpreter.catalogues.of(ref.server, place), ref)
    invocation = _invocation(interpreter, arguments)
    return await _called(tool, invocation, interpreter)


async def _called(tool: ToolSpec, invocation: ToolInvocation, interpreter: Interpreter) -> ToolOutput:
    approvals, outbox, effects = interpreter.approvals, interpreter.outbox, interpreter.effects
    try:
        return await make_call(tool, interpreter.root, invocation, approvals, outbox, effects)
    except PayloadTooLargeError as error:
        raise SpecError(f"tool {tool.name!r}: {error}") from None


def _invocation(interpreter: Interpreter, arguments: Mapping[str, Any]) -> ToolInvocation:
    plain = _plain(arguments)
    return ToolInvocation(
        call_id=direct_call_id(interpreter.use("call")),
        # A reset leaves it as it is.
        reply=workflow.info().original_execution_run_id,
        arguments=plain,
        context=has_context(),
    )


def _plain(arguments: Mapping[str, Any]) -> dict[str, JsonValue]:
    try:
        plain: dict[str, JsonValue] = to_jsonable_python(dict(arguments))
    except ValueError as error:
        raise SpecError(f"call_tool: the arguments are not JSON: {error}") from None
    if limits.is_too_deep(plain):
        raise SpecError(f"call_tool: the arguments are nested deeper than {limits.MAX_DEPTH} levels")
    return plain
