"""What waits to be sent to one destination.

Bounded, and never waited for by a run.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

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
_SUSPICIOUS: Final = 5
"""After so many failures of the server in a row it may be something in the batch that makes it fail."""


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
        self.done = 0
        """How many of them were sent or given up."""
        self.dropped = 0
        """How many of them were given up."""
        self._form = to.form
        self._resource: Resource = resource_of(to.resource)
        self._sender = sender
        self._on_sent = on_sent
        self._waiting: deque[tuple[StepSpan, int]] = deque()
        self._chars = 0
        self._most = _BATCH
        """Spans of the next request: fewer after one that was too long, or had what is not taken."""
        self._failures = 0
        """Failures of the server in a row."""
        self._suspect: StepSpan | None = None
        """One that the server failed at alone."""
        self._sent_at_suspicion = 0
        self._in_order: int | None = None
        """How many were done with when one was put behind others; None where all are in order."""
        self._news = asyncio.Event()
        self._is_down = False
        self._overflowed = 0
        self._lost = 0

    @property
    def settled(self) -> int:
        """How many of the first that were given to it are surely done with."""
        return self.done if self._in_order is None else self._in_order

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
            self._waiting.append((span, said))
            self._chars += said
        self.added += len(spans)
        while len(self._waiting) > MOST_WAITING_SPANS or self._chars > MOST_WAITING_CHARS:
            self._forget_first()
            self._overflowed += 1
            self._give_up(1)
        if spans:
            self._news.set()

    async def run(self) -> None:
        """Send what comes, until it is cancelled."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            await self._news.wait()
            await asyncio.sleep(_GATHERING_SECONDS)
            try:
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
            batch, before = self._next(), self._overflowed
            try:
                # Of a megabyte it takes tens of milliseconds, in which the worker has other things to do.
                await self._sender.send(await asyncio.to_thread(self._encoded, batch))
            except Unsent as unsent:
                self._warn(str(unsent), again=unsent.again)
                if unsent.again:
                    # What found no more room meanwhile was of this batch.
                    if unsent.parts and self._overflowed == before and self._narrow(batch):
                        continue
                    return False
                if unsent.parts and len(batch) > 1:
                    self._most = max(len(batch) // 4, 1)
                    continue
                self._give_up(len(batch))
            else:
                self._taken(batch)
            # Those that found no more room meanwhile stood first.
            for _ in range(len(batch) - (self._overflowed - before)):
                self._forget_first()
            if self._on_sent:
                await self._on_sent()
        self._news.clear()
        self._in_order = None
        return True

    async def close(self, patience_seconds: float) -> None:
        """Send what waits, for so long, and let go."""
        was_down = self._is_down
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_seconds):
                is_done = await self.send_waiting()
                while not (is_done or was_down):
                    await asyncio.sleep(_LAST_PAUSE_SECONDS)
                    is_done = await self.send_waiting()
        if self._waiting:
            _LOG.warning("telemetry: %s did not take %s", self.name, plural(len(self._waiting), "last span"))
        await self._sender.close()

    def _taken(self, batch: Sequence[StepSpan]) -> None:
        self._most = min(2 * self._most, _BATCH)
        if any(span is self._suspect for span in batch):
            self._suspect = None
        # While it is looked for what makes a server fail, that it takes others is no end of it.
        if self._suspect is None and (self._most == _BATCH or len(batch) == len(self._waiting)):
            self._failures = 0
            self._recovered()

    def _narrow(self, batch: Sequence[StepSpan]) -> bool:
        """Look for what makes a server fail; return whether to go on at once.

        One at which it fails alone is put behind the others. It is given up where it fails at it again, and has taken
        others meanwhile: else it fails at all of them.
        """
        self._failures += 1
        if self._failures < _SUSPICIOUS:
            return False
        if len(batch) > 1:
            self._most = max(len(batch) // 4, 1)
            return True
        sent = self.done - self.dropped
        if batch[0] is self._suspect and sent > self._sent_at_suspicion:
            self._give_up(1)
            self._forget_first()
            return True
        if self._suspect is None:
            self._suspect, self._sent_at_suspicion = batch[0], sent
        if self._in_order is None:
            self._in_order = self.done
        self._waiting.rotate(-1)
        return False

    def _next(self) -> list[StepSpan]:
        batch, chars = list[StepSpan](), 0
        for span, said in self._waiting:
            chars += said
            if batch and (len(batch) >= self._most or chars > MOST_BATCH_CHARS):
                break
            batch.append(span)
        return batch

    def _encoded(self, batch: Sequence[StepSpan]) -> ExportTraceServiceRequest:
        try:
            return otlp_batch(batch, self._resource, self._form)
        except Exception as error:
            # One span that cannot be written must not keep all others here for ever.
            raise Unsent(f"a span cannot be written ({error})", again=False, parts=True) from error

    def _forget_first(self) -> None:
        span, said = self._waiting.popleft()
        self._chars -= said
        self.done += 1
        if span is self._suspect:
            self._suspect, self._failures = None, 0

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
