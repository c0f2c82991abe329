"""What a tool says came of a call goes through the guardrails that its result would have gone through."""

from __future__ import annotations

from typing import Any

from temporalio.testing import ActivityEnvironment

from sostenuto import Done, Pii, Tool, tool
from sostenuto.activities.call.user_code import UserCode
from sostenuto.activities.control.reconcile import ReconcileActivities
from sostenuto.activities.guardrails.screening import Guards
from sostenuto.contracts.wire.control.reconcile_call import ReconcileCall, Reconciled

ANNA = "anna.berg@example.com"
CALL = ReconcileCall(name="pay", call_id="call_1_0", reply="r1", key="run-1:r1:call_1_0")


async def reconciled(own: Tool[..., Any], guards: Guards) -> Reconciled:
    """What is said of a call."""
    user = UserCode(2)
    async with user.running():
        return await ActivityEnvironment().run(ReconcileActivities({"pay": own}, user, guards).ask, CALL)


def was_done(key: str) -> Done:
    """Say that it was done, and for whom."""
    return Done(f"{key}: paid to {ANNA}")


@tool(effect="once", reconcile=was_done)
async def pay() -> str:
    """Pay."""
    return f"paid to {ANNA}"


async def test_it_is_redacted() -> None:
    found = await reconciled(pay, Guards(app=(Pii(),)))
    assert found.output
    assert found.output.content.endswith("paid to <EMAIL>")
    assert [(one.stage, one.verdict) for one in found.output.decisions] == [("tool_result", "redacted")]


async def test_without_guardrails_it_is_told_as_it_is() -> None:
    found = await reconciled(pay, Guards())
    assert found.output
    assert found.output.content.endswith(f"paid to {ANNA}")
    assert found.output.decisions == ()
