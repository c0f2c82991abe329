"""Builds what serves ledgers beside the runs of an app."""

from __future__ import annotations

from temporalio.client import Client
from temporalio.worker import Worker

from ..activities.control.ledgers import LedgerActivities
from ..connection.converter import tolerant
from ..contracts import names
from ..history.reading.spending import read_spent
from ..workflows import policy
from ..workflows.ledger.ledger_workflow import LedgerWorkflow

_POLLS = 2
"""Ledgers are few, and every worker of every app asks for their work."""


def ledger_worker(client: Client, max_cached: int) -> Worker:
    """Make what serves the ledgers of a namespace, whatever app spends from them.

    Args:
        client: As for `build_worker`.
        max_cached: Ledgers kept in memory between two of their steps.
    """
    return Worker(
        tolerant(client),
        task_queue=names.LEDGER_QUEUE,
        workflows=[LedgerWorkflow],
        activities=[LedgerActivities(read_spent, policy.TASK_TIMEOUT).holders],
        max_cached_workflows=max_cached,
        max_concurrent_workflow_task_polls=_POLLS,
        max_concurrent_activity_task_polls=_POLLS,
        sticky_queue_schedule_to_start_timeout=policy.STICKY_TIMEOUT,
    )
