"""Looks at a message beside a run, where no call of it does."""

from __future__ import annotations

from temporalio import activity

from ...contracts import names
from ...contracts.wire.guardrails.guard_call import GuardCall, Guarded
from ...contracts.wire.places import root_run_id
from ..call.heartbeat import heartbeats
from ..not_served import NotServedError, cannot
from .screening import Guards


class GuardActivities:
    """What this worker can look at.

    Args:
        guards: What guardrails need.
    """

    def __init__(self, guards: Guards) -> None:
        self._guards = guards

    @activity.defn(name=names.GUARD_ACTIVITY)
    async def guard(self, call: GuardCall) -> Guarded:
        """Return a message as it may be used, and what was decided of it.

        Repeatable: it only looks. Fails as `NotServed` where this worker lacks a function or a library. Heartbeats on
        its own. Costs what the functions do.
        """
        async with heartbeats():
            screening = self._guards.screen(call.guardrails, call.stage, root_run_id(activity.info().workflow_id or ""))
            if screening is None:
                return Guarded(message=None if call.judged else call.message)
            try:
                screening.check()
            except NotServedError as error:
                raise await cannot(str(error)) from None
            message = await screening.message(call.message)
        return Guarded(
            message=None if call.judged else message, decisions=screening.decisions, sealed=dict(screening.sealed)
        )
