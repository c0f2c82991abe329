"""Examples of what crosses the wire where a person is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sostenuto import Chain, Effect, PendingApproval, Prompt
from sostenuto.contracts.contract import Contract
from sostenuto.contracts.control.approval import Approval
from sostenuto.contracts.mcp import McpTool
from sostenuto.contracts.tool import ToolSpec
from sostenuto.contracts.wire import event, mcp_call, run, tool_call, totals
from sostenuto.contracts.wire.control import approval_call, approval_event, compensation, decision, reconcile_call

_HASH = "ab" * 32
_AT = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
_APPROVAL = Approval(
    group="finance",
    expires=timedelta(hours=8),
    escalate_to="board",
    quorum=2,
    four_eyes=True,
    grants=True,
    policy="refunds",
    conditional=True,
).model_copy(update={"question": True})

_UNDONE = tool_call.UndoneCall(path="desk", call_id="call_1_0", key="run-1:r1:call_1_0")
_EFFECTS = compensation.TakenEffects(
    taken=(
        compensation.TakenEffect(
            tool="refund",
            path="desk",
            call_id="call_1_0",
            at=1_796_025_600.0,
            undoable=True,
            in_doubt=True,
            reconciles=True,
            key="run-1:r1:call_1_0",
            arguments={"amount": 5},
            content="a",
            incomplete="it is too large",
            lost="it is too large to be handed on",
            more=4,
        ),
    ),
    more_kept=2,
)
_COMPENSATION = compensation.Compensation(
    effects=(
        compensation.CompensatedEffect(
            tool="refund",
            path="desk",
            call_id="call_1_0",
            outcome=compensation.EffectOutcome.FAILED,
            by="charge",
            reason="the bank is down",
            more=4,
        ),
    ),
    more_kept=2,
    more_undone=3,
)


def control_examples(when: dict[str, Any]) -> tuple[Contract, ...]:
    """One of each kind.

    Args:
        when: What every event has.
    """
    about: dict[str, Any] = {"hash": _HASH, "group": "finance", "policy": "refunds", "expires": _AT, "quorum": 2}
    about |= {"grants": True, "question": True, "escalated": True, "reason": "its when= raised KeyError"}
    return (
        _APPROVAL,
        ToolSpec(name="refund", parameters={"type": "object"}, asks=_APPROVAL, reconciles=True, compensate="charge"),
        McpTool(name="refund", parameters={"type": "object"}, server="bank", tool="refund", compensate="charge"),
        _UNDONE,
        tool_call.ToolInvocation(call_id="call_1_0", reply="r1", permitted=True, edited=True, undoes=_UNDONE),
        mcp_call.McpInvocation(call_id="c", reply="r1", server="bank", tool="refund", name="refund", undoes=_UNDONE),
        run.Carried(
            messages=(),
            after="r1",
            turns=1,
            totals=totals.Totals(),
            granted=("refund",),
            effects=_EFFECTS,
            compensated=_COMPENSATION,
        ),
        run.Result(status=run.Status.CANCELLED, effects=_EFFECTS, compensated=_COMPENSATION),
        event.RunFinished(**when, status=run.Status.CANCELLED, compensated=_COMPENSATION),
        event.ToolRequested(**when, turn=0, call_id="call_undo", name="charge", undoes="desk:call_1_0"),
        Chain(name="undone_chain", steps=[Prompt(name="p", model="scripted/m", template="{input}")], compensate=True),
        *_EFFECTS.taken,
        _EFFECTS,
        *_COMPENSATION.effects,
        _COMPENSATION,
        compensation.UndoingCall(tool="refund", has=("amount",), content="a", incomplete="it is too large"),
        compensation.Undoing(
            tool=ToolSpec(name="charge", parameters={}),
            takes=("amount",),
            given={"result": {"receipt": 7}},
            refused="what it returned is not known",
        ),
        approval_call.ApprovalCall(
            name="git_push",
            asks=_APPROVAL,
            arguments={"branch": "main"},
            parameters={"type": "object"},
            effect=Effect.IDEMPOTENT,
            server="git",
            tool="push",
            destructive=True,
            edited=True,
            in_doubt=True,
            direct=True,
            requester="ann",
            undoes="desk:call_1_0",
        ),
        approval_call.ApprovalAsked(
            needed=False,
            refused="The arguments do not fit.",
            name="refund",
            hash=_HASH,
            asks=_APPROVAL,
            reason="its when= raised KeyError",
            arguments={"amount": 5},
            undoes="desk:call_1_0",
        ),
        decision.Decision(
            path="desk",
            call_id="call_1_0",
            kind=decision.DecisionKind.EDIT,
            by="ann",
            note="too much",
            hash=_HASH,
            arguments={"amount": 5},
            answer={"receipt": 7},
            for_rest=True,
        ),
        decision.Decided(missing=1, hash=_HASH),
        reconcile_call.ReconcileCall(name="refund", call_id="call_1_0", reply="r1", key="run-1:r1:call_1_0"),
        reconcile_call.Reconciled(output=tool_call.ToolOutput(content="a"), not_done=True, note="it is down"),
        approval_event.ApprovalRequested(**when, call_id="call_1_0", name="refund", arguments={"amount": 5}, **about),
        approval_event.ApprovalDecided(
            **when,
            call_id="call_1_0",
            name="refund",
            decision="edit",
            by="ann",
            note="too much",
            hash=_HASH,
            arguments={"amount": 5},
            answer="a",
            for_rest=True,
            missing=1,
        ),
        PendingApproval(
            run_id="run-1/desk",
            path="lead/desk",
            call_id="call_1_0",
            tool="refund",
            arguments={"amount": 5},
            since=_AT,
            deciders=("ann",),
            **about,
        ),
    )
