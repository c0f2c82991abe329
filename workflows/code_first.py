"""What code-first workflows call: `run`, `ask`, `search` and `call_tool`.

Deterministic; every call stands in the history of the workflow that makes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar, cast, overload

from pydantic import JsonValue, ValidationError
from pydantic_core import to_json, to_jsonable_python
from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from ..contracts import limits, names
from ..contracts.collection.collection import Collection
from ..contracts.contract import brief
from ..contracts.errors import SpecError
from ..contracts.mcp import McpRef
from ..contracts.model import Model
from ..contracts.specs.agent import Agent
from ..contracts.specs.input import Input, message_from
from ..contracts.specs.node import Node, cannot_run, check_tree
from ..contracts.specs.output import Validator
from ..contracts.specs.retrieve import Retrieve, Rewrite
from ..contracts.specs.runnable import Runnable, check_input
from ..contracts.tool import Tool, ToolSpec
from ..contracts.wire.places import Place, direct_call_id
from ..contracts.wire.retrieval import Retrieved
from ..contracts.wire.run import Result, Status
from ..contracts.wire.tool_call import ToolInvocation, ToolOutput
from .agent.mcp_catalogue import find_tool
from .agent.tool_calls import start_tool
from .concurrency import cause_of
from .interpreter import Interpreter
from .patterns.retrieve import search_for
from .payload_limits import PayloadTooLargeError
from .scope import Scope
from .tally import Tally
from .until_served import is_not_served, until_served

R = TypeVar("R")
T = TypeVar("T")

_HELD = "_sostenuto_interpreter"


async def run(runnable: Node[T], input: Input) -> Result[T]:
    """Run a runnable as a child workflow with its own history and return its result.

    Args:
        runnable: What to run.
        input: What it is asked: text, a message, a list of texts and parts, or fields.

    Returns:
        Whatever its status: a run that failed has a result too, with what it has.

    Raises:
        SpecError: The runnable contains itself, or the input lacks what its templates take.
        asyncio.CancelledError: The workflow is being cancelled.
    """
    if not isinstance(runnable, Node):
        raise SpecError(f"run: {cannot_run(runnable)}")
    message = message_from(input)
    check_tree(runnable)
    check_input(runnable, message)
    interpreter = _interpreter()

    async def work() -> Result:
        place = interpreter.root / runnable.name
        result, _ = await interpreter.child(cast("Runnable", runnable), place, message, compact=False)
        return result

    return _typed(runnable, await _ended(work()))


@overload
async def ask(
    model: Model | str,
    question: Input,
    *,
    instructions: str = ...,
    output: None = None,
    validators: Iterable[Validator | str] = ...,
    max_repairs: int = ...,
    name: str = ...,
) -> Result[str]: ...


@overload
async def ask(
    model: Model | str,
    question: Input,
    *,
    instructions: str = ...,
    output: type[T],
    validators: Iterable[Validator | str] = ...,
    max_repairs: int = ...,
    name: str = ...,
) -> Result[T]: ...


@overload
async def ask(
    model: Model | str,
    question: Input,
    *,
    instructions: str = ...,
    output: Any,
    validators: Iterable[Validator | str] = ...,
    max_repairs: int = ...,
    name: str = ...,
) -> Result: ...


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
    """Ask a model one question, in this workflow.

    Args:
        model: Who is asked.
        question: Text, a message, a list of texts and parts, or fields.
        instructions: The system prompt.
        output: The form of the answer: a type, or a JSON schema. None: free text.
        validators: Functions that the answer has to pass as well. The worker knows them from its `App`.
        max_repairs: How often an answer that is wrong is asked for again.
        name: Its place in the events.

    Raises:
        SpecError: An argument is wrong; says which and why.
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
    interpreter = _interpreter()
    message = message_from(question)

    async def work() -> Result:
        # Numbered when it begins, as `run` is: a call that a cancel comes before takes no number.
        return await interpreter.ask(agent, interpreter.numbered(interpreter.root / name), message)

    return _typed(agent, await _ended(work()))


async def search(
    collection: Collection,
    query: str,
    *,
    limit: int | None = None,
    filters: Mapping[str, Any] | None = None,
    rewrite: Rewrite = "",
    model: Model | str | None = None,
) -> Retrieved:
    """Search a collection and return the passages that fit best.

    A workflow of a tenant finds its own documents in a collection that is partitioned. An answer of `ask` of the same
    workflow, of the type `Cited`, may cite what is found.

    Args:
        collection: Which one. The worker knows it from its `App`.
        query: What to look for, at most 8,000 characters.
        limit: Most passages. None: as many as the collection says.
        filters: What the fields of a document have to be, as for `Collection.search`.
        rewrite: What a model makes of the query first, as for `Retrieve`.
        model: Who rewrites it.

    Raises:
        SpecError: An argument is wrong; says which and why.
        temporalio.exceptions.ApplicationError: It cannot be searched; the message says why.
        temporalio.exceptions.ActivityError: The search was ended from outside; the cause says why.
        asyncio.CancelledError: The workflow is being cancelled.
    """
    name = getattr(collection, "name", "search")
    spec = Retrieve(name, collection, limit=limit, filters=filters, rewrite=rewrite, model=model)
    if spec.filled:
        raise SpecError("search: filters: a name in braces stands for nothing here: give the value")
    interpreter = _interpreter()
    scope = Scope.root(interpreter.numbered(interpreter.root / name), message_from(query))
    try:
        found = await search_for(interpreter, spec, scope, Tally())
    except (ActivityError, ApplicationError) as error:
        cause = cause_of(error)
        if isinstance(cause, ApplicationError):
            raise ApplicationError(cause.message, type=names.COLLECTION_FAILED, non_retryable=True) from None
        raise
    return found


