"""Looks at what a run or a chat is asked, before it is sent.

Nothing that is redacted leaves this process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from temporalio.client import Client

from ...activities.guardrails.screening import Guards, Screening
from ...activities.not_served import NotServedError
from ...connection.connect import vault_keys_of
from ...contracts.errors import SetupError
from ...contracts.guardrails.any_guardrail import AnyGuardrail, every_guardrail
from ...contracts.message import Message
from ...contracts.text import first_line
from ...contracts.wire.chats.chat import ChatInput, Screened
from ...contracts.wire.guardrails.decision import Verdict, of_verdict, withheld
from ...contracts.wire.places import root_run_id
from ...contracts.wire.run import RunInput
from ...history.reading.follow import decoded, read_start
from ...workflows.search_attributes import SUMMARY_CHARS
from ..start_request import Order

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ScreenedMessages:
    """Messages as they may be sent."""

    messages: tuple[Message, ...]
    screened: Screened
    """What was decided of them."""


async def screened_messages(
    temporal: Client, guardrails: Sequence[AnyGuardrail], run_id: str, messages: Sequence[Message]
) -> ScreenedMessages:
    """Return messages as they may be sent.

    Where one is blocked, a message that says so is all that is left.

    Args:
        temporal: Where they go, which says with which keys originals are sealed.
        guardrails: What they have to pass.
        run_id: Id of the run or the chat.
        messages: What it is asked, and was told before.

    Raises:
        SetupError: A library that a guardrail takes is not installed here, or the keys cannot be read.
    """
    # What people's functions and models decide is asked of a worker.
    guards = Guards(vault_keys_of(temporal) if guardrails else None)
    screen = guards.screen(guardrails, "input", root_run_id(run_id))
    if screen is None:
        return ScreenedMessages(tuple(messages), Screened())
    try:
        screen.check()
    except NotServedError as error:
        raise SetupError(str(error)) from None
    return await _through(screen, messages)


async def _through(screen: Screening, messages: Sequence[Message]) -> ScreenedMessages:
    passed = []
    for message in messages:
        one = await screen.message(message)
        if one is None:
            decisions = screen.decisions
            instead = Message.user(withheld(of_verdict(decisions, Verdict.BLOCKED)[0]))
            return ScreenedMessages((instead,), Screened(decisions=decisions))
        passed.append(one)
    return ScreenedMessages(tuple(passed), Screened(decisions=screen.decisions, sealed=dict(screen.sealed)))


async def screened_order(temporal: Client, order: Order, run_id: str) -> Order:
    """Return an order as it may be sent.

    Args:
        temporal: Where it goes.
        order: What is to be started.
        run_id: Under which id.

    Raises:
        SetupError: A library that a guardrail takes is not installed here, or the keys cannot be read.
    """
    run = order.arguments[0] if order.arguments else None
    if not isinstance(run, RunInput) or run.message is None:
        return order
    guardrails = every_guardrail(run.guardrails, run.runnable.guardrails)
    if not guardrails:
        return order
    found = await screened_messages(temporal, guardrails, run_id, (*run.before, run.message))
    *before, message = found.messages
    changed = {"before": tuple(before), "message": message, "screened": True, **dict(found.screened)}
    summary = first_line(message.text, SUMMARY_CHARS) or order.summary
    return replace(order, arguments=[run.model_copy(update=changed)], summary=summary)


async def guardrails_of_chat(temporal: Client, chat_id: str, execution: str) -> tuple[AnyGuardrail, ...]:
    """Return what the messages of a chat have to pass, as it began.

    Args:
        temporal: Where it is.
        chat_id: Its id.
        execution: Temporal's run id of an execution of it.

    Raises:
        RPCError: The server is away, or refuses.
    """
    started = await read_start(temporal, chat_id, execution)
    [payload] = (await decoded(started.input, temporal.data_converter)).payloads
    chat: ChatInput = temporal.data_converter.payload_converter.from_payload(payload, ChatInput)
    return every_guardrail(chat.guardrails, chat.runnable.guardrails)
