"""What stands between a collection and what the history is told of its passages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...contracts.guardrails.any_guardrail import AnyGuardrail
from ...contracts.text import plural
from ...contracts.wire.guardrails.decision import GuardrailDecision, Verdict, worst
from ...contracts.wire.retrieval import Passage, Retrieved
from .screening import Guards, Screening


async def guarded_passages(
    guards: Guards, guardrails: Sequence[AnyGuardrail], scope: str, found: Retrieved
) -> Retrieved:
    """Return what was found as it may be told: without passages that are blocked.

    Args:
        guards: What guardrails need of this worker.
        guardrails: Those of the run.
        scope: Id of the root of the run, or of the chat.
        found: What was found.
    """
    kept: list[Passage] = []
    every: list[tuple[GuardrailDecision, ...]] = []
    sealed: dict[str, str] = {}
    for passage in found.passages:
        screen = guards.screen(guardrails, "passages", scope)
        if screen is None:
            return found
        passed = await _passed(screen, passage)
        every.append(screen.decisions)
        sealed |= screen.sealed
        if passed:
            kept.append(passed)
    left_out = len(found.passages) - len(kept)
    notes = [found.note, f"{plural(left_out, 'passage')} withheld by guardrails"] if left_out else [found.note]
    return found.model_copy(
        update={
            "passages": tuple(kept),
            "decisions": _together(every),
            "sealed": sealed,
            "note": "; ".join(filter(None, notes)),
        }
    )


async def _passed(screen: Screening, passage: Passage) -> Passage | None:
    """Return a passage as it may be told; None where it is blocked."""
    told = {name: getattr(passage, name) for name in ("text", "title", "source", "headings", "fields")}
    passed: dict[str, Any] | None = await screen.json({**told, "headings": list(passage.headings)}, passage.text)
    if passed is None:
        return None
    return passage.model_copy(update={**passed, "headings": tuple(passed["headings"])})


def _together(every: Sequence[tuple[GuardrailDecision, ...]]) -> tuple[GuardrailDecision, ...]:
    """Return one decision of each guardrail, on all passages."""
    by_name: dict[str, list[GuardrailDecision]] = {}
    for one in (one for decisions in every for one in decisions):
        by_name.setdefault(one.guardrail, []).append(one)
    return tuple(_one_of(decisions) for decisions in by_name.values())


def _one_of(decisions: Sequence[GuardrailDecision]) -> GuardrailDecision:
    hit = [one for one in decisions if one.verdict is not Verdict.PASSED]
    reasons = "; ".join(dict.fromkeys(one.reason for one in hit))
    reason = f"in {len(hit)} of {plural(len(decisions), 'passage')}: {reasons}" if hit else ""
    ms = round(sum(one.ms for one in decisions), 2)
    return worst(decisions).model_copy(update={"reason": reason, "ms": ms, "failed": any(o.failed for o in decisions)})