@overload
async def call_tool(tool: Tool[..., Coroutine[Any, Any, R]], /, **arguments: Any) -> R: ...


@overload
async def call_tool(tool: Tool[..., R], /, **arguments: Any) -> R: ...


@overload
async def call_tool(tool: str, /, **arguments: Any) -> str: ...


async def call_tool(tool: Tool[..., Any] | str, /, *unnamed: Any, **arguments: Any) -> Any:
    """Call a tool with the guarantees of its effect class and return what it returns.

    Args:
        tool: A function made by `@tool`, or a tool of an MCP server, as `"mcp:server/tool"`, which returns text.
        *unnamed: None: a mistake that is told as one.
        **arguments: Its arguments, as JSON or pydantic values.

    Raises:
        SpecError: It is not a tool, an argument has no name, or it returned something else than it says.
        temporalio.exceptions.ApplicationError: The tool failed; of type `ToolFailed`, with a message that says why.
        temporalio.exceptions.ActivityError: The call was ended from outside; the cause says why.
    """
    if unnamed:
        raise SpecError(f"call_tool: the argument {brief(unnamed[0])} has no name: write name={brief(unnamed[0])}")
    if not isinstance(tool, Tool | str):
        raise SpecError(
            f"call_tool: {brief(tool)} is not a tool: pass a function decorated with @tool, or 'mcp:server/tool'"
        )
    if isinstance(tool, str):
        return (await _call_mcp(McpRef.parse(tool), arguments)).content
    interpreter = _interpreter()
    invocation = ToolInvocation(
        call_id=_call_id(interpreter), reply=workflow.info().run_id, arguments=_plain(arguments)
    )
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


async def _call_mcp(ref: McpRef, arguments: Mapping[str, Any]) -> ToolOutput:
    if not ref.tool:
        raise SpecError(f"'mcp:{ref.server}' is a whole server: name one of its tools, as 'mcp:{ref.server}/tool'")
    interpreter = _interpreter()
    place = partial(interpreter.numbered, interpreter.root / ref.server)
    tool = find_tool(await interpreter.catalogues.of(ref.server, place), ref)
    invocation = ToolInvocation(
        call_id=_call_id(interpreter), reply=workflow.info().run_id, arguments=_plain(arguments)
    )
    return await _called(tool, invocation, interpreter)


async def _called(tool: ToolSpec, invocation: ToolInvocation, interpreter: Interpreter) -> ToolOutput:
    activity_id = interpreter.root.tool_call(invocation.call_id)

    async def start(refused: int) -> ToolOutput:
        async with interpreter.outbox.sending(invocation, "the call"):
            return await start_tool(tool, invocation, activity_id, local=not refused)

    try:
        return await until_served(start)
    except PayloadTooLargeError as error:
        raise SpecError(f"tool {tool.name!r}: {error}") from None
    except (ActivityError, ApplicationError) as error:
        # A local activity's failure comes as it is: whoever catches it need not know which tools are fast.
        cause = cause_of(error)
        if not isinstance(cause, ApplicationError):
            raise
        if is_not_served(cause):
            raise ApplicationError(cause.message, type=names.TOOL_FAILED, non_retryable=True) from None
        raise cause from None


def _interpreter() -> Interpreter:
    """Return what the calls of one workflow share, kept on its instance."""
    instance = workflow.instance()
    interpreter: Interpreter | None = getattr(instance, _HELD, None)
    if interpreter is None:
        interpreter = Interpreter(Place(workflow.info().workflow_type))
        setattr(instance, _HELD, interpreter)
        workflow.set_query_handler(names.TRANSCRIPT_QUERY, interpreter.page)
    return interpreter


def _call_id(interpreter: Interpreter) -> str:
    return direct_call_id(interpreter.use("call"))


def _plain(arguments: Mapping[str, Any]) -> dict[str, JsonValue]:
    try:
        plain: dict[str, JsonValue] = to_jsonable_python(dict(arguments))
    except ValueError as error:
        raise SpecError(f"call_tool: the arguments are not JSON: {error}") from None
    if limits.is_too_deep(plain):
        raise SpecError(f"call_tool: the arguments are nested deeper than {limits.MAX_DEPTH} levels")
    return plain


async def _ended(work: Coroutine[Any, Any, Result]) -> Result:
    """Do work in a task that knows nothing of earlier cancels.

    A workflow may tidy up after one.
    """
    before = _cancels()
    result = await asyncio.create_task(work)
    if result.status is Status.CANCELLED and _cancels() > before:
        raise asyncio.CancelledError
    return result


def _cancels() -> int:
    task = asyncio.current_task()
    return task.cancelling() if task else 0


def _typed(runnable: Node, result: Result) -> Result:
    if result.status is not Status.COMPLETED or runnable.output_type is None:
        return result
    try:
        # Read as JSON, which it was: strict types take less from Python.
        output = runnable.output_type.validate_json(to_json(result.output))
    except ValidationError as error:
        raise SpecError(
            f"{type(runnable).__name__} {runnable.name!r}: its output is not of its type, which the worker did not "
            f"check because its App has another one of that name, or none: {error}"
        ) from None
    return result.model_copy(update={"output": output})
