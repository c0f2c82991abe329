"""Reads what was said in a chat from its histories."""

from __future__ import annotations

from temporalio.client import Client, WorkflowQueryFailedError

from ...contracts import names
from ...contracts.errors import SpecError
from ...contracts.limits import HOW_TO_KEEP_OUTSIDE
from ...contracts.wire.chats.chat import ChatForkQuery, ChatInput
from ...history.events.projection import Projection
from ...history.reading.executions import executions_until
from ...history.reading.tree import RunAddress, TreePart
from ...workflows.chat.said import Said

_TOO_LARGE = "size exceeds limit"


async def read_chat(temporal: Client, chat_id: str, newest: str) -> Projection:
    """Read a chat as it is now.

    Its newest execution begins with all that was said before, but for what has left the prompt.

    Args:
        temporal: Where it is.
        chat_id: Its id.
        newest: Temporal's run id of its newest execution.

    Raises:
        RPCError: The server refuses.
    """
    part = await TreePart.read(temporal, RunAddress(chat_id, [newest]))
    if not part.projection.chat.begins_shortened:
        return part.projection
    executions = await executions_until(temporal, chat_id, newest)
    return (await TreePart.read(temporal, RunAddress(chat_id, list(executions)))).projection


async def read_fork(temporal: Client, chat_id: str, newest: str, at: str) -> ChatInput:
    """Return what a fork of a chat begins with.

    Args:
        temporal: Where it is.
        chat_id: Its id.
        newest: Temporal's run id of its newest execution.
        at: Id of the message whose turn is the last one that it has. Empty: the last that has ended.

    Raises:
        SpecError: No turn of that message has ended, it is too large, or nothing has what was said any more.
        RPCError: The server refuses.
    """
    try:
        chat: ChatInput = await temporal.get_workflow_handle(chat_id).query(
            names.CHAT_FORK_QUERY, ChatForkQuery(at=at), result_type=ChatInput
        )
    except WorkflowQueryFailedError as error:
        why = f"it is too large to be forked: {HOW_TO_KEEP_OUTSIDE}" if _TOO_LARGE in error.message else error
        raise SpecError(f"chat {chat_id!r}: {why}") from None
    if not chat.are_left:
        return chat
    projection, ends = await read_chat(temporal, chat_id, newest), chat.turns[-1].ends
    begun = projection.chat.begun or Said(())
    if begun.kept is None:
        return chat.model_copy(update={"are_left": False, "messages": projection.transcript()[:ends]})
    if ends < begun.count:
        raise SpecError(
            f"chat {chat_id!r}: what was said until turn {at!r} had left the prompt that its history begins with: fork "
            "it at a later turn, or the chat that it was forked from"
        )
    # It begins without what had left the prompt before.
    said = begun.and_more(projection.transcript()[len(begun.messages) :][: ends - begun.count])
    return chat.model_copy(update={"are_left": False, "messages": tuple(said.messages), "kept": said.kept})
