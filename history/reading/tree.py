"""Reads the tree of a run's workflows as it stands now.

One workflow after the other, without waiting for more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from ...contracts.wire.event import Event, MemberStarted
from ...contracts.wire.places import EventId, Place
from ..events.nested_runs import Member
from ..events.projection import Projection
from .cursor import Cursor, Key
from .executions import Entry, executions_left, read_chain


@dataclass(frozen=True, slots=True)
class RunAddress:
    """A workflow of the tree, and where its start stands in those above it."""

    workflow_id: str
    executions: Sequence[str]
    path: str = ""
    """Its place in the runnable tree. Empty for the root."""
    key: Key = ()
    above: Cursor | None = None
    """Where the workflows above it stand when its start is told. None for the root."""


@dataclass(slots=True)
class TreePart:
    """What the history of one workflow of the tree tells."""

    place: RunAddress
    projection: Projection
    executions: set[str] = field(default_factory=set)
    """Those that were read."""
    events: list[Event] = field(default_factory=list)
    """What the history tells, where it was asked for."""
    _started: list[tuple[str, Member]] = field(default_factory=list)

    @classmethod
    async def read(cls, temporal: Client, place: RunAddress, *, keep: bool = False) -> TreePart:
        """Read everything that is there now.

        Args:
            temporal: Where it is.
            place: Which workflow.
            keep: Whether to keep all events.

        Raises:
            RPCError: There is no such execution, or the server refuses.
        """
        part = cls(place, Projection(temporal.data_converter))
        async for entry in read_chain(temporal, place.workflow_id, place.executions, part.projection, wait=False):
            part.take(entry, keep=keep)
        return part

    def take(self, entry: Entry, *, keep: bool) -> None:
        """Take in what a history event means, which its projection has just read."""
        self.executions.add(entry.execution)
        if keep:
            self.events += entry.events
        for event in entry.events:
            if isinstance(event, MemberStarted) and (member := self.projection.members.get(event.path)):
                self._started.append((event.id, member))

    def nested(self) -> Iterator[RunAddress]:
        """Return the workflows of the runs that it started."""
        for event_id, member in self._started:
            above = self.place.above
            cursor = Cursor(above.root, {**above.nested, self.place.key: event_id}) if above else Cursor(event_id, {})
            key = (*self.place.key, member.initiated)
            yield RunAddress(member.workflow_id, (member.execution,), member.path, key, cursor)


async def parts(temporal: Client, root: RunAddress, *, keep: bool = False) -> AsyncIterator[TreePart]:
    """Yield every workflow of the tree that is retained, the root first.

    Args:
        temporal: Where they are.
        root: The root.
        keep: Whether to keep all events.

    Raises:
        RPCError: There is no such run, or the server refuses.
    """
    places = deque([root])
    while places:
        part = await part_at(temporal, places.popleft(), keep=keep)
        if part:
            yield part
            places.extend(part.nested())


async def part_at(temporal: Client, place: RunAddress, *, keep: bool = False) -> TreePart | None:
    """Return a workflow of the tree; None where a nested one is no longer retained.

    Args:
        temporal: Where it is.
        place: Which workflow.
        keep: Whether to keep all events.

    Raises:
        RPCError: There is no such run, or the server refuses.
    """
    try:
        return await TreePart.read(temporal, place, keep=keep)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND or place.above is None:
            raise
    left = await executions_left(temporal, place.workflow_id, place.executions[0])
    if not left:
        return None
    found = RunAddress(place.workflow_id, left, place.path, place.key, place.above)
    return await TreePart.read(temporal, found, keep=keep)


async def part_with(temporal: Client, root: RunAddress, path: str) -> TreePart | None:
    """Return the workflow that has a transcript at a path.

    None where there is none yet.

    Raises:
        RPCError: There is no such run, or the server refuses.
    """
    part = await part_at(temporal, root)
    while part and path not in part.projection.paths:
        above = [place for place in part.nested() if Place(path).is_within(place.path)]
        nearest = max(above, key=lambda place: len(place.path), default=None)
        part = await part_at(temporal, nearest) if nearest else None
    return part


async def cursor_after(temporal: Client, root: RunAddress, event_id: str) -> Cursor | None:
    """Return where to go on after an event of a nested run; None where it is unknown.

    Its parents go on right after its start: they may have told more by then, and it is told again.

    Raises:
        RPCError: There is no such run, or the server refuses.
    """
    wanted = EventId.parse(event_id).execution
    async for part in parts(temporal, root):
        above = part.place.above
        if above and wanted in part.executions:
            return Cursor(above.root, {**above.nested, part.place.key: event_id})
    return None
