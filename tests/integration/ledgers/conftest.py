"""A worker per test, and what its ledgers say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Client, LedgerState
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
    return Client(temporal, redis_url="").ledgers.get


@pytest.fixture
def limit(temporal: TemporalClient, task_queue: str) -> SetLedger:
    """Gives a ledger its limits."""

    async def limiting(name: str, **limits: Any) -> LedgerState:
        return await Client(temporal, task_queue=task_queue, redis_url="").ledgers.set(name, by="anna", **limits)

    return limiting
