"""A run's steps as a tree for a terminal, each with its place in time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from ....contracts.message import Message, Role
from ....contracts.template import as_text, told_answer
from ....contracts.text import one_line, plural
from ....contracts.wire.feedback.score import Score
from ....history.trace.shares import SHARE_WORDS, percentages
from ....history.trace.step import Trace, TraceStep
from ..terminal import harmless

_BAR: Final = 24
_CHARS: Final = 100
_REASON_CHARS: Final = 300
_NOTICES: Final = {
    "memory.recalled": "✎",
    "memory.written": "✎",
    "memory.forgotten": "✎",
    "memory.compacted": "✂",
    "budget.topped_up": "✓",
}
"""What is in order, as lines of events mark it."""


class TraceLines:
    """Writes a trace.

    Args:
        trace: The trace.
        now: What counts as the end of what goes on.
        whole: Whether to write texts whole.
    """

    def __init__(self, trace: Trace, now: datetime, *, whole: bool = False) -> None:
        self._trace = trace
        self._now = now
        self._whole = whole
        self._begin = trace.run.started_at
        ends = (self._end(step) for step in trace.run.walk())
        self._length = max((max(ends) - self._begin) / timedelta(seconds=1), 1e-9)

    def lines(self) -> Iterator[str]:
        """Yield the lines."""
        for line in self._lines(self._trace.run, 0):
            yield harmless(line)
        if where := ", ".join(f"{percent} % {SHARE_WORDS[what]}" for what, percent in percentages(self._trace.shares)):
            until = " until the last step that ended" if self._trace.run.seconds is None else ""
            yield f"where the time went{until}: {where}"
        models = [step for step in self._trace.run.walk() if step.proven is not None]
        if wrong := [step for step in models if not step.proven]:
            yield harmless(
                f"{plural(len(wrong), 'prompt')} of {len(models)} could not be proven, the first at {wrong[0].path}, "
                f"turn {wrong[0].turn}"
            )
        elif models:
            yield f"{plural(len(models), 'prompt')} rebuilt from the history and proven by their hashes"

    def _lines(self, step: TraceStep, depth: int) -> Iterator[str]:
        indent = "  " * depth
        facts = "" if _is_in_order(step) else f"  {' · '.join(_facts(step, self._now))}"
        yield f"{self._bar(step)}  {indent}{_mark(step)} {self._title(step)}{facts}"
        margin = f"{' ' * (_BAR + 2)}  {indent}    "
        for label, text in () if _is_in_order(step) else _texts(step):
            yield from self._text(margin, label, text)
        for inner in step.steps:
            yield from self._lines(inner, depth + 1)

    def _title(self, step: TraceStep) -> str:
        if _is_in_order(step):
            told = step.reason if step.name in _NOTICES else f"{step.name} · {step.reason}"
            return " ".join(told.split()) if self._whole else one_line(told, _REASON_CHARS)
        if step.kind == "turn":
            return "turn"
        if step.kind == "model":
            return f"summary  {step.name}" if step.summary else f"{step.turn}  {step.name}"
        return step.name or "no route"

    def _text(self, margin: str, label: str, text: str) -> Iterator[str]:
        if not self._whole:
            yield f"{margin}{label} {one_line(text, _CHARS)}"
            return
        first, *others = text.splitlines() or [""]
        yield f"{margin}{label} {first}"
        yield from (f"{margin}{' ' * len(label)} {other}" for other in others)

    def _bar(self, step: TraceStep) -> str:
        """Return when it was, on a scale of the whole run."""
        begin = (step.started_at - self._begin) / timedelta(seconds=1) / self._length
        end = (self._end(step) - self._begin) / timedelta(seconds=1) / self._length
        first = min(int(begin * _BAR), _BAR - 1)
        last = max(min(round(end * _BAR), _BAR), first + 1)
        waited = round(step.waited_seconds / self._length * _BAR)
        drawn = "░" * min(waited, last - first) + "█" * max(last - first - waited, 0)
        return f"▕{' ' * first}{drawn}{' ' * (_BAR - last)}▏"

    def _end(self, step: TraceStep) -> datetime:
        return step.ended_at or max(self._now, step.started_at)


def score_line(score: Score) -> str:
    """Return the line that tells of a score."""
    by, why = f" by {score.by}" if score.by else "", f": {one_line(score.comment, _CHARS)}" if score.comment else ""
    turn = f", turn {score.turn}" if score.turn else ""
    sent = "; ".join(f"{name}: {what}" for name, what in score.sent.items())
    return harmless(f"scored {score.name} {_value(score.value)}{by}{turn}{why}" + (f" ({sent})" if sent else ""))


def _value(value: float | str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _is_in_order(step: TraceStep) -> bool:
    """Return whether it only tells of something that went as it should."""
    return step.kind == "notice" and step.status == "completed"


def _mark(step: TraceStep) -> str:
    if _is_in_order(step):
        return _NOTICES.get(step.name, "✓")
    if step.kind == "notice" or step.status not in ("", "completed"):
        return "⚠" if step.kind == "notice" else "✗"
    marks = {
        "run": "▷",
        "turn": "»",
        "model": "●",
        "tool": "→",
        "retrieval": "⌕",
        "document": "▤",
        "embeddings": "≈",
        "rerank": "⇅",
        "route": "⇢",
    }
    return marks[step.kind]


def _facts(step: TraceStep, now: datetime) -> Iterator[str]:
    if step.status not in ("", "completed"):
        yield step.status
    if step.seconds is None:
        yield f"for {max((now - step.started_at) / timedelta(seconds=1), 0.0):.1f} s so far"
    elif step.kind not in ("route", "notice"):
        yield f"{step.seconds:.2f} s"
    yield from _waits(step)
    if step.attempt > 1:
        yield f"attempt {step.attempt}"
    if step.turns > 1:
        yield plural(step.turns, "model call")
    if step.usage.total_tokens:
        yield f"{step.usage.input_tokens}→{step.usage.output_tokens} tok"
    if step.cost_usd:
        yield f"${step.cost_usd:.4f}"
    yield from filter(None, (step.run_id, step.untold, step.undoes and f"undoes {step.undoes}"))


def _waits(step: TraceStep) -> Iterator[str]:
    if step.awaits:
        yield f"waits for {step.awaits}"
    if step.person_seconds >= 0.05:
        yield f"{step.person_seconds:.2f} s of it waiting for a person"
    if (waited := step.waited_seconds - step.person_seconds) >= 0.05:
        yield f"{waited:.2f} s of it waiting"


def _texts(step: TraceStep) -> Iterator[tuple[str, str]]:
    for message in step.told:
        # What the model itself said before stands at the call that it answered.
        if message.role is Role.ASSISTANT and step.turn > 1:
            continue
        yield f"{message.role.value}:", _said(message)
    if step.asked is not None and step.kind not in ("route", "model"):
        yield "asked:", as_text(step.asked)
    if step.kind == "route":
        yield "why:", f"{step.answered} · {step.reason}"
        return
    if step.answered not in (None, ""):
        yield "answered:", _answer(step)
    if step.reason:
        yield "why:", step.reason


def _said(message: Message) -> str:
    parts = [message.text] if message.text else []
    for part in message.parts:
        if part.kind == "tool_call":
            parts.append(f"calls {part.name}({json.dumps(part.arguments, ensure_ascii=False)})")
        elif part.kind == "tool_result":
            parts.append(f"{part.name}{' failed' if part.is_error else ''}: {part.content}")
        elif part.kind in ("image", "file"):
            parts.append(f"({part.kind})")
    return " · ".join(parts) or "(nothing to show)"


def _answer(step: TraceStep) -> str:
    if step.kind != "retrieval" or not isinstance(step.answered, list):
        return told_answer(as_text(step.answered))
    found = [passage for passage in step.answered if isinstance(passage, dict)]
    return "; ".join(f"{passage.get('id')} {json.dumps(passage.get('scores', {}))}" for passage in found) or "nothing"
