"""Reads what guardrails decided. Pure: does no I/O."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from temporalio.api.common.v1 import Payloads

from ....contracts.head import Head
from ....contracts.wire.event import Event
from ....contracts.wire.guardrails.decision import VERDICTS, GuardrailDecision, Verdict
from ....contracts.wire.guardrails.guard_call import Guarded
from ....contracts.wire.guardrails.guardrail_event import GuardrailDecided
from ....contracts.wire.model_call import ModelReply
from ....contracts.wire.places import Place
from ..history_event import RecordedEvent
from ..outcome import Accumulated, Activity, Reading, Scheduled


class Looked(Protocol):
    """What guardrails have looked at."""

    @property
    def decisions(self) -> Sequence[GuardrailDecision]:
        """What they decided."""
        ...

    @property
    def sealed(self) -> Mapping[str, str]:
        """Originals of what they redacted, as ciphertext, by placeholder."""
        ...


def read_decisions(
    recorded: RecordedEvent, path: str, looked: Looked, so_far: Accumulated
) -> Iterator[GuardrailDecided]:
    """Yield what was decided, and take in the originals of what was redacted.

    Args:
        recorded: The history event that tells it.
        path: Place of what was looked at.
        looked: What was looked at.
        so_far: What the history has come to.
    """
    so_far.sealed |= looked.sealed
    for one in looked.decisions:
        yield GuardrailDecided(
            **recorded.stamp(path),
            guardrail=one.guardrail,
            stage=one.stage,
            verdict=one.verdict,
            reason=one.reason,
            call_id=one.call_id,
            failed=one.failed,
            ms=one.ms,
        )


def read_judgement(
    recorded: RecordedEvent, path: str, head: Head, reply: ModelReply, seconds: float
) -> Iterator[GuardrailDecided]:
    """Yield what a model decided for a guardrail, where it made a judgement.

    Args:
        recorded: The history event that tells it.
        path: Place of the model.
        head: Of its prompt: says for which guardrail, and what it judges.
        reply: What it said.
        seconds: How long that took.
    """
    if head.judges is None or reply.output_errors:
        return
    said = json.loads(reply.message.text)
    passes = bool(said["passes"])
    yield GuardrailDecided(
        **recorded.stamp(Place(path).parent),
        guardrail=head.agent,
        stage=head.judges.stage,
        verdict=Verdict.PASSED if passes else VERDICTS[head.judges.on_failure],
        reason="" if passes else str(said["reason"]),
        cost_usd=reply.cost_usd or 0.0,
        ms=round(seconds * 1_000, 2),
    )


@dataclass(frozen=True, slots=True)
class GuardOutcome:
    """The end of a look at a message."""

    so_far: Accumulated

    def completed(self, recorded: RecordedEvent, activity: Activity, result: Payloads) -> Iterator[Event]:
        """Yield what was decided."""
        yield from read_decisions(recorded, activity.path, recorded.value(result, Guarded), self.so_far)

    def failed(self, recorded: RecordedEvent, activity: Activity, error: BaseException) -> Iterator[Event]:  # noqa: ARG002
        """Yield nothing: the run goes on, or ends, as its guardrails say."""
        yield from ()


def read_guard(recorded: RecordedEvent, scheduled: Scheduled, so_far: Accumulated) -> Reading:  # noqa: ARG001
    """Read a look at a message: its end tells all."""
    return Reading(scheduled.id.place, GuardOutcome(so_far))
