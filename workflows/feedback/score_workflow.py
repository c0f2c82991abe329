"""The workflow that stores one score, and has it sent."""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from ...activities.score import ScoreActivities
    from ...contracts import names
    from ...contracts.wire.feedback.score import SENT, WAITING, ScoreCall, ScoreInput
    from .. import policy
    from ..concurrency import told_by
    from ..until_served import served

_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError)


@workflow.defn(name=names.SCORE_WORKFLOW, sandboxed=False, failure_exception_types=_UNREADABLE)
class ScoreWorkflow:
    """Stores a score, and has it sent wherever its workers send what runs do.

    The score is stored once this has begun: it stands in the memo, where lists find it without a history. What each
    destination comes to is noted there as well. One that is down holds up no other. It accepts no messages; the same
    score given anew terminates it.
    """

    @workflow.init
    def __init__(self, given: ScoreInput) -> None:
        self._given = given
        self._sent: dict[str, str] = {}

    @workflow.run
    async def run(self, given: ScoreInput) -> None:  # noqa: ARG002 - taken by __init__, as the SDK wants it
        """Send it."""
        targets: tuple[str, ...] = await workflow.execute_local_activity_method(
            ScoreActivities.targets, **policy.score_targets_policy()
        )
        if not targets:
            return
        self._note(dict.fromkeys(targets, WAITING))
        await asyncio.gather(*map(self._send, targets))

    async def _send(self, to: str) -> None:
        call = ScoreCall(to=to, given=self._given)
        try:
            await served(ScoreActivities.send, call, summary=f"{to}: {call.title}", options=policy.score_policy())
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            self._note({to: told_by(error)})
        else:
            self._note({to: SENT})

    def _note(self, news: dict[str, str]) -> None:
        self._sent = {**self._sent, **news}
        workflow.upsert_memo({names.SCORE_SENT_MEMO: self._sent})
