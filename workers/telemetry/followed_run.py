"""One run that is followed: how far it was read, and what it has to tell."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent, WorkflowExecutionStartedEventAttributes
from temporalio.client import Client

from ...connection.tracing import span_of
from ...contracts import names
from ...contracts.wire.event import Event, MemberFinished, MemberStarted
from ...contracts.wire.memory.memory_event import MemoryCompacted
from ...contracts.wire.places import SEPARATOR
from ...history.events.projection import Projection
from ...history.reading.executions import executions_until
from ...history.reading.follow import Mark, read_news
from ...history.trace.building import TraceBuilder
from ...history.trace.growing import EndedStep
from .attributes import AboutRun
from .disclosure import Disclosure
from .identity import RunIdentity
from .span import StepSpan
from .spans import SpanMaker

TICK_SECONDS: Final = 0.5
"""How long what happens in a run is gathered before its history is read."""
_LONGEST_PAUSE_SECONDS: Final = 60.0
_END: Final = "end"
_NO_TOOL: Final = "(unknown)"
"""In place of the name of a tool that there is not."""


class UntoldRun(Exception):  # noqa: N818 - it is told, never raised to a user
    """A run of which no more can be told; says by what kind of error."""


class ToldStep(NamedTuple):
    """A step that is told of."""

    ended: EndedStep
    about: AboutRun
    span: StepSpan | None
    """None where another history tells of it."""
    is_new: bool
    """Whether it surely was not told of before."""


class RunKey(NamedTuple):
    """A run, nested or not, or a chat."""

    namespace: str
    workflow_id: str
    first: str
    """Temporal's run id of its first execution."""

    @property
    def text(self) -> str:
        """The key as one text."""
        return SEPARATOR.join(self)


@dataclass(frozen=True, slots=True)
class Position:
    """How far a run was told of."""

    execution: str
    event: int
    """Id of the last event of it that was read."""
    is_end: bool = False
    """Whether that is where the run ended."""

    def __str__(self) -> str:
        return SEPARATOR.join((self.execution, str(self.event), *([_END] if self.is_end else ())))

    @classmethod
    def parse(cls, text: str) -> Position | None:
        """Return what a text says; None where it says nothing of the kind."""
        execution, _, rest = text.partition(SEPARATOR)
        event, _, end = rest.partition(SEPARATOR)
        return cls(execution, int(event), end == _END) if event.isdecimal() else None

    @classmethod
    def furthest(cls, texts: Iterable[str]) -> Position | None:
        """Return the furthest of several; None where there is none.

        Those that come later are of other processes.
        """
        furthest: Position | None = None
        for position in filter(None, map(cls.parse, texts)):
            is_behind = furthest and furthest.execution == position.execution and furthest.event > position.event
            furthest = furthest if is_behind else position
        return furthest


