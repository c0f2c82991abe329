"""Makes runs of what is known of single workflows, the worst first. Does no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final, Literal

from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import WorkflowExecution

from ...contracts import names
from ...contracts.wire.event import RunStalled
from ...contracts.wire.places import Place
from ...contracts.wire.totals import Totals
from ...workflows.search_attributes import RUNNABLE, TENANT
from ..hindrances import moment
from .findings import find_troubles, find_waits, last_seen_at
from .meter import Meter
from .overview import OpenRun, QueueLoad, Trouble, TroubleKind, Wait

SortOrder = Literal["trouble", "time", "cost"]
"""How runs may be ordered."""

_RANKS: Final[Mapping[TroubleKind, int]] = {"stalled": 0, "unserved": 1, "retried": 2, "paused": 3}
_WELL: Final = len(_RANKS)
_MOST_TOLD: Final = 20
"""Most troubles, and most things waited for, that are told of one run."""
_EVENTS_OF_A_BEGINNING: Final = 4
"""Its start, and its first workflow task, before that has come to anything."""
_KINDS: Final[Mapping[str, Literal["run", "chat", "ingest"]]] = {
    names.CHAT_WORKFLOW: "chat",
    names.INGEST_WORKFLOW: "ingest",
}


@dataclass(slots=True)
class Sighting:
    """A workflow that has not ended, as far as it is known."""

    info: WorkflowExecutionInfo
    """As it was listed."""
    runnable: str = ""
    tenant: str = ""
    described: DescribeWorkflowExecutionResponse | None = None
    """None: it was not looked at yet."""
    looked: int = 0
    """In which look that was."""
    meter: Meter | None = None
    page: bytes = b""
    """What the server takes to give what comes next in its history."""
    waited_at: int = 0
    """How long its history was when more of it was waited for in vain."""
    stall: RunStalled | None = None
    """Why its code fails, where it does."""
    stalled_at: int = 0
    """How long its history was when that was asked."""

    @classmethod
    def of(cls, execution: WorkflowExecution) -> Sighting:
        """Return the sighting of a workflow that Temporal lists."""
        found = execution.typed_search_attributes
        info: Any = execution.raw_info
        return cls(info=info, runnable=found.get(RUNNABLE) or "", tenant=found.get(TENANT) or "")

    @property
    def id(self) -> str:
        """Id of the workflow."""
        return self.info.execution.workflow_id

    @property
    def execution(self) -> str:
        """Temporal's run id of what is known of it."""
        return self.info.execution.run_id

    @property
    def root(self) -> str:
        """Id of the run that it is, or is nested in."""
        return Place(self.id).root

    @property
    def length(self) -> int:
        """How many events its history has."""
        return self.described.workflow_execution_info.history_length if self.described else 0

    @property
    def has_begun(self) -> bool:
        """Whether it has done anything, in this execution or before."""
        is_first = self.info.first_run_id == self.execution
        return not is_first or self.length > _EVENTS_OF_A_BEGINNING

    @property
    def is_whole(self) -> bool:
        """Whether all of its history was read that may tell a cost."""
        if self.meter is None:
            return False
        return not self.has_begun or (self.meter.is_readable and self.meter.reached >= self.length)

    @property
    def has_grown(self) -> bool:
        """Whether there is more in its history than was read."""
        return self.has_begun and self.meter is not None and self.meter.reached < self.length != self.waited_at

    def troubles(self, queues: Mapping[str, QueueLoad], now: datetime) -> list[Trouble]:
        """Return what keeps it from going on."""
        if self.described is None:
            return []
        queue = queues.get(self.described.execution_config.task_queue.name)
        return list(find_troubles(self.described, self.stall, queue, now))


def open_runs(sightings: Iterable[Sighting], queues: Mapping[str, QueueLoad], now: datetime) -> list[OpenRun]:
    """Return the runs that the workflows are, each with all that is nested in it.

    Args:
        sightings: What is known of the workflows.
        queues: Who serves which task queue.
        now: What the time is.
    """
    trees: dict[str, list[Sighting]] = {}
    for sighting in sightings:
        trees.setdefault(sighting.root, []).append(sighting)
    return ordered([_run(root, tree, queues, now) for root, tree in trees.items()], "trouble")


def _run(root: str, tree: Sequence[Sighting], queues: Mapping[str, QueueLoad], now: datetime) -> OpenRun:
    # Of a run whose page of the list is yet to come what is nested in it may be known before.
    first = min(tree, key=lambda one: len(one.id))
    seen = [one for one in tree if one.described is not None]
    troubles = list(chain.from_iterable(one.troubles(queues, now) for one in seen))
    last = [last_seen_at(one.described, one.meter) for one in seen if one.described]
    meters = [one.meter for one in tree if one.meter]
    return OpenRun(
        id=root,
        kind=_KINDS.get(first.info.type.name, "run"),
        runnable=first.runnable,
        tenant=first.tenant,
        task_queue=first.info.task_queue,
        started_at=moment(first.info.start_time),
        last_at=max(last, default=None),
        waits=tuple(_waits(seen))[:_MOST_TOLD],
        troubles=tuple(sorted(troubles, key=_worst))[:_MOST_TOLD],
        nested=sum(one.id != root for one in tree),
        model_calls=sum(meter.model_calls for meter in meters),
        totals=sum((meter.totals for meter in meters), Totals()),
        is_whole=all(one.is_whole for one in tree),
        was_seen=bool(seen),
    )


def _waits(seen: Sequence[Sighting]) -> list[Wait]:
    """Return what a tree of runs waits for: not for those in it, but for what they do."""
    known = {one.id for one in seen}
    found: list[Wait] = []
    for one in sorted(seen, key=lambda one: len(one.id)):
        if one.described is None:
            continue
        children = {child.workflow_id for child in one.described.pending_children}
        waits = find_waits(one.described, one.meter)
        if children and children <= known:
            waits = [wait for wait in waits if wait.kind != "nested"]
        found += waits
    return found


def _worst(trouble: Trouble) -> tuple[int, int]:
    return (_RANKS[trouble.kind], -trouble.attempt)


def ordered(runs: Iterable[OpenRun], order: SortOrder) -> list[OpenRun]:
    """Return runs in an order.

    Args:
        runs: Any runs.
        order: `trouble`: the worst first, then those in which nothing has happened for long, and last the chats that
            wait for a person. `time`: those first that run for long. `cost`: those first that cost most.
    """
    keys: Mapping[SortOrder, Callable[[OpenRun], Any]] = {
        "trouble": _by_trouble,
        "time": lambda run: (run.started_at, run.id),
        "cost": lambda run: (-run.totals.cost_usd, -run.totals.usage.total_tokens, run.started_at, run.id),
    }
    return sorted(runs, key=keys[order])


def _by_trouble(run: OpenRun) -> tuple[int, int, datetime, str]:
    last = run.last_at or datetime.max.replace(tzinfo=UTC)
    if run.troubles:
        return (*_worst(run.troubles[0]), run.started_at, run.id)
    is_idle = bool(run.waits) and all(wait.kind == "message" for wait in run.waits)
    return (_WELL + is_idle, 0, last, run.id)
