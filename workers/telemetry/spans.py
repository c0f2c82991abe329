"""Makes spans of steps that have ended. Does no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from ...connection.tracing import SpanAddress
from ...contracts.wire.event import RetrievalResponded
from ...history.events.transcript import SentPrompt
from ...history.trace.growing import EndedStep
from ...history.trace.step import TraceStep
from .attributes import AboutRun, attributes_of, operation_of, span_name
from .disclosure import Disclosure
from .identity import RunIdentity
from .span import FoundDocument, StepSpan

_NANOSECONDS = 1_000_000_000
_MICROSECOND = timedelta(microseconds=1)


class SpanMaker:
    """Makes the spans of one run, nested or not, or of a chat.

    Args:
        identity: What their ids are made of.
        about: What all of them have.
        disclosure: Says what of what was said may leave.
    """

    def __init__(self, identity: RunIdentity, about: AboutRun, disclosure: Disclosure) -> None:
        self._identity = identity
        self._about = about
        self._is_chat = about.is_chat
        self._disclosure = disclosure
        self.execution = ""
        """The execution that is read, where each counts its steps anew."""

    def span(self, ended: EndedStep, prompt: SentPrompt | None = None) -> StepSpan | None:
        """Return the span of a step; None where another history tells of it.

        Args:
            ended: The step.
            prompt: Of a model call what was sent, where that may leave.
        """
        step = ended.step
        is_root = not ended.within
        # A nested run tells of itself, and a chat is its turns.
        if (step.kind == "run" and not is_root) or (is_root and self._is_chat):
            return None
        said = attributes_of(step, self._about, self._disclosure, ended.event, prompt)
        began = _nanoseconds(step.started_at)
        return StepSpan(
            name=span_name(step, self._about),
            address=self._address(ended),
            parent=self._parent(ended),
            links=tuple(self._links(ended)),
            kind=step.kind,
            operation=operation_of(step, self._about),
            begin_ns=began,
            end_ns=began + round((step.seconds or 0.0) * _NANOSECONDS),
            attributes=dict(said),
            failed=step.status == "failed",
            failure=self._failure(step),
            is_call=step.kind in ("model", "retrieval", "embeddings", "rerank"),
            documents=tuple(self._documents(ended)),
        )

    def _failure(self, step: TraceStep) -> str:
        told = step.reason or (_text(step) if step.status == "failed" else "")
        return self._disclosure.safe(told) if self._disclosure.is_on else ""

    def _documents(self, ended: EndedStep) -> Iterator[FoundDocument]:
        if ended.step.kind != "retrieval" or not isinstance(ended.event, RetrievalResponded):
            return
        for passage in ended.event.passages:
            scores = [score for score in passage.scores.model_dump().values() if isinstance(score, int | float)]
            source = self._disclosure.safe(passage.source) if self._disclosure.is_on else ""
            yield FoundDocument(passage.id, float(scores[-1]) if scores else 0.0, source)

    def _turn(self, ended: EndedStep) -> str:
        """Return the turn of a chat that a step is in; empty of a run."""
        if not self._is_chat:
            return ""
        return ended.within[-2] if len(ended.within) > 1 else ended.step.id

    def _address(self, ended: EndedStep) -> SpanAddress:
        turn = self._turn(ended)
        if ended.step.kind in ("run", "turn"):
            return self._identity.span(turn)
        return self._identity.step(ended.step.id, turn, self.execution)

    def _parent(self, ended: EndedStep) -> SpanAddress | None:
        if not ended.within:
            return self._identity.caller
        if ended.step.kind == "turn":
            return None
        turn = self._turn(ended)
        is_outermost = len(ended.within) == (2 if self._is_chat else 1)
        return self._identity.span(turn) if is_outermost else self._identity.step(ended.within[0], turn, self.execution)

    def _links(self, ended: EndedStep) -> Iterator[SpanAddress]:
        if ended.step.kind == "turn" and self._identity.caller:
            yield self._identity.caller


def _text(step: TraceStep) -> str:
    return step.answered if isinstance(step.answered, str) else ""


def _nanoseconds(at: datetime) -> int:
    since = at - datetime(1970, 1, 1, tzinfo=at.tzinfo)
    return since // _MICROSECOND * 1_000
