"""A worker per test, and what its ledgers say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.client import Client as TemporalClient
from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from sostenuto.contracts import names
from sostenuto.contracts.wire.control.ledger import LedgerInput, LedgerQuery, LedgerSet, LedgerState
from tests.integration.agent.conftest import play, serve

__all__ = ["play", "serve"]

ReadLedger = Callable[[str], Awaitable[LedgerState]]
SetLedger = Callable[..., Awaitable[LedgerState]]


@pytest.fixture
def ledger_name(task_queue: str) -> str:
    """Name of a ledger that no other test uses."""
    return f"team:{task_queue}"


@pytest.fixture
def read(temporal: TemporalClient) -> ReadLedger:
    """Returns what a ledger says."""

    async def reading(name: str) -> LedgerState:
        handle = temporal.get_workflow_handle(names.LEDGER_ID + name)
        query = LedgerQuery(at=datetime.now(UTC))
        state: LedgerState = await handle.query(names.LEDGER_QUERY, query, result_type=LedgerState)
        return state

    return reading


@pytest.fixture
def limit(temporal: TemporalClient, task_queue: str) -> SetLedger:
    """Gives a ledger its limits."""

    async def limiting(name: str, **limits: float) -> LedgerState:
        start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            names.LEDGER_WORKFLOW,
            LedgerInput(name=name),
            id=names.LEDGER_ID + name,
            task_queue=task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        state: LedgerState = await temporal.execute_update_with_start_workflow(
            names.LEDGER_SET_UPDATE,
            LedgerSet.model_validate({"by": "anna", **limits}),
            start_workflow_operation=start,
            result_type=LedgerState,
        )
        return state

    return limiting
