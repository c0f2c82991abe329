"""Begins chats, or finds those that were begun."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.common import TypedSearchAttributes, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from ...activities.prices.list_price import list_price
from ...contracts import names
from ...contracts.context.filling import BegunWith, begun_with
from ...contracts.context.values import Values, context_memo
from ...contracts.control.priced import priced_for_budgets
from ...contracts.errors import SpecError
from ...contracts.memory.conversation import Memory
from ...contracts.memory.of_chat import with_memory
from ...contracts.specs.node import Node, cannot_run
from ...contracts.specs.runnable import Runnable
from ...contracts.text import encodable, one_line, printable
from ...contracts.wire.chats.chat import ChatInput, WhenBusy
from ...history.reading.executions import context_of
from ...workflows.policy import TASK_TIMEOUT
from ...workflows.search_attributes import AT_START, RUNNABLE, TENANT, named
from ..rpc_errors import translate_rpc_errors
from ..start_request import check_size

_MOST_TITLE_CHARS = 200


def chat_begun(runnable: Node, context: Any, tenant: str | None, memory: Memory | None = None) -> BegunWith:
    """Return what a chat begins with.

    Raises:
        SpecError: It is no runnable, contains itself, or the context or the memory is not what is wanted.
    """
    if not isinstance(runnable, Node):
        raise SpecError(f"chat: {cannot_run(runnable)}")
    return begun_with(with_memory(runnable, memory) if memory is not None else runnable, context, tenant)


async def begin_chat(
    temporal: Client,
    task_queue: str,
    runnable: Node,
    make: Callable[[Runnable], ChatInput],
    chat_id: str,
    tenant: str | None,
    context: Any,
    memory: Memory | None,
) -> str:
    """Begin a chat with a runnable, or find the one of that id.

    One that is there keeps the context that it began with: none has to be given. Returns Temporal's run id of an
    execution of it.

    Raises:
        SpecError: As `open_chat`, or the context is not what is wanted.
        SetupError: As `open_chat`.
    """
    try:
        begun = chat_begun(runnable, context, tenant, memory)
    except SpecError as lack:
        if context is not None:
            raise
        try:
            found = await find_chat(temporal, chat_id, tenant)
        except SpecError:
            raise lack from None
        _check_runnable(found, chat_id, getattr(runnable, "name", ""))
        return found.run_id
    return await open_chat(temporal, task_queue, make(begun.runnable), chat_id, begun.tenant, begun.context)


async def open_chat(
    temporal: Client, task_queue: str, chat: ChatInput, chat_id: str, tenant: str, context: Values
) -> str:
    """Begin a chat, or find the one of that id.

    Returns Temporal's run id of an execution of it.

    Raises:
        SpecError: The runnable cannot run, or the id belongs to something else.
        SetupError: The server is away, or the namespace lacks our search attributes.
    """
    check_size(chat, offload=chat.offload)
    title = {names.CHAT_TITLE_MEMO: chat.title} if chat.title else {}
    with translate_rpc_errors(f"chat {chat_id!r}"):
        try:
            handle = await temporal.start_workflow(
                names.CHAT_WORKFLOW,
                chat,
                id=chat_id,
                task_queue=task_queue,
                task_timeout=TASK_TIMEOUT,
                # An error rather than the running workflow, which may be something else.
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                search_attributes=TypedSearchAttributes([*named(chat.runnable.name, tenant), *AT_START]),
                static_summary=f"chat with {chat.runnable.name}",
                memo={**title, **context_memo(context)} or None,
            )
        except WorkflowAlreadyStartedError:
            found = await find_chat(temporal, chat_id, tenant)
            _check_runnable(found, chat_id, "" if chat.forked_from else chat.runnable.name)
            if context and await context_of(found) != context:
                raise SpecError(f"{chat_id!r} is a chat with another context already: pass another id") from None
            return found.run_id
    return handle.result_run_id or ""


def _check_runnable(found: WorkflowExecutionDescription, chat_id: str, name: str) -> None:
    other = found.typed_search_attributes.get(RUNNABLE)
    if other != name:
        raise SpecError(f"{chat_id!r} is a chat with {other!r} already: pass another id")


async def find_chat(temporal: Client, chat_id: str, tenant: str | None = None) -> WorkflowExecutionDescription:
    """Return what the server says of the newest execution of a chat.

    Args:
        temporal: Where it is.
        chat_id: Its id.
        tenant: Whose it is to be. None: anybody's.

    Raises:
        SpecError: There is none, the id belongs to a run, or it is another tenant's.
        SetupError: The server is away, or denies access.
    """
    with translate_rpc_errors(f"chat {chat_id!r}"):
        found = await temporal.get_workflow_handle(chat_id).describe()
    if found.workflow_type != names.CHAT_WORKFLOW:
        raise SpecError(f"{chat_id!r} is no chat but a run already: pass another id")
    if tenant is not None and (found.typed_search_attributes.get(TENANT) or "") != tenant:
        raise SpecError(f"{chat_id!r} is a chat of another tenant already: pass another id")
    return found


def chat_input(temporal: Client, runnable: Runnable, *, title: str, when_busy: str) -> ChatInput:
    """Return the input of a chat that is to begin.

    Raises:
        SpecError: There is no such way to be busy, or a budget counts US dollars and a model has no known price.
    """
    try:
        busy = WhenBusy(when_busy)
    except ValueError:
        raise SpecError(f"chat: when_busy={when_busy!r} is none of {', '.join(WhenBusy)}") from None
    offload = temporal.data_converter.external_storage is not None
    guardrails = runnable.app_guardrails
    runnable, _ = priced_for_budgets(runnable, None, list_price)
    return ChatInput(
        runnable=runnable, title=written_title(title), when_busy=busy, offload=offload, guardrails=guardrails
    )


def written_title(title: str) -> str:
    """Return a title as it is kept: one line, which any terminal may show."""
    return printable(one_line(encodable(title), _MOST_TITLE_CHARS))
