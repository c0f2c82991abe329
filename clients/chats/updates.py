"""Sends updates to a chat, and puts what it refuses into our errors."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final
from uuid import uuid4

from temporalio.client import (
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateHandle,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from ...activities.dropped_update import is_dropped
from ...contracts import names
from ...contracts.errors import ChatBusy, SetupError, SpecError
from ...contracts.limits import HOW_TO_KEEP_OUTSIDE
from ...contracts.message import Message
from ...contracts.wire.chats.chat import Screened, SentMessage, Taken
from ..rpc_errors import translate_rpc_errors

_TOO_MANY: Final = "total number of distinct updates"
_PATIENCE_SECONDS: Final = 60.0
_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 5.0


@contextmanager
def translate_refusals(chat_id: str) -> Iterator[None]:
    """Turn what a chat, or the server, says to an update in the block into our errors.

    Raises:
        ChatBusy: It takes no message now.
        SpecError: It has ended, there is none, or it does not take what was sent.
        SetupError: The server is away, or denies access.
    """
    with translate_rpc_errors(f"chat {chat_id!r}"):
        try:
            yield
        except WorkflowUpdateFailedError as error:
            raise _refusal(chat_id, error.cause) from None
        except WorkflowUpdateRPCTimeoutOrCancelledError:
            if _is_being_cancelled():
                # The SDK tells a cancel of ours as an error of its own.
                raise asyncio.CancelledError from None
            raise SetupError(f"chat {chat_id!r}: the Temporal server does not answer in time") from None
        except RPCError as error:
            if _TOO_MANY in error.message:
                raise SpecError(
                    f"chat {chat_id!r} has taken as many messages as the server lets it, and what was said is too "
                    f"large to continue as new: {HOW_TO_KEEP_OUTSIDE}, and fork it"
                ) from None
            if error.status is RPCStatusCode.NOT_FOUND and "already completed" in error.message:
                raise _ended(chat_id) from None
            raise


async def send_update(temporal: Client, chat_id: str, name: str, *arguments: Any) -> None:
    """Send an update that is done at once.

    Raises:
        SpecError: The chat has ended, there is none, or it does not take what was sent.
        SetupError: The server is away, or denies access.
    """
    await _sent(temporal, chat_id, name, arguments, uuid4().hex, None)


async def send_message(
    temporal: Client, chat_id: str, message: Message, message_id: str, screened: Screened
) -> tuple[Taken, str]:
    """Send a message, and wait until the chat has taken it.

    Returns Temporal's run id of the execution that took it, too.

    Args:
        temporal: Where it is.
        chat_id: Its id.
        message: The message.
        message_id: Id of the message.
        screened: What guardrails decided of it.

    Raises:
        ChatBusy: It takes no message now.
        SpecError: It has ended, there is none, or it does not take what was sent.
        SetupError: The server is away, or denies access.
    """
    said = [SentMessage.of(message, screened)]
    taken, execution = await _sent(temporal, chat_id, names.CHAT_SEND_UPDATE, said, message_id, Taken)
    return taken, execution


def ended_before(chat_id: str) -> SpecError:
    """Return what is raised where a chat ends before it has answered a message."""
    return SpecError(f"chat {chat_id!r} was ended before this was answered: fork it to go on")


async def _sent(
    temporal: Client, chat_id: str, name: str, arguments: Sequence[Any], update_id: str, result_type: type | None
) -> tuple[Any, str]:
    """Send an update; return what it came to, and the execution that took it.

    It is sent again, under its id, where the server drops it: as it does while the chat continues as new, or takes many
    at once.
    """
    handle = temporal.get_workflow_handle(chat_id)
    loop = asyncio.get_running_loop()
    until, pause = loop.time() + _PATIENCE_SECONDS, _FIRST_PAUSE_SECONDS
    with translate_refusals(chat_id):
        while True:
            try:
                sent: WorkflowUpdateHandle[Any] = await handle.start_update(
                    name,
                    args=arguments,
                    id=update_id,
                    wait_for_stage=WorkflowUpdateStage.COMPLETED,
                    result_type=result_type,
                )
                return await sent.result(), sent.workflow_run_id or ""
            except RPCError as error:
                if not is_dropped(error) or _TOO_MANY in error.message or loop.time() > until:
                    raise
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return bool(task and task.cancelling())


def _refusal(chat_id: str, cause: BaseException) -> Exception:
    kind = cause.type if isinstance(cause, ApplicationError) else ""
    said = cause.message if isinstance(cause, ApplicationError) else str(cause)
    match kind:
        case names.CHAT_BUSY:
            return ChatBusy(f"chat {chat_id!r}: {said}")
        case names.CHAT_ENDED:
            return _ended(chat_id)
        case "AcceptedUpdateCompletedWorkflow":
            return ended_before(chat_id)
        case _:
            return SpecError(f"chat {chat_id!r}: {said}")


def _ended(chat_id: str) -> SpecError:
    return SpecError(f"chat {chat_id!r} has ended and takes no more messages: begin another one, or fork it")
