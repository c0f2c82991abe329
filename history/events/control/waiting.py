"""The calls of a workflow that wait for a person, as far as it was told.

Pure: does no I/O.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from ....contracts.control.approval import Approval
from ....contracts.wire.control.approval_event import ApprovalDecided, ApprovalRequested, PendingApproval
from ....contracts.wire.control.decision import Decided, Decision, DecisionKind
from ..history_event import RecordedEvent


@dataclass(slots=True)
class ToldCall:
    """A call that waits."""

    asks: Approval
    told: ApprovalRequested
    """As it is now."""
    since: datetime
    direct: bool
    """Whether no model asked for it."""
    deciders: list[str] = field(default_factory=list)


class WaitingCalls:
    """The calls of one workflow that wait."""

    def __init__(self) -> None:
        self.direct: set[tuple[str, str]] = set()
        """Calls that no model asked for and that were told of as they began to wait."""
        self.settled: dict[tuple[str, str], str] = {}
        """What came of calls that waited, in words."""
        self._calls: dict[tuple[str, str], ToldCall] = {}

    def pending(self, run_id: str) -> Iterator[PendingApproval]:
        """Yield those that wait, the oldest first."""
        for call in self._calls.values():
            told = call.told
            yield PendingApproval(
                run_id=run_id,
                path=told.path,
                call_id=told.call_id,
                tool=told.name,
                arguments=told.arguments,
                hash=told.hash,
                since=call.since,
                expires=told.expires,
                policy=told.policy,
                group=told.group,
                escalated=told.escalated,
                quorum=told.quorum,
                deciders=tuple(call.deciders),
                grants=told.grants,
                question=told.question,
                reason=told.reason,
            )

    def begin(self, requested: ApprovalRequested, asks: Approval, *, direct: bool) -> None:
        """Take in a call that begins to wait."""
        key = (requested.path, requested.call_id)
        self._calls[key] = ToldCall(asks, requested, requested.at, direct)
        if direct:
            self.direct.add(key)

    def waits(self, path: str, call_id: str) -> ToldCall | None:
        """Return a call that waits; None where it does not."""
        return self._calls.get((path, call_id))

    def forget(self) -> None:
        """Take in that nothing waits any more."""
        self._calls.clear()
        self.direct.clear()

    def direct_ones(self) -> list[ToldCall]:
        """Return those that wait and that no model asked for."""
        return [call for call in self._calls.values() if call.direct]

    def withdrawn(self, recorded: RecordedEvent) -> Iterator[ApprovalDecided]:
        """Yield of every call that it waits no more: what it was a call of has ended."""
        calls, self._calls = self._calls, {}
        for key, call in calls.items():
            self.settled[key] = "it was given up"
            path, call_id = key
            about = {"call_id": call_id, "name": call.told.name, "hash": call.told.hash}
            yield ApprovalDecided(**recorded.stamp(path), **about, decision="withdrawn")

    def decided(
        self, recorded: RecordedEvent, decision: Decision, came: Decided
    ) -> tuple[ToldCall, ApprovalDecided] | None:
        """Take in a decision that was taken; None where the call waits no more."""
        key = (decision.path, decision.call_id)
        call = self._calls.get(key)
        if call is None:
            return None
        if decision.kind is DecisionKind.EDIT:
            now = {"arguments": decision.arguments or {}, "hash": came.hash}
            call.told, call.deciders = call.told.model_copy(update=now), []
        call.deciders.append(decision.by)
        if not came.missing:
            del self._calls[key]
            self.settled[key] = f"{decision.kind} by {decision.by}"
        return call, ApprovalDecided(
            **recorded.stamp(decision.path),
            call_id=decision.call_id,
            name=call.told.name,
            decision=decision.kind.value,
            by=decision.by,
            note=decision.note,
            hash=call.told.hash,
            arguments=decision.arguments if decision.kind is DecisionKind.EDIT else None,
            answer=decision.answer,
            for_rest=decision.for_rest,
            missing=came.missing,
        )

    def late(
        self, recorded: RecordedEvent, path: str, call_id: str
    ) -> tuple[ToldCall, ApprovalRequested | ApprovalDecided] | None:
        """Take in that nobody decided in time; None where the call waits no more."""
        key = (path, call_id)
        call = self._calls.get(key)
        if call is None:
            return None
        if call.asks.escalate_to and call.asks.expires and not call.told.escalated:
            expires = recorded.at + call.asks.expires
            now = {**recorded.stamp(path), "group": call.asks.escalate_to, "expires": expires, "escalated": True}
            call.told = call.told.model_copy(update=now)
            return call, call.told
        del self._calls[key]
        self.settled[key] = "it expired"
        return call, ApprovalDecided(
            **recorded.stamp(path), call_id=call_id, name=call.told.name, decision="expired", hash=call.told.hash
        )
