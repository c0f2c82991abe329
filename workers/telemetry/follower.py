"""Follows the runs that are at work here, and tells of each step once.

When it has ended. What is told comes from the histories alone: a replay adds nothing, and a run that another worker
takes over is told of from where the one before it had got.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from ...contracts import names
from .disclosure import Disclosure
from .followed_run import TICK_SECONDS, FollowedRun, Position, RunKey, ToldStep, UntoldRun
from .positions import Positions

_LOG: Final = logging.getLogger(__name__)

_AT_ONCE: Final = 8
_MOST_OPEN: Final = 1_000
"""Runs whose state is held in memory. Of others it is read again when they go on."""
_MOST_BYTES: Final = 256_000_000
"""What their histories have in all, but for those at which something happened lately: their workflows are held, too."""
_QUIET_SECONDS: Final = 60.0
_TOLD_AGAIN: Final = timedelta(seconds=60)
_TOLD_AGAIN_WHERE_SHARED: Final = timedelta(hours=1)
LOOK_SECONDS = 10.0
"""How long a worker that is alive is given to tell of what has ended."""
_LOOK_BACK: Final = timedelta(minutes=10)
"""How long before this worker began runs may have ended of which nobody told all."""


class Listener(Protocol):
    """Told of steps."""

    def take(self, told: Sequence[ToldStep]) -> None:
        """Take steps in."""
        ...

    def mark(self) -> Sequence[int]:
        """Return how much it was told so far."""
        ...

    def has_sent(self, mark: Sequence[int]) -> bool:
        """Return whether what it was told up to a mark has left."""
        ...


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
        self._touched: dict[RunKey, tuple[str, bool]] = {}
        self._lock = threading.Lock()
        self._runs: OrderedDict[RunKey, FollowedRun] = OrderedDict()
        self._unsettled: deque[tuple[Sequence[int], dict[str, str]]] = deque()
        """How far runs were read in a round, and what has to have left for that to be told."""
        self._given_up: OrderedDict[RunKey, None] = OrderedDict()
        self._is_away = False

    @property
    def open_runs(self) -> int:
        """How many runs and chats are followed now."""
        return len(self._runs)

    def touch(self, namespace: str, workflow_id: str, execution: str, first: str, *, is_new: bool) -> None:
        """Take in that a run does something here; called from any thread."""
        key = RunKey(namespace, workflow_id, first)
        with self._lock:
            _, was_new = self._touched.get(key, ("", False))
            self._touched[key] = (execution, is_new or was_new)

    async def run(self, task_queue: str) -> None:
        """Follow, until it is cancelled.

        Args:
            task_queue: Whose runs may have been left untold by a worker that was killed.
        """
        looks_back = self._positions.are_shared
        while True:
            await asyncio.sleep(TICK_SECONDS)
            try:
                if looks_back:
                    looks_back = False
                    await self._look_back(task_queue)
                await self.read_due()
            except Exception:  # noqa: BLE001 - what is wrong once must not silence all that comes
                _LOG.warning("telemetry: a round failed", exc_info=True)

    async def finish(self, patience_seconds: float) -> None:
        """Read what is left, for so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_seconds):
                for run in self._runs.values():
                    if not run.is_looked_at:
                        run.due = 0.0
                await self.read_due()

    async def read_due(self) -> None:
        """Read the runs that have news, and tell of them."""
        touched = self._take_touched()
        now = time.monotonic()
        due = [run for run in self._runs.values() if run.due <= now]
        limit = asyncio.Semaphore(_AT_ONCE)

        async def read(run: FollowedRun) -> None:
            async with limit:
                await self._read(run)

        try:
            await asyncio.gather(*map(read, due))
        finally:
            self._note(due)
        for run in due:
            # Of what is only looked at, one reading has it all; what comes back from another worker is taken over.
            if run.is_over or run.is_looked_at or run.is_elsewhere:
                self._runs.pop(run.key, None)
            if run.is_elsewhere and run.key in touched:
                # It came back in the same round.
                self._followed(run.key, touched[run.key])
            ended, run.ended_runs = run.ended_runs, []
            # Whoever takes over a run takes over those nested in it that ended before.
            if self._positions.are_shared or not run.is_new:
                for key in ended:
                    self._look_at(key, key.first)
        self._let_go()
        await self.settle()

    def _let_go(self) -> None:
        """Forget those at which nothing happened for longest.

        As far as they are too many or too large.
        """
        held = sum(run.bytes for run in self._runs.values())
        quiet_since = time.monotonic() - _QUIET_SECONDS
        for key, run in [*self._runs.items()]:
            are_too_many = len(self._runs) > _MOST_OPEN
            if not are_too_many and held <= _MOST_BYTES:
                return
            # Nobody asks again for one that is to be looked at.
            is_quiet = run.touched_at <= quiet_since and not run.is_looked_at
            if are_too_many or (is_quiet and run.bytes):
                held -= run.bytes
                del self._runs[key]

    def _note(self, runs: Iterable[FollowedRun]) -> None:
        """Note how far runs were read, to be kept once what was told of them has left."""
        came = {}
        for run in runs:
            if run.position.event and run.position != run.kept:
                run.kept = run.position
                came[run.key.text] = str(run.position)
        if came:
            self._positions.know(came)
            self._unsettled.append((self._listener.mark(), came))

    async def settle(self) -> None:
        """Keep how far runs were told of, as far as that has left."""
        positions: dict[str, str] = {}
        while self._unsettled and self._listener.has_sent(self._unsettled[0][0]):
            positions |= self._unsettled.popleft()[1]
        if positions:
            await self._positions.share(positions)

    def _followed(self, key: RunKey, execution: str, *, is_new: bool = False) -> FollowedRun:
        again = _TOLD_AGAIN_WHERE_SHARED if self._positions.are_shared else _TOLD_AGAIN
        run = FollowedRun(key, execution, self._temporal, self._disclosure, is_new=is_new, told_again=again)
        self._runs[key] = run
        return run

    def _take_touched(self) -> Mapping[RunKey, str]:
        """Have runs read in which something happened; return their executions."""
        with self._lock:
            touched, self._touched = self._touched, {}
        while len(self._given_up) > _MOST_OPEN:
            self._given_up.popitem(last=False)
        for key, (execution, is_new) in touched.items():
            if key not in self._given_up:
                run = self._runs.get(key)
                # One that was reset goes on in an execution that nothing led to.
                if run is None or (run.is_open and execution not in run.executions):
                    run = self._followed(key, execution, is_new=is_new)
                self._runs.move_to_end(key)
                run.touched()
        return {key: execution for key, (execution, _) in touched.items()}

    def _look_at(self, key: RunKey, execution: str, until: datetime | None = None) -> None:
        """Look at a run later, once a worker that is alive has told of it."""
        if key not in self._runs and key not in self._given_up:
            run = self._followed(key, execution)
            run.is_looked_at, run.until, run.due = True, until, time.monotonic() + LOOK_SECONDS

    async def _look_back(self, task_queue: str) -> None:
        """Look at the runs that a worker that was killed may not have told all of."""
        now = datetime.now(UTC)
        since = (now - _LOOK_BACK).isoformat()
        queue = task_queue.replace("'", "''")
        query = f"TaskQueue='{queue}' AND (ExecutionStatus='Running' OR CloseTime > '{since}')"
        found: dict[RunKey, str] = {}
        try:
            async for one in self._temporal.list_workflows(query, limit=_MOST_OPEN):
                if one.workflow_type not in names.UNTOLD_WORKFLOWS:
                    first = one.raw_info.first_run_id or one.run_id
                    found.setdefault(RunKey(one.namespace, one.id, first), one.run_id)
        except RPCError as error:
            _LOG.debug("telemetry: runs before this worker cannot be listed: %s", error.message)
        for key, execution in found.items():
            self._look_at(key, execution, now)

    async def _read(self, run: FollowedRun) -> None:
        before = run.position
        try:
            if not run.is_open and not await self._open(run):
                self._runs.pop(run.key, None)
                return
            async for told in run.news():
                self._listener.take(told)
        except RPCError as error:
            self._failed(run, error)
            return
        except UntoldRun as error:
            # What it says may be what somebody said.
            _LOG.warning("telemetry: no more is told of run %s (%s)", run.key.workflow_id, error)
            self._given_up[run.key] = None
            self._runs.pop(run.key, None)
            return
        except Exception as error:  # noqa: BLE001 - a disk or a network that fails for a while
            self._away(run, type(error).__name__)
            return
        self._is_away = False
        run.rest(has_news=run.position != before)

    async def _open(self, run: FollowedRun) -> bool:
        """Find out where to read; return whether there is anything to tell."""
        told = None if run.is_new else Position.furthest(await self._positions.of(run.key.text))
        # One that was reset goes on in another execution.
        if told and told.is_end and (run.is_looked_at or told.execution == run.execution):
            return False
        await run.open(told)
        return True

    def _failed(self, run: FollowedRun, error: RPCError) -> None:
        if error.status is RPCStatusCode.NOT_FOUND:
            self._runs.pop(run.key, None)
            return
        self._away(run, error.message)

    def _away(self, run: FollowedRun, why: str) -> None:
        if not self._is_away:
            self._is_away = True
            _LOG.warning("telemetry: histories cannot be read now (%s): spans come when they can", why)
        run.rest(has_news=False)
