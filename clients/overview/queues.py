"""Who serves the task queues, and how much waits in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.workflowservice.v1 import DescribeTaskQueueResponse

from ..hindrances import POLLER_PATIENCE, moment
from .overview import QueueLoad
from .requests import Requests

_TYPES: Final = (TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)


class QueueReader:
    """Asks for a few task queues at a time, and keeps what is known of the others.

    Args:
        requests: Asks the server.
    """

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        self.loads: dict[str, QueueLoad] = {}
        """What is known, by the names of the queues."""
        self._asked: dict[str, int] = {}
        self._turn = 0

    async def read(self, names: Sequence[str], most: int) -> None:
        """Ask for so many task queues, those that were not asked for longest.

        Raises:
            RPCError: The server is away, or refuses.
        """
        self._turn += 1
        for name in sorted(names, key=lambda name: self._asked.get(name, 0))[:most]:
            answers = [await self._requests.task_queue(name, kind) for kind in _TYPES]
            self.loads[name] = load_of(name, answers, datetime.now(UTC))
            self._asked[name] = self._turn

    def told(self, names: Iterable[str]) -> tuple[QueueLoad, ...]:
        """Return what is known of task queues, those first that nobody serves."""
        found = [self.loads[name] for name in names if name in self.loads]
        return tuple(sorted(found, key=lambda load: (load.workers > 0, -load.backlog, load.name)))


def load_of(name: str, answers: Iterable[DescribeTaskQueueResponse], now: datetime) -> QueueLoad:
    """Return what the server says of a task queue.

    Args:
        name: The queue.
        answers: Of its workflow tasks, and of its activities.
        now: What the time is.
    """
    told = list(answers)
    polling = {
        poller.identity
        for one in told
        for poller in one.pollers
        # The server lists a worker for minutes after its end.
        if now - moment(poller.last_access_time) < POLLER_PATIENCE
    }
    ages = [one.stats.approximate_backlog_age for one in told if one.stats.approximate_backlog_count]
    return QueueLoad(
        name=name,
        workers=len(polling),
        backlog=sum(one.stats.approximate_backlog_count for one in told),
        backlog_seconds=max((age.ToTimedelta().total_seconds() for age in ages), default=0.0),
        added_per_second=sum(one.stats.tasks_add_rate for one in told),
        taken_per_second=sum(one.stats.tasks_dispatch_rate for one in told),
    )
