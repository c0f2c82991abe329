"""Runnables, questions and searches of code-first workflows.

They are `run`, `ask` and `search`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, TypeVar, cast, overload

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from ...contracts import names
from ...contracts.collection.collection import Collection
from ...contracts.context.filling import check_all_names, checked, filled, filled_budget
from ...contracts.contract import problems_of
from ...contracts.control.budget import Budget
from ...contracts.errors import SpecError
from ...contracts.model import Model
from ...contracts.specs.agent import Agent
from ...contracts.specs.input import Input, message_from, question_with_history
from ...contracts.specs.node import Node, cannot_run, check_tree
from ...contracts.specs.output import Validator
from ...contracts.specs.retrieve import Retrieve, Rewrite
from ...contracts.specs.runnable import Runnable, check_input
from ...contracts.wire.retrieval import Retrieved
from ...contracts.wire.run import Result, Status
from ..concurrency import cause_of
from ..patterns.retrieve import search_for
from ..run_context import own_context
from ..scope import Scope
from ..tally import Tally
from .held import own_interpreter

T = TypeVar("T")


async def run(runnable: Node[T], input: Input, *, budget: Budget | None = None) -> Result[T]:
    """Run a runnable as a child workflow with its own history and return its result.

    Args:
        runnable: What to run.
        input: What it is asked: text, a message, a list of texts and parts, or fields.
        budget: What it may spend, beside what it says itself.

    Returns:
        Whatever its status: a run that failed has a result too, with what it has.

    Raises:
        SpecError: The runnable contains itself, or the input lacks what its templates take.
        asyncio.CancelledError: The workflow is being cancelled.
    """
    if not isinstance(runnable, Node):
        raise SpecError(f"run: {cannot_run(runnable)}")
    asked = question_with_history(input)
    check_tree(runnable)
    check_input(runnable, asked.message, before=asked.before)
    _check_names(runnable)
    values = own_context()
    whole = checked(runnable, values, is_given=bool(values))
    begun = cast("Runnable", filled(runnable, whole))
    allowed = filled_budget(budget, runnable, whole)
    interpreter = own_interpreter()

    async def work() -> Result:
        place = interpreter.root / runnable.name
        result, _ = await interpreter.child(
            begun, place, asked.message, compact=False, before=asked.before, budget=allowed
        )
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
    _check_names(agent)
    asker = filled(agent, own_context())
    interpreter = own_interpreter()
    message = message_from(question)

    async def work() -> Result:
        # Numbered when it begins, as `run` is: a call that a cancel comes before takes no number.
        return await interpreter.ask(asker, interpreter.numbered(interpreter.root / name), message)

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
    spec = filled(spec, own_context())
    if spec.filled:
        raise SpecError("search: filters: a name in braces stands for nothing here: give the value")
    interpreter = own_interpreter()
    scope = Scope.root(interpreter.numbered(interpreter.root / name), message_from(query))
    try:
        found = await search_for(interpreter, spec, scope, Tally())
    except (ActivityError, ApplicationError) as error:
        cause = cause_of(error)
        if isinstance(cause, ApplicationError):
            raise ApplicationError(cause.message, type=names.COLLECTION_FAILED, non_retryable=True) from None
        raise
    return found


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


def _check_names(runnable: Node) -> None:
    """Check that something fills the names in what is to run.

    Raises:
        SpecError: Nothing could fill one; names it, and its place.
    """
    try:
        check_all_names(runnable)
    except SpecError:
        # A history that went on without such a check goes on so.
        if workflow.patched(names.NAMES_CHECKED_PATCH):
            raise


def _typed(runnable: Node, result: Result) -> Result:
    try:
        return result.typed(runnable.output_type)
    except ValidationError as error:
        raise SpecError(
            f"{type(runnable).__name__} {runnable.name!r}: its output is not of its type, which the worker did not "
            f"check because its App has another one of that name, or none: {problems_of(error)}"
        ) from None
