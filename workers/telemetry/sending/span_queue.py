"""What waits to be sent to one destination.

Bounded, and never waited for by a run.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource

from ....contracts.text import plural
from ..span import StepSpan
from .destinations import Destination
from .otlp import otlp_batch, resource_of
from .senders import Sender, Unsent

_LOG: Final = logging.getLogger(__name__)

MOST_WAITING_SPANS: Final = 20_000
"""Spans that wait for a destination that does not take them. What is more than that is dropped, the oldest first."""
MOST_WAITING_CHARS: Final = 100_000_000
"""What these may say in all."""
MOST_BATCH_CHARS: Final = 1_000_000
"""What the spans of one request may say: servers refuse what is too long for them, collectors from 4 MB on."""
_BATCH: Final = 256
_SPAN_CHARS: Final = 500
"""What a span has besides the texts of its attributes."""
_GATHERING_SECONDS: Final = 0.5
_FIRST_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 30.0
_LAST_PAUSE_SECONDS: Final = 0.25
_SUSPICIOUS: Final = 3
"""After so many failures of the server in a row it may be something in the batch that makes it fail."""
_PROBES: Final = 8
"""So many spans are tried alone to find out whether it takes any."""
_TRIES: Final = 3
_TRY_PAUSE_SECONDS: Final = 0.25


class _Waiting(NamedTuple):
    """A span that waits."""

    span: StepSpan
    chars: int
    number: int
    """How many were added before it."""


class SpanQueue:
    """Sends spans to one destination, in order.

    Args:
        to: Where.
        sender: What sends them.
        on_sent: Called after each batch.
    """

    def __init__(self, to: Destination, sender: Sender, on_sent: Callable[[], Awaitable[None]] | None = None) -> None:
        self.name = to.name
        self.added = 0
        """How many spans were given to it."""
        self.dropped = 0
        """How many of them were given up."""
        self._form = to.form
        self._resource: Resource = resource_of(to.resource)
        self._sender = sender
        self._on_sent = on_sent
        self._waiting: deque[_Waiting] = deque()
        self._chars = 0
        self._most = _BATCH
        """Spans of the next request: fewer after one that was too long, or had what is not taken."""
        self._failures = 0
        """Failures of the server in a row."""
        self._failed_at = 0
        """Spans at which the server failed while it took others."""
        self._news = asyncio.Event()
        self._turn = asyncio.Lock()
        """Held while it is sent: a batch that is on its way is not sent again by whoever lets go."""
        self._is_down = False
        self._lost = 0

    @property
    def done(self) -> int:
        """How many of them were sent or given up."""
        return self.added - len(self._waiting)

    @property
    def settled(self) -> int:
        """How many of the first that were given to it are done with."""
        return self._waiting[0].number if self._waiting else self.added

    @property
    def waiting(self) -> int:
        """How many spans wait to be sent."""
        return len(self._waiting)

    @property
    def is_up(self) -> bool:
        """Whether the destination took what it was sent last."""
        return not self._is_down

    def add(self, spans: Sequence[StepSpan]) -> None:
        """Take spans to be sent."""
        for span in spans:
            said = _SPAN_CHARS + sum(len(value) for value in span.attributes.values() if isinstance(value, str))
            self._waiting.append(_Waiting(span, said, self.added))
            self._chars += said
            self.added += 1
        while len(self._waiting) > MOST_WAITING_SPANS or self._chars > MOST_WAITING_CHARS:
            self._chars -= self._waiting.popleft().chars
            self._give_up(1)
        if spans:
            self._news.set()

    async def run(self) -> None:
        """Send what comes, until it is cancelled.

        Best once it is closed, which waits for what is on its way.
        """
        pause = _FIRST_PAUSE_SECONDS
        while True:
            await self._news.wait()
            await asyncio.sleep(_GATHERING_SECONDS)
            try:
                async with self._turn:
                    is_done = await self.send_waiting()
            except Exception as error:  # noqa: BLE001 - what nobody thought of must not silence all that comes
                self._warn(type(error).__name__, again=True)
                is_done = False
            if is_done:
                pause = _FIRST_PAUSE_SECONDS
            else:
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def send_waiting(self) -> bool:
        """Send what waits; return whether all of it is done with."""
        while self._waiting:
            batch = self._next()
            unsent = await self._try(batch)
            if unsent is None:
                self._most = min(2 * self._most, _BATCH)
                self._failures = 0
                self._forget(batch)
                self._recovered()
            elif unsent.again:
                self._failures += 1
                is_suspicious = unsent.parts and (self._failed_at > 0 or self._failures >= _SUSPICIOUS)
                if not (is_suspicious and await self._sift(batch)):
                    self._warn(str(unsent), again=True)
                    return False
            elif unsent.parts and len(batch) > 1:
                self._warn(str(unsent), again=False)
                self._most = max(len(batch) // 4, 1)
                continue
            else:
                self._warn(str(unsent), again=False)
                self._give_up(self._forget(batch))
            if self._on_sent:
                await self._on_sent()
        self._news.clear()
        return True

    async def _try(self, batch: Sequence[_Waiting]) -> Unsent | None:
        """Send spans; return why they were not taken, where they were not."""
        try:
            # Of a megabyte it takes tens of milliseconds, in which the worker has other things to do.
            await self._sender.send(await asyncio.to_thread(self._encoded, [one.span for one in batch]))
        except Unsent as unsent:
            return unsent
        return None

    async def _sift(self, batch: Sequence[_Waiting]) -> bool:
        """Send those of a batch that a failing server takes, and give up the others.

        Return whether it takes any: where it does not it fails at all of them, and may not later. One is given up only
        where the server took another one after it had failed at it.
        """
        for probe in batch[:: max(len(batch) // _PROBES, 1)][:_PROBES]:
            if await self._try([probe]) is None:
                self._forget([probe])
                break
        else:
            self._failed_at = 0
            return False
        parts, refused = [[one for one in batch if one is not probe]], list[_Waiting]()
        while parts:
            part = parts.pop()
            unsent = await self._try(part) if part else None
            if unsent is None:
                self._forget(part)
                self._fail_at(refused if part else ())
                refused = [] if part else refused
            elif not unsent.parts:
                return False
            elif len(part) > 1:
                parts += [part[len(part) // 2 :], part[: len(part) // 2]]
            elif await self._is_refused(part):
                refused += part
        return True

    def _fail_at(self, refused: Sequence[_Waiting]) -> None:
        """Give up what a server does not take that takes others."""
        for one in refused:
            self._failed_at += 1
            self._give_up(self._forget([one]))
            if f"{self._failed_at}".strip("0") == "1":
                told = plural(self._failed_at, "span")
                _LOG.warning("telemetry: %s fails at what it takes others of: %s so far; dropped", self.name, told)

    async def _is_refused(self, part: Sequence[_Waiting]) -> bool:
        """Return whether a span is not taken however often it is tried.

        One that is taken is done with.
        """
        for _ in range(_TRIES - 1):
            await asyncio.sleep(_TRY_PAUSE_SECONDS)
            if await self._try(part) is None:
                self._forget(part)
                return False
        return True

    async def close(self, patience_seconds: float) -> None:
        """Send what waits, for so long, and let go."""
        was_down = self._is_down
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_seconds), self._turn:
                is_done = await self.send_waiting()
                while not (is_done or was_down):
                    await asyncio.sleep(_LAST_PAUSE_SECONDS)
                    is_done = await self.send_waiting()
        if self._waiting:
            _LOG.warning("telemetry: %s did not take %s", self.name, plural(len(self._waiting), "last span"))
        await self._sender.close()

    def _next(self) -> list[_Waiting]:
        batch, chars = list[_Waiting](), 0
        for one in self._waiting:
            chars += one.chars
            if batch and (len(batch) >= self._most or chars > MOST_BATCH_CHARS):
                break
            batch.append(one)
        return batch

    def _encoded(self, batch: Sequence[StepSpan]) -> ExportTraceServiceRequest:
        try:
            return otlp_batch(batch, self._resource, self._form)
        except Exception as error:
            # One span that cannot be written must not keep all others here for ever.
            raise Unsent(f"a span cannot be written ({error})", again=False, parts=True) from error

    def _forget(self, batch: Sequence[_Waiting]) -> int:
        """Be done with spans; return how many of them were still there.

        What found no more room meanwhile was given up.
        """
        first = self.settled
        there = {one.number: one for one in batch if one.number >= first}
        # Most of the time they stand first.
        while self._waiting and self._waiting[0].number in there:
            self._waiting.popleft()
        if self._waiting and any(number > self._waiting[0].number for number in there):
            self._waiting = deque(one for one in self._waiting if one.number not in there)
        self._chars -= sum(one.chars for one in there.values())
        return len(there)

    def _give_up(self, spans: int) -> None:
        self.dropped += spans
        self._lost += spans

    def _warn(self, why: str, *, again: bool) -> None:
        if self._is_down:
            return
        self._is_down = True
        then = "runs go on, and spans wait until it does" if again else "they are dropped, and runs go on"
        _LOG.warning("telemetry: %s does not take spans: %s; %s", self.name, why, then)

    def _recovered(self) -> None:
        if self._is_down:
            lost = f"; {plural(self._lost, 'span')} were dropped" if self._lost else ""
            _LOG.warning("telemetry: %s takes spans again%s", self.name, lost)
            self._is_down, self._lost = False, 0
