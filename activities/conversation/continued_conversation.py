"""Takes over the conversation of another run of the same tree.

So the run that started both never carries it.
"""

from __future__ import annotations

from temporalio import activity
from temporalio.exceptions import ApplicationError

from ...contracts import names
from ...contracts.message import Message
from ...contracts.wire.retrieval import Passage
from ...contracts.wire.run import Continuation
from ...contracts.wire.transcript import TranscriptPage, TranscriptQuery
from ..call.heartbeat import heartbeats
from ..call.own_workflow_query import release_own_run
from ..call.payload_size import reason_not_to_return

_ALL = 1_000_000
"""More messages than any transcript has: the pages say where it ends."""


@activity.defn(name=names.TRANSCRIPT_ACTIVITY)
async def take_over(continuation: Continuation) -> TranscriptPage:
    """Return every message of another run's transcript, which may be over.

    Repeatable: it only reads. Raises what the server raises where the run cannot be asked, which is retried: the worker
    that could replay it may be away; and a failure that is never retried where there is no such transcript, or it is
    too large to be sent. Heartbeats on its own. Costs nothing.
    """
    async with heartbeats():
        if activity.info().attempt > 1:
            await release_own_run()
        messages: tuple[Message, ...] = ()
        passages: tuple[Passage, ...] = ()
        while True:
            page = await _page(continuation, len(messages))
            if not page.messages:
                break
            messages += page.messages
            passages = passages or page.passages
    if not messages:
        raise ApplicationError(
            f"run {continuation.run_id!r} has no transcript {continuation.path!r}", non_retryable=True
        )
    whole = TranscriptPage(messages=messages, passages=passages)
    if reason := reason_not_to_return(whole, "it"):
        raise ApplicationError(reason, non_retryable=True)
    return whole


async def _page(continuation: Continuation, start: int) -> TranscriptPage:
    handle = activity.client().get_workflow_handle(continuation.run_id)
    query = TranscriptQuery(
        transcript=continuation.path, start=start, stop=_ALL, with_passages=continuation.passages and not start
    )
    page: TranscriptPage = await handle.query(names.TRANSCRIPT_QUERY, query, result_type=TranscriptPage)
    return page
