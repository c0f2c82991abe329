"""One look at all runs: what is wrong, what they wait for and what they spent."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import computed_field

from ...contracts.contract import Contract
from ...contracts.wire.totals import Totals
from ..hindrances import Hindrance

TroubleKind = Literal["stalled", "unserved", "retried", "paused"]
"""What may be wrong, the worst first: the workflow's code fails again and again; no worker takes its work; a call fails
and is tried again; somebody paused a call."""

WaitKind = Literal[
    "model", "tool", "search", "nested", "message", "approval", "top-up", "ledger", "timer", "worker", "other"
]


class Trouble(Hindrance):
    """Something that keeps a run from going on."""

    kind: TroubleKind
    since: datetime | None = None
    """Since when it is so, as far as that is known."""


class Wait(Contract):
    """What a run waits for."""

    kind: WaitKind
    """`message`: that of a person. `approval`: a person's decision on a call. `top-up`: more of a budget.
    `ledger`: what other runs have of a ledger. `worker`: its own workflow code is to go on."""
    name: str = ""
    """The model and the turn, the tool and its arguments, the id of the nested run, the ledger."""
    since: datetime | None = None
    """None where that is not known."""


class OpenRun(Contract):
    """A run or a chat that has not ended, with all that is nested in it."""

    id: str
    kind: Literal["run", "chat", "ingest"] = "run"
    runnable: str = ""
    tenant: str = ""
    task_queue: str = ""
    started_at: datetime
    """When its newest execution began: of a long chat, later than the chat itself."""
    last_at: datetime | None = None
    """When something happened in it last. None where it was not looked at yet."""
    waits: tuple[Wait, ...] = ()
    """What it waits for at this moment. Empty where it was not looked at yet."""
    troubles: tuple[Trouble, ...] = ()
    """The worst first."""
    nested: int = 0
    """How many runs in it have not ended either."""
    model_calls: int = 0
    """Model calls that were answered."""
    totals: Totals = Totals()
    """What it has used so far."""
    is_whole: bool = True
    """Whether all of its history was read. Else it has used that much at least."""
    was_seen: bool = True
    """Whether it was looked at. Else nothing is known but that it is under way."""


class QueueLoad(Contract):
    """A task queue, and who serves it."""

    name: str
    workers: int = 0
    """How many asked it for work lately."""
    backlog: int = 0
    """About how many tasks wait in it."""
    backlog_seconds: float = 0.0
    """About how long the oldest of them waits."""
    added_per_second: float = 0.0
    """About how many tasks come, over the last half minute."""
    taken_per_second: float = 0.0
    """About how many tasks workers take, over the last half minute."""


class LateEnd(Contract):
    """A run that ended a short while ago, and not well."""

    id: str
    runnable: str = ""
    tenant: str = ""
    status: str
    ended_at: datetime
    reason: str = ""
    """Why. Empty where that is not known."""


class Endings(Contract):
    """How many runs ended lately, and how."""

    minutes: int
    """Of how many minutes it tells."""
    counts: dict[str, int] = {}
    """How many by status, such as `completed`."""
    is_whole: bool = True
    """Whether the cost is that of all of them. Else there are too many: it is that of the last ones alone, and of the
    others those that were refused or exhausted are counted as completed."""
    cost_usd: float = 0.0
    """US dollars that they cost."""
    late: tuple[LateEnd, ...] = ()
    """Those that did not complete, the last one first; at most eight."""


class Overview(Contract):
    """All runs of a namespace, or of a tenant, at a moment."""

    at: datetime
    namespace: str
    tenant: str = ""
    """Whose runs it tells of. Empty: everybody's."""
    running: int
    """How many runs are under way, without those that other runs started."""
    chats: int = 0
    """How many chats are open."""
    runs: tuple[OpenRun, ...] = ()
    """Those that are known, the worst first."""
    queues: tuple[QueueLoad, ...] = ()
    """Task queues of the runs that were looked at, those first that nobody serves."""
    ended: Endings

    @computed_field  # type: ignore[prop-decorator]
    @property
    def troubled(self) -> int:
        """How many of the runs that were looked at are in trouble."""
        return sum(bool(run.troubles) for run in self.runs)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def unseen(self) -> int:
        """How many that are under way were not looked at yet."""
        return max(self.running + self.chats - sum(run.was_seen for run in self.runs), 0)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def cost_usd(self) -> float:
        """US dollars that the runs that were looked at have cost so far."""
        return sum(run.totals.cost_usd for run in self.runs)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def is_whole(self) -> bool:
        """Whether the cost is that of all that is under way, and none that is missing."""
        return not self.unseen and all(run.is_whole for run in self.runs)
