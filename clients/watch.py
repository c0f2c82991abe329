"""Merges the events of a run and of the runs nested in it, as they come.

At any depth. Starts and asks nothing.

The order within one workflow is that of its history. What a nested run tells stands between the start and the end that
its parent tells of it: the parent's stream waits until the child's has ended. Between siblings it is that of arrival.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from ..contracts.wire.event import Event, MemberFinished, MemberStarted, RunFinished, RunStarted
from ..contracts.wire.places import EventId
from ..history.events.nested_runs import Member
from ..history.events.projection import Projection
from ..history.reading.cursor import Cursor, Key
from ..history.reading.executions import executions_left, executions_until, from_position, read_chain
from ..history.reading.follow import Mark

MAX_POLLS = 32
"""Most nested runs that are waited for at once. The others are told of once one of these or they themselves end."""

_AHEAD = 64
"""Most events that are read before they are asked for."""


@dataclass(slots=True, eq=False)
class _Branch:
    """One workflow's part of the stream."""

    key: Key
    projection: Projection
    member: Member | None = None
    """None for the root."""
    after: EventId | None = None
    """Where it goes on; None once that is passed."""
    children: dict[str, _Branch] = field(default_factory=dict)
    """Nested runs that are being told of, by path."""
    deferred: dict[str, Member] = field(default_factory=dict)
    """Nested runs that began before `after`, and may have ended before it too."""
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    polls: bool = False
    goes_on_in: str = ""
    """The execution of `after`, while it is being read."""
    was_read: bool = False
    task: asyncio.Task[None] | None = None


@dataclass(frozen=True, slots=True)
class _Told:
    branch: _Branch
    event: Event
    closes: Key | None = None
    """The nested run whose end this is."""