class FollowedRun:
    """A run that is followed.

    Args:
        key: Which.
        execution: The newest execution that is known.
        temporal: Where it is.
        disclosure: Says what of what was said may leave.
        is_new: Whether it began just now, so that nothing was told of it.
        told_again: Of one that was taken over, where nobody knows how far it was told of: what ended so long before
            is told of. As the ids are the same, tools that know them take it for the same spans.
    """

    def __init__(
        self,
        key: RunKey,
        execution: str,
        temporal: Client,
        disclosure: Disclosure,
        *,
        is_new: bool = False,
        told_again: timedelta = timedelta(),
    ) -> None:
        self.key = key
        self.execution = execution
        self.is_new = is_new
        self.is_looked_at = False
        """Whether nothing happens in it here, and all that is wanted is what nobody told."""
        self.kept: Position | None = None
        """How far it was read when that was last written down."""
        self.executions: set[str] = {execution}
        """Those that it is known to have had."""
        self.bytes = 0
        """Of its newest execution, as far as it was read: what it holds in memory is about as much."""
        self.touched_at = time.monotonic()
        """When something happened in it here the last time."""
        self.due = 0.0
        """When to read again, by the monotonic clock."""
        self.ended_runs: list[RunKey] = []
        """Nested runs that have ended, to be asked for once."""
        self._pause = TICK_SECONDS
        self._temporal = temporal
        self._disclosure = disclosure
        self._projection = Projection(temporal.data_converter)
        self._builder = TraceBuilder(keep=False)
        self._mark = Mark()
        self._spans: SpanMaker | None = None
        self._about: AboutRun | None = None
        self._left: list[str] = []
        self._told: Position | None = None
        self._has_reached_told = False
        self._is_past_told = is_new
        self._taken_over = datetime.now(UTC)
        self._told_again = told_again
        self._nested: dict[str, RunKey] = {}
        self.until: datetime | None = None
        """What ended later is told by whoever is at work in it; None where that is this worker."""
        self.is_elsewhere = False
        """Whether another worker has gone on with it: what comes then is its to tell."""
        self._is_caught_up = False
        self._position = Position("", 0)

    @property
    def is_open(self) -> bool:
        """Whether it is known where to read."""
        return bool(self._left)

    @property
    def is_over(self) -> bool:
        """Whether it was read to its end."""
        return self._projection.result is not None

    @property
    def position(self) -> Position:
        """How far it was read, and all told that was to be told."""
        return replace(self._position, is_end=self.is_over)

    def touched(self) -> None:
        """Have it read soon."""
        self.due, self._pause, self.touched_at = 0.0, TICK_SECONDS, time.monotonic()
        self.is_looked_at, self.until = False, None

    def rest(self, *, has_news: bool) -> None:
        """Say when to read again."""
        self._pause = TICK_SECONDS if has_news else min(2 * self._pause, _LONGEST_PAUSE_SECONDS)
        self.due = time.monotonic() + self._pause

    async def open(self, told: Position | None) -> None:
        """Find out where to read.

        Args:
            told: How far it was told of, where that is known.

        Raises:
            RPCError: There is no such run, or the server refuses.
        """
        if self.is_new:
            self._left = [self.execution]
            return
        left = [*await executions_until(self._temporal, self.key.workflow_id, self.execution)]
        self.executions.update(left)
        # An execution that was reset is none of these any more.
        self._told = told if told and told.execution in left else None
        self._left = left

    async def news(self) -> AsyncIterator[Sequence[ToldStep]]:
        """Read what has come since, and yield what there is to tell of it.

        Raises:
            RPCError: There is no such run, or the server does not answer or refuses.
        """
        while True:
            execution = self._left[0]
            workflow_id = self.key.workflow_id
            async for event in read_news(self._temporal, workflow_id, execution, self._mark):
                if self._is_for_others(event):
                    return
                self._weigh(event)
                try:
                    told = [*self._take(event, execution)]
                except Exception as error:
                    raise UntoldRun(type(error).__name__) from error
                self._position = Position(self._mark.execution, self._mark.seen)
                if told:
                    yield told
            following = self._projection.next_execution
            if following:
                self.executions.add(following)
            if len(self._left) > 1:
                self._left.pop(0)
            elif following and following != execution:
                self._left = [following]
            else:
                self._is_caught_up = True
                return

    def _weigh(self, event: HistoryEvent) -> None:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            self.bytes = 0
        self.bytes += event.ByteSize()

    def _is_for_others(self, event: HistoryEvent) -> bool:
        """Return whether what begins with an event is for another worker to tell."""
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED and self._is_caught_up:
            # What came before it was read is told by whoever takes the run over, whoever was at work then.
            identity = event.workflow_task_started_event_attributes.identity
            self.is_elsewhere = identity != self._temporal.service_client.config.identity
        return self.is_elsewhere or (self.until is not None and event.event_time.ToDatetime(UTC) > self.until)

    def _take(self, event: HistoryEvent, execution: str) -> Iterator[ToldStep]:
        if self._told and not self._is_past_told:
            is_there = execution == self._told.execution
            self._has_reached_told = self._has_reached_told or is_there
            self._is_past_told = event.event_id > self._told.event if is_there else self._has_reached_told
        events = self._projection.feed(event, execution)
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            self._begin(event, execution, events)
        for one in events:
            self._take_nested(one)
            self._builder.take(one, self._projection)
            yield from (told for ended in self._builder.ended() if (told := self._tells(ended)))

    def _begin(self, event: HistoryEvent, execution: str, events: Sequence[Event]) -> None:
        started = event.workflow_execution_started_event_attributes
        if self._spans is None:
            self._about = _about(self.key, self._projection, started)
            identity = RunIdentity(*self.key, span_of(started.header.fields))
            self._spans = SpanMaker(identity, self._about, self._disclosure)
            if not events:
                at = event.event_time.ToDatetime(UTC)
                self._builder.go_on(self.key.workflow_id, self._projection.path, at, "its beginning is not there")
        counts_on = started.continued_execution_run_id and self._projection.numbers_anew
        self._spans.execution = execution if counts_on else ""

    def _take_nested(self, event: Event) -> None:
        if isinstance(event, MemberStarted):
            member = self._projection.members.get(event.path)
            if member and member.execution:
                key = RunKey(self.key.namespace, member.workflow_id, member.execution)
                self._nested[event.path] = key
        elif isinstance(event, MemberFinished) and (ended := self._nested.pop(event.path, None)):
            self.ended_runs.append(ended)

    def _tells(self, ended: EndedStep) -> ToldStep | None:
        """Return what there is to tell of a step; None where that was done before."""
        is_new, at = self._is_past_told, ended.step.ended_at or self._taken_over
        if not is_new:
            if self._told or at < self._taken_over - self._told_again:
                return None
            is_new = at > self._taken_over
        if self._about is None or self._spans is None:
            return None
        ended = self._named(ended)
        prompt = None
        # A prompt that was refused as too long has left the transcript by the time that its end is told.
        is_known = ended.step.summary or not isinstance(ended.event, MemoryCompacted)
        if ended.step.kind == "model" and is_known and self._disclosure.is_on:
            with suppress(KeyError):
                prompt = self._projection.prompt(ended.step.turn, ended.step.path)
        return ToldStep(ended, self._about, self._spans.span(ended, prompt), is_new)

    def _named(self, ended: EndedStep) -> EndedStep:
        """Return a step with a name that is no invention of a model."""
        step = ended.step
        if step.kind != "tool" or not step.turn:
            return ended
        try:
            known = {tool.name for tool in self._projection.prompt(step.turn, step.path).head.tools}
        except KeyError:
            return ended
        return ended if step.name in known else ended._replace(step=step.model_copy(update={"name": _NO_TOOL}))


def _about(key: RunKey, run: Projection, started: WorkflowExecutionStartedEventAttributes) -> AboutRun:
    tenant = started.search_attributes.indexed_fields.get(names.SEARCH_TENANT)
    return AboutRun(
        run_id=key.workflow_id,
        session=key.workflow_id.partition(SEPARATOR)[0],
        runnable=run.runnable,
        runnable_kind=run.runnable_kind,
        is_chat=run.is_chat,
        tenant=_keyword(tenant.data) if tenant else "",
    )


def _keyword(data: bytes) -> str:
    try:
        value = json.loads(data)
    except ValueError:
        return ""
    return str(value[0] if isinstance(value, list) and value else value)
