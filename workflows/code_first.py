"""The same in plain Python: what people's own workflows call. Deterministic; every call stands in their history."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, TypeVar, overload

from pydantic import JsonValue
from pydantic_core import to_jsonable_python
from temporalio import workflow

from ..contracts import names
from ..contracts.agent import Agent
from ..contracts.errors import SpecError
from ..contracts.input import Input, message_from
from ..contracts.mcp import McpRef
from ..contracts.model import Model
from ..contracts.node import check_tree
from ..contracts.output import Validator
from ..contracts.run import Result, Status
from ..contracts.runnable import Runnable, check_input
from ..contracts.tool import Tool, ToolInvocation, ToolOutput
from .catalogue import catalogue_of, named
from .execution import Execution
from .scope import Scope
from .together import being_cancelled
from .tools import start_tool

R = TypeVar("R")

_HELD = "_sostenuto_execution"


async def run(runnable: Runnable, input: Input) -> Result:  # noqa: A002 - the field's own word
    """What a runnable comes to, in a run of its own: a child workflow with its own history, transcript and retries.

    Args:
        runnable: What to run.
        input: What it is asked: text, a message, a list of texts and parts, or fields.

    Returns:
        Whatever its status: a run that failed has a result too, with what it has.

    Raises:
        SpecError: The runnable contains itself, or the input lacks what its templates take.
        asyncio.CancelledError: The workflow is being cancelled.
    """
    message = message_from(input)
    check_tree(runnable)
    check_input(runnable, message)
    execution = _execution()
    result, _ = await execution.child(runnable, f"{execution.path}/{runnable.name}", message)
    return _typed(runnable, result)


async def ask(
    model: Model | str,
    question: Input,
    *,
    instructions: str = "",
    output: Any = None,
    validators: Iterable[Validator | str] = (),
    max_repairs: int = 2,
    name: str = "ask",
) -> Result:
    """What a model says to one question, here in this workflow.

    Args:
        model: Who is asked.
        question: Text, a message, a list of texts and parts, or fields.
        instructions: The system prompt.
        output: The form of the answer: a type, or a JSON schema. None: free text.
        validators: Functions that the answer has to pass besides. The worker knows them from its `App`.
        max_repairs: How often an answer that is wrong is asked for again.
        name: Its place in the events.

    Raises:
        SpecError: Something of this is wrong.
        asyncio.CancelledError: The workflow is being cancelled.
    """
    agent = Agent(
        name=name,
        model=model,
        instructions=instructions,
        output=output,
        validators=validators,
        max_turns=1 + max_repairs,
        max_repairs=max_repairs,
    )
    execution = _execution()
    message = message_from(question)
    result = await execution.ask(agent, Scope.root(f"{execution.path}/{name}", message), message)
    return _typed(agent, result)


@overload
async def call_tool(tool: Tool[..., Coroutine[Any, Any, R]], /, **arguments: Any) -> R: ...


@overload
async def call_tool(tool: Tool[..., R], /, **arguments: Any) -> R: ...


@overload
async def call_tool(tool: str, /, **arguments: Any) -> str: ...


async def call_tool(tool: Tool[..., Any] | str, /, **arguments: Any) -> Any:
    """What a tool returns, called with the guarantees of its effect class.

    Args:
        tool: A function made by `@tool`, or a tool of an MCP server, as `"mcp:server/tool"`, which returns text.
        **arguments: Its arguments, as JSON or pydantic values.

    Raises:
        SpecError: It is no tool.
        temporalio.exceptions.ActivityError: It failed; its cause is an `ApplicationError` of type `ToolFailed`, whose
            message says why.
    """
    if isinstance(tool, str):
        return (await _call_mcp(McpRef.parse(tool), arguments)).content
    execution = _execution()
    invocation = ToolInvocation(call_id=_call_id(execution), reply=workflow.info().run_id, arguments=_plain(arguments))
    output = await start_tool(tool.spec, invocation, f"{execution.path}:{invocation.call_id}")
    return tool.signature.parse(output.content)


async def _call_mcp(ref: McpRef, arguments: Mapping[str, Any]) -> ToolOutput:
    if not ref.tool:
        raise SpecError(f"'mcp:{ref.server}' is a whole server: name one of its tools, as 'mcp:{ref.server}/tool'")
    execution = _execution()
    path = execution.place(f"{execution.path}/{ref.server}")
    catalogue = await catalogue_of(ref.server, path)
    tool = named(catalogue, ref)
    invocation = ToolInvocation(call_id=_call_id(execution), reply=workflow.info().run_id, arguments=_plain(arguments))
    return await start_tool(tool, invocation, f"{execution.path}:{invocation.call_id}")


def _execution() -> Execution:
    """What the calls of one workflow share, kept on its instance."""
    instance = workflow.instance()
    execution: Execution | None = getattr(instance, _HELD, None)
    if execution is None:
        execution = Execution(workflow.info().workflow_type)
        setattr(instance, _HELD, execution)
        workflow.set_query_handler(names.TRANSCRIPT_QUERY, execution.page)
    return execution


def _call_id(execution: Execution) -> str:
    return execution.place("call").replace("#", "_")


def _plain(arguments: Mapping[str, Any]) -> dict[str, JsonValue]:
    plain: dict[str, JsonValue] = to_jsonable_python(dict(arguments))
    return plain


def _typed(runnable: Runnable, result: Result) -> Result:
    if result.status is Status.CANCELLED and being_cancelled():
        raise asyncio.CancelledError
    if result.status is not Status.COMPLETED or runnable.output_type is None:
        return result
    return result.model_copy(update={"output": runnable.output_type.validate_python(result.output)})