class Watch:
    """One stream of events.

    Args:
        temporal: Where the run is.
        workflow_id: Id of its workflow.
        executions: What to read of it, the oldest first.
        after: Where to go on. Default: from the start.
        nested: Whether to look into nested runs.
        going_on: What has read the beginning of the first execution already, and how far. Default: nothing.
    """

    def __init__(
        self,
        temporal: Client,
        workflow_id: str,
        executions: Sequence[str],
        after: Cursor | None = None,
        *,
        nested: bool = True,
        going_on: tuple[Projection, Mark] | None = None,
    ) -> None:
        self.root, self._mark = going_on or (Projection(temporal.data_converter), Mark())
        self._temporal = temporal
        self._workflow_id = workflow_id
        self._executions = executions
        self._nested = nested
        self._after = EventId.parse(after.root) if after else None
        # Where nested runs go on that are yet to be opened.
        self._begin = dict(after.nested) if after and nested else {}
        self._root_told = after.root if after else ""
        self._nested_told = dict(self._begin)
        self._queue: asyncio.Queue[_Told | Exception | None] = asyncio.Queue(_AHEAD)
        self._tasks: set[asyncio.Task[None]] = set()
        self._polls = 0
        self._waiting: deque[_Branch] = deque()

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield the events until the run ends.

        Raises:
            RPCError: There is no such run, or the server refuses.
        """
        root = _Branch((), self.root, after=self._after)
        root.ready.set()
        self._start(root)
        try:
            while told := await self._queue.get():
                if isinstance(told, Exception):
                    raise told
                yield self._stamped(told)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, branch: _Branch) -> None:
        branch.task = asyncio.create_task(self._run(branch))
        self._tasks.add(branch.task)
        branch.task.add_done_callback(self._tasks.discard)

    async def _run(self, branch: _Branch) -> None:
        try:
            await branch.ready.wait()
            await self._tell(branch)
            if branch.member is None:
                await self._queue.put(None)
        except Exception as error:  # noqa: BLE001 - raised again where the events are read
            await self._queue.put(error)
        finally:
            self._make_room(branch)

    async def _tell(self, branch: _Branch) -> None:
        member = branch.member
        if member is None:
            await self._read(branch, self._workflow_id, self._executions)
            return
        try:
            await self._read(branch, member.workflow_id, await self._to_read(branch, member))
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            if not branch.was_read:
                left = await executions_left(self._temporal, member.workflow_id, member.execution)
                branch.after = None
                await self._read(branch, member.workflow_id, left)

    async def _to_read(self, branch: _Branch, member: Member) -> Sequence[str]:
        if branch.after is None or branch.after.execution == member.execution:
            return (member.execution,)
        found = await executions_until(self._temporal, member.workflow_id, branch.after.execution)
        return from_position(found, branch.after)

    async def _read(self, branch: _Branch, workflow_id: str, executions: Sequence[str]) -> None:
        mark = None if branch.member else self._mark
        async for entry in read_chain(self._temporal, workflow_id, executions, branch.projection, mark=mark):
            if branch.goes_on_in and branch.goes_on_in != entry.execution:
                self._catch_up(branch)
            for event in entry.events:
                await self._take(branch, event)
            if branch.after and entry.execution == branch.after.execution:
                branch.goes_on_in = entry.execution
                if entry.event >= branch.after.history_event:
                    self._catch_up(branch)
            branch.was_read = True

    def _catch_up(self, branch: _Branch) -> None:
        """Begin the nested runs that were under way where the branch goes on."""
        branch.after, branch.goes_on_in = None, ""
        for member in branch.deferred.values():
            self._open(branch, member)
        branch.deferred = {}

    async def _take(self, branch: _Branch, event: Event) -> None:
        known = branch.after is not None and branch.after.covers(event.id)
        closes: Key | None = None
        if isinstance(event, MemberFinished):
            closes = await self._close(branch, event.path, known=known)
        # A nested run's parent tells of its start and its end.
        if not known and not (branch.member and isinstance(event, RunStarted | RunFinished)):
            await self._queue.put(_Told(branch, event, closes))
        if isinstance(event, MemberStarted) and self._nested:
            member = branch.projection.members.get(event.path)
            if member and not member.abandoned:
                if branch.after:
                    branch.deferred[event.path] = member
                else:
                    self._open(branch, member)

    def _open(self, parent: _Branch, member: Member) -> _Branch:
        key = (*parent.key, member.initiated)
        begin = self._begin.pop(key, None)
        after = EventId.parse(begin).with_execution(member.execution) if begin else None
        branch = _Branch(key, Projection(self._temporal.data_converter), member, after)
        parent.children[member.path] = branch
        self._waiting.append(branch)
        self._admit()
        self._start(branch)
        return branch

    async def _close(self, parent: _Branch, path: str, *, known: bool) -> Key | None:
        """Wait until everything was told of a nested run that has ended; its key."""
        member = parent.deferred.pop(path, None)
        if known:
            return None
        branch = self._open(parent, member) if member else parent.children.get(path)
        if branch is None or branch.task is None:
            return None
        # Reading what is over needs no place among those that are waited for.
        branch.ready.set()
        await asyncio.wait({branch.task})
        parent.children.pop(path)
        # Of what is past the retention time some may be left, and later runs would take it for theirs.
        self._begin = {key: at for key, at in self._begin.items() if not _is_under(key, branch.key)}
        return branch.key

    def _admit(self) -> None:
        while self._waiting and self._polls < MAX_POLLS:
            branch = self._waiting.popleft()
            if not branch.ready.is_set():
                branch.polls = True
                branch.ready.set()
                self._polls += 1

    def _make_room(self, branch: _Branch) -> None:
        if branch.polls:
            self._polls -= 1
            self._admit()

    def _stamped(self, told: _Told) -> Event:
        """Return the event with a cursor to go on from, where its id is not enough."""
        branch, event = told.branch, told.event
        if branch.member:
            here = EventId.parse(event.id).without_execution(branch.member.execution)
            self._nested_told[branch.key] = str(here)
        else:
            self._root_told = event.id
        if told.closes:
            self._nested_told = {key: at for key, at in self._nested_told.items() if not _is_under(key, told.closes)}
        if not self._nested_told:
            return event
        cursor = str(Cursor(self._root_told, self._nested_told))
        return event.model_copy(update={"cursor": cursor})


def _is_under(key: Key, other: Key) -> bool:
    return key[: len(other)] == other
