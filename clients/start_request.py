"""What a start of a run says to Temporal, checked before anything starts.

Does no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import JsonValue, TypeAdapter
from pydantic_core import PydanticSerializationError, to_json
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from ..activities.prices.list_price import list_price
from ..contracts import limits, names
from ..contracts.context.filling import BegunWith, begun_with, filled_budget
from ..contracts.context.values import context_memo, context_values, with_tenant
from ..contracts.contract import Contract
from ..contracts.control.budget import Budget
from ..contracts.control.priced import priced_for_budgets
from ..contracts.errors import SpecError
from ..contracts.message import Message
from ..contracts.specs.input import Input, question_from, question_with_history
from ..contracts.specs.node import Node
from ..contracts.specs.runnable import Runnable, check_input
from ..contracts.text import encodable, first_line
from ..contracts.wire.places import SEPARATOR
from ..contracts.wire.run import RunInput
from ..workflows.policy import TASK_TIMEOUT
from ..workflows.search_attributes import AT_START, COST_AT_START, SUMMARY_CHARS, named
from .code_first import CodeFirstWorkflow

Startable = Node | type | Callable[..., Any]
"""A runnable, or a code-first workflow: its class or its run method."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to start."""

    name: str
    workflow: str
    arguments: Sequence[Any]
    summary: str
    output_type: TypeAdapter[Any] | None
    attributes: Sequence[SearchAttributePair[Any]]
    context: Mapping[str, JsonValue]
    """Its own values, as JSON."""
    tenant: str
    """Whom it is for; empty where it is nobody's."""
    task_timeout: timedelta | None = None

    def search_attributes(self) -> TypedSearchAttributes:
        """Return the search attributes by which the list of runs finds it."""
        return TypedSearchAttributes([*named(self.name, self.tenant), *self.attributes])

    @property
    def memo(self) -> Mapping[str, Any] | None:
        """What is kept beside its history."""
        return context_memo(self.context) or None


def order_of(
    startable: Startable,
    content: Any,
    *,
    offload: bool,
    context: Any = None,
    tenant: str | None = None,
    budget: Budget | None = None,
) -> Order:
    """Return the order to start a runnable or a code-first workflow.

    Args:
        startable: What to start.
        content: What it is asked; of a code-first workflow, its argument.
        offload: Whether large payloads are kept outside the history.
        context: Its own values. None: it has none.
        tenant: Whom it is for. None: the tenant in its context.
        budget: What it may spend, beside what it says itself.

    Raises:
        SpecError: The input is empty or too large, lacks what the templates want, or is not what the workflow takes;
            or the context is not what is wanted.
    """
    check_id(None, tenant)
    if isinstance(startable, Node):
        return _order_of_runnable(
            begun_with(startable, context, tenant), "" if content is None else content, budget, offload=offload
        )
    if budget is not None:
        raise SpecError("budget: a code-first workflow gives it to what it runs: run(runnable, input, budget=…)")
    values, whose = with_tenant(context_values(context), tenant)
    own = CodeFirstWorkflow.of(startable)
    if not own.arguments and content is not None:
        raise SpecError(f"{own.name} takes no argument, and was given one")
    if own.arguments:
        own.check(content)
    summary = first_line(_text(content), SUMMARY_CHARS) or own.name
    return Order(own.name, own.name, [content] * own.arguments, summary, own.output_type, COST_AT_START, values, whose)


def output_type_of(startable: Startable) -> TypeAdapter[Any] | None:
    """Return the type of its output, where it has one.

    Raises:
        SpecError: It is neither a runnable nor a workflow.
    """
    return startable.output_type if isinstance(startable, Node) else CodeFirstWorkflow.of(startable).output_type


def _order_of_runnable(begun: BegunWith, content: Input, budget: Budget | None, *, offload: bool) -> Order:
    runnable: Runnable
    budget = filled_budget(budget, begun.runnable, begun.context)
    runnable, budget = priced_for_budgets(begun.runnable, budget, list_price)
    message, before = question_with_history(content)
    question_from(message)
    check_input(runnable, message, before=before)
    run = RunInput(
        runnable=runnable,
        message=message,
        before=before,
        budget=budget,
        offload=offload,
        leaves_memo=True,
        guardrails=begun.runnable.app_guardrails,
    )
    check_size(run, offload=offload)
    return Order(
        name=runnable.name,
        workflow=names.run_type(runnable.kind, runnable.name),
        arguments=[run],
        summary=first_line(message.text, SUMMARY_CHARS) or runnable.name,
        output_type=runnable.output_type,
        attributes=AT_START,
        context=begun.context,
        tenant=begun.tenant,
        task_timeout=TASK_TIMEOUT,
    )


def _text(content: Any) -> str:
    if isinstance(content, Message):
        return content.text
    return "" if content is None else content if isinstance(content, str) else str(content)


def check_id(run_id: str | None, tenant: str | None = None) -> None:
    """Check the id of a run or a chat that is to begin, and whom it is for.

    Raises:
        SpecError: One is no Unicode, or the id has a `/`, or is that of a ledger.
    """
    for what, text in (("id", run_id), ("tenant", tenant)):
        if text and encodable(text) != text:
            raise SpecError(f"{what}={text!r} is not Unicode: it has half of a surrogate pair")
    if run_id and run_id.startswith(names.LEDGER_ID):
        raise SpecError(f"run {run_id!r}: the ids of ledgers begin with {names.LEDGER_ID!r}: use another id")
    if run_id and SEPARATOR in run_id:
        # A nested run takes its id from whoever has it: it may be that of a run that a reset left behind.
        raise SpecError(
            f"run {run_id!r}: '/' stands between a run and its nested runs: use another character in its id"
        )


def check_size(arguments: Contract, *, offload: bool) -> None:
    """Check that something can be sent, and read again.

    Args:
        arguments: What is to be sent.
        offload: Whether large payloads are kept outside the history.

    Raises:
        SpecError: It is too large or nested too deeply; says by how much.
    """
    try:
        written = to_json(arguments)
    except PydanticSerializationError as error:
        raise SpecError(f"the input: {limits.why_unwritable(arguments) or error}") from None
    if not limits.reads_back(written):
        raise SpecError("the input could not be read again: runnables, schemas or data in it are nested too deeply")
    if not offload and (reason := limits.too_many_bytes(len(written), "the input")):
        raise SpecError(f"{reason}: pass less, pass a URL instead of the data, or {limits.HOW_TO_KEEP_OUTSIDE}")
