"""Notes the end of a turn of a chat in its history. Has no effect."""

from __future__ import annotations

from temporalio import activity

from ...contracts import names
from ...contracts.wire.chats.chat import TurnEnd


@activity.defn(name=names.TURN_END_ACTIVITY)
async def turn_end(end: TurnEnd) -> TurnEnd:
    """Return the end as it is.

    Run within a workflow task, what it returns is one event of the history. Repeatable, raises nothing, costs nothing.
    """
    return end
