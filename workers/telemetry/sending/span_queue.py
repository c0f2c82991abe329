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

from opentelemetry.sdk.resources import Resource

from ....contracts.text import plural
from ..span import StepSpan
from .destinations import Destination
from .otlp import otlp_batch, resource_of
from .senders import Sender, Unsent

_LOG: Final = logging.getLogger(__name__)

MOST_WAITING_SPANS: Final = 20_000
"""Spans that wait for a destination that does not take them. What is more than that is dropped, the oldest first."""
_BATCH: Final = 256
_GATHERING_SECONDS: Final = 0.5
_FIRST_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 30.0


class SpanQueue:
    """Sends spans to one destination, in order.

    Args:
        to: Where.
        sender: What sends them.
        on_sent: Called after each batch.
    """

    def __init__(self, to: Destination, sender: Sender, on_sent: Callable[[], Awaitable[None]]) -> None:
        self.name = to.name
        self.added = 0
        """How many spans were given to it."""
        self.done = 0
        """How many of them were sent or given up."""
        self._form = to.form
        self._resource: Resource = resource_of(to.resource)
        self._sender = sender
        self._on_sent = on_sent
        self._waiting: deque[StepSpan] = deque()
        self._news = asyncio.Event()
        self._is_down = False
        self._dropped = 0

    def add(self, spans: Sequence[StepSpan]) -> None:
        """Take spans to be sent."""
        self._waiting.extend(spans)
        self.added += len(spans)
        while len(self._waiting) > MOST_WAITING_SPANS:
            self._waiting.popleft()
            self._dropped += 1
            self.done += 1
        if spans:
            self._news.set()

    async def run(self) -> None:
        """Send what comes, until it is cancelled."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            await self._news.wait()
            await asyncio.sleep(_GATHERING_SECONDS)
            if await self.send_waiting():
                pause = _FIRST_PAUSE_SECONDS
            else:
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def send_waiting(self) -> bool:
        """Send what waits; return whether all of it is done with."""
        while self._waiting:
            batch = [self._waiting[index] for index in range(min(_BATCH, len(self._waiting)))]
            before = self._dropped
            try:
                await self._sender.send(otlp_batch(batch, self._resource, self._form))
            except Unsent as unsent:
                self._warn(str(unsent), again=unsent.again)
                if unsent.again:
                    return False
            else:
                self._recovered()
            # Those that were dropped meanwhile stood first.
            for _ in range(len(batch) - (self._dropped - before)):
                self._waiting.popleft()
                self.done += 1
            await self._on_sent()
        self._news.clear()
        return True

    async def close(self, patience_seconds: float) -> None:
        """Send what waits, for so long, and let go."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_seconds):
                await self.send_waiting()
        if self._waiting:
            _LOG.warning("telemetry: %s did not take %s", self.name, plural(len(self._waiting), "last span"))
        await self._sender.close()

    def _warn(self, why: str, *, again: bool) -> None:
        if self._is_down:
            return
        self._is_down = True
        then = "runs go on, and spans wait until it does" if again else "they are dropped, and runs go on"
        _LOG.warning("telemetry: %s does not take spans: %s; %s", self.name, why, then)

    def _recovered(self) -> None:
        if self._is_down:
            lost = f"; {plural(self._dropped, 'span')} could not wait and were dropped" if self._dropped else ""
            _LOG.warning("telemetry: %s takes spans again%s", self.name, lost)
            self._is_down = False
