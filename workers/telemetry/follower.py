"""Follows the runs that are at work here, and tells of each step once.

When it has ended.

What is told comes from the histories alone: a replay adds nothing, and a run that another worker takes over is told of
from where the one before it had got.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, Protocol

from temporalio.api.history.v1 import HistoryEvent, WorkflowExecutionStartedEventAttributes
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from ...connection.tracing import span_of
from ...contracts import names
from ...contracts.wire.chats.chat_event import ChatStarted
from ...contracts.wire.event import RunStarted
from ...contracts.wire.places import SEPARATOR
from ...history.events.projection import Projection
from ...history.reading.executions import executions_until
from ...history.reading.follow import Mark, read_news
from ...history.trace.building import EndedStep, TraceBuilder
from .attributes import AboutRun
from .disclosure import Disclosure
from .identity import RunIdentity
from .positions import Positions
from .span import StepSpan
from .spans import SpanMaker

_LOG: Final = logging.getLogger(__name__)

TICK_SECONDS: Final = 0.5
"""How long what happens in a run is gathered before its history is read."""
_PATIENCE_SECONDS: Final = 0.25
_LONGEST_PAUSE_SECONDS: Final = 60.0
_AT_ONCE: Final = 8
_MOST_OPEN: Final = 1_000
"""Runs whose state is held in memory. Of others it is read again when they go on."""
_TOLD_AGAIN: Final = timedelta(seconds=60)
"""Of a run that was taken over, where nobody knows how far it was told of: what ended so long before. As the ids are
the same, tools that know them take it for the same spans."""


class ToldStep(NamedTuple):
    """A step that is told of."""

    ended: EndedStep
    about: AboutRun
    span: StepSpan | None
    """None where another history tells of it."""
    is_new: bool
    """Whether it surely was not told of before."""


class Listener(Protocol):
    """Told of steps."""

    def take(self, told: Sequence[ToldStep]) -> None:
        """Take steps in."""
        ...

    def has_settled(self) -> bool:
        """Return whether all that was told so far has left."""
        ...


class _Key(NamedTuple):
    namespace: str
    workflow_id: str
    first: str

    @property
    def text(self) -> str:
        return SEPARATOR.join(self)


class _Position(NamedTuple):
    execution: str
    event: int

    @property
    def text(self) -> str:
        return f"{self.execution}{SEPARATOR}{self.event}"

    @classmethod
    def parse(cls, text: str) -> _Position | None:
        execution, _, event = text.partition(SEPARATOR)
        return cls(execution, int(event)) if event.isdecimal() else None


@dataclass(slots=True)
class _Run:
    """A run that is followed."""

    key: _Key
    execution: str
    is_new: bool
    projection: Projection
    builder: TraceBuilder = field(default_factory=lambda: TraceBuilder(keep=False))
    mark: Mark = field(default_factory=Mark)
    spans: SpanMaker | None = None
    about: AboutRun | None = None
    left: list[str] = field(default_factory=list)
    """Executions that are yet to be read to their ends; empty before the first is."""
    told: _Position | None = None
    """How far it was told of, where that is known."""
    reached_told: bool = False
    is_past_told: bool = False
    taken_over: datetime = field(default_factory=lambda: datetime.now(UTC))
    due: float = 0.0
    """When to read again, by the monotonic clock."""
    pause: float = TICK_SECONDS

    @property
    def position(self) -> _Position:
        return _Position(self.mark.execution, self.mark.seen)

    @property
    def is_over(self) -> bool:
        return self.projection.result is not None


class Follower:
    """Follows runs.

    Args:
        temporal: Where they are.
        positions: How far they were told of.
        disclosure: Says what of what was said may leave.
        listener: Told of steps.
    """

    def __init__(self, temporal: Client, positions: Positions, disclosure: Disclosure, listener: Listener) -> None:
        self._temporal = temporal
        self._positions = positions
        self._disclosure = disclosure
        self._listener = listener
        self._touched: dict[_Key, tuple[str, bool]] = {}
        self._lock = threading.Lock()
        self._runs: OrderedDict[_Key, _Run] = OrderedDict()
        self._unsettled: dict[str, str] = {}
        self._given_up: OrderedDict[_Key, None] = OrderedDict()
        self._is_away = False

    def touch(self, namespace: str, workflow_id: str, execution: str, first: str, *, is_new: bool) -> None:
        """Take in that a run does something here; called from any thread."""
        key = _Key(namespace, workflow_id, first)
        with self._lock:
            _, was_new = self._touched.get(key, ("", False))
            self._touched[key] = (execution, is_new or was_new)

    async def run(self) -> None:
        """Follow, until it is cancelled."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            await self.read_due()

    async def finish(self, patience_seconds: float) -> None:
        """Read what is left, for so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_seconds):
                for run in self._runs.values():
                    run.due = 0.0
                await self.read_due()

    async def read_due(self) -> None:
        """Read the runs that have news, and tell of them."""
        self._take_touched()
        now = time.monotonic()
        due = [run for run in self._runs.values() if run.due <= now]
        limit = asyncio.Semaphore(_AT_ONCE)

        async def read(run: _Run) -> None:
            async with limit:
                await self._read(run)

        await asyncio.gather(*map(read, due))
        for run in due:
            if run.is_over:
                self._runs.pop(run.key, None)
        while len(self._runs) > _MOST_OPEN:
            self._runs.popitem(last=False)
        await self.settle()

    async def settle(self) -> None:
        """Keep how far runs were told of, once that has left."""
        if self._unsettled and self._listener.has_settled():
            positions, self._unsettled = self._unsettled, {}
            await self._positions.keep(positions)

    def _take_touched(self) -> None:
        with self._lock:
            touched, self._touched = self._touched, {}
        while len(self._given_up) > _MOST_OPEN:
            self._given_up.popitem(last=False)
        for key, (execution, is_new) in touched.items():
            if key in self._given_up:
                continue
            run = self._runs.get(key)
            if run is None:
                run = _Run(key, execution, is_new, Projection(self._temporal.data_converter))
            self._runs[key] = run
            self._runs.move_to_end(key)
            run.due, run.pause = 0.0, TICK_SECONDS

    async def _read(self, run: _Run) -> None:
        before = run.position
        try:
            async for event, execution in self._news(run):
                self._take(run, event, execution)
        except RPCError as error:
            self._failed(run, error)
            return
        except Exception:  # noqa: BLE001 - neither the run nor the others depend on it
            _LOG.warning("telemetry: no more is told of run %s", run.key.workflow_id, exc_info=True)
            self._given_up[run.key] = None
            self._runs.pop(run.key, None)
            return
        self._is_away = False
        if run.position != before:
            self._unsettled[run.key.text] = run.position.text
            run.pause = TICK_SECONDS
        else:
            run.pause = min(2 * run.pause, _LONGEST_PAUSE_SECONDS)
        run.due = time.monotonic() + run.pause

    async def _news(self, run: _Run) -> AsyncIterator[tuple[HistoryEvent, str]]:
        workflow_id = run.key.workflow_id
        if not run.left:
            await self._open(run)
        while True:
            execution = run.left[0]
            async for event in read_news(self._temporal, workflow_id, execution, run.mark, _PATIENCE_SECONDS):
                yield event, execution
            following = run.projection.next_execution
            if len(run.left) > 1:
                run.left.pop(0)
            elif following and following != execution:
                run.left = [following]
            else:
                return

    async def _open(self, run: _Run) -> None:
        if run.is_new:
            run.left = [run.execution]
            run.is_past_told = True
            return
        text = self._unsettled.get(run.key.text) or await self._positions.of(run.key.text)
        left = [*await executions_until(self._temporal, run.key.workflow_id, run.execution)]
        known = _Position.parse(text)
        # An execution that was reset is none of these any more.
        run.told = known if known and known.execution in left else None
        run.left = left

    def _take(self, run: _Run, event: HistoryEvent, execution: str) -> None:
        told: list[ToldStep] = []
        if run.told and not run.is_past_told:
            run.reached_told = run.reached_told or execution == run.told.execution
            is_there = execution == run.told.execution
            run.is_past_told = event.event_id > run.told.event if is_there else run.reached_told
        for one in run.projection.feed(event, execution):
            if isinstance(one, RunStarted | ChatStarted) and run.spans is None:
                started = event.workflow_execution_started_event_attributes
                run.about = _about(run.key, one, started)
                identity = RunIdentity(*run.key, span_of(started.header.fields))
                run.spans = SpanMaker(identity, run.about, self._disclosure)
            run.builder.take(one, run.projection)
            told += (found for ended in run.builder.ended() if (found := self._told(run, ended)))
        if told:
            self._listener.take(told)

    def _told(self, run: _Run, ended: EndedStep) -> ToldStep | None:
        """Return what there is to tell of a step; None where that was done before."""
        is_new = run.is_past_told
        if not is_new and not run.told:
            at = ended.step.ended_at or run.taken_over
            is_new = at > run.taken_over
            if at < run.taken_over - _TOLD_AGAIN:
                return None
        elif not is_new:
            return None
        if run.about is None or run.spans is None:
            return None
        prompt = None
        if ended.step.kind == "model" and self._disclosure.is_on:
            with suppress(KeyError):
                prompt = run.projection.prompt(ended.step.turn, ended.step.path)
        return ToldStep(ended, run.about, run.spans.span(ended, prompt), is_new)

    def _failed(self, run: _Run, error: RPCError) -> None:
        if error.status is RPCStatusCode.NOT_FOUND:
            self._runs.pop(run.key, None)
            return
        if not self._is_away:
            self._is_away = True
            _LOG.warning("telemetry: histories cannot be read now (%s): spans come when they can", error.message)
        run.pause = min(2 * run.pause, _LONGEST_PAUSE_SECONDS)
        run.due = time.monotonic() + run.pause


def _about(key: _Key, began: RunStarted | ChatStarted, started: WorkflowExecutionStartedEventAttributes) -> AboutRun:
    tenant = started.search_attributes.indexed_fields.get(names.SEARCH_TENANT)
    return AboutRun(
        run_id=key.workflow_id,
        session=key.workflow_id.partition(SEPARATOR)[0],
        runnable=began.runnable,
        runnable_kind=began.runnable_kind,
        is_chat=isinstance(began, ChatStarted),
        tenant=_keyword(tenant.data) if tenant else "",
    )


def _keyword(data: bytes) -> str:
    text = data.decode(errors="replace")
    return text[1:-1] if text.startswith('"') else text
