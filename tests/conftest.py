"""The server and the workers that integration tests share."""

from __future__ import annotations

import shutil
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.testing import WorkflowEnvironment

from sostenuto.contracts import names
from sostenuto.workflows.converter import data_converter

SEARCH_ATTRIBUTES = (
    SearchAttributeKey.for_keyword(names.SEARCH_RUNNABLE),
    SearchAttributeKey.for_keyword(names.SEARCH_STATUS),
    SearchAttributeKey.for_keyword(names.SEARCH_TENANT),
    SearchAttributeKey.for_keyword(names.SEARCH_AWAITING),
    SearchAttributeKey.for_float(names.SEARCH_COST_USD),
    SearchAttributeKey.for_int(names.SEARCH_TOKENS),
)


@pytest.fixture(autouse=True)
def _no_real_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test can reach a real provider, whatever the machine's environment holds."""
    for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE"):
        monkeypatch.delenv(name, raising=False)


def temporal_binary() -> str:
    """The Temporal CLI that the package index ships."""
    beside = Path(sys.executable).with_name("temporal")
    return str(beside) if beside.exists() else shutil.which("temporal") or "temporal"


@pytest.fixture(scope="session")
async def environment() -> AsyncIterator[WorkflowEnvironment]:
    """A real Temporal dev server for the whole session."""
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=temporal_binary(),
        data_converter=data_converter(),
        search_attributes=SEARCH_ATTRIBUTES,
        dev_server_extra_args=[
            "--dynamic-config-value",
            "history.transferProcessorMaxPollRPS=2000",
            "--dynamic-config-value",
            "history.timerProcessorMaxPollRPS=2000",
            "--dynamic-config-value",
            "history.visibilityProcessorMaxPollRPS=2000",
        ],
    ) as env:
        yield env


@pytest.fixture
def temporal(environment: WorkflowEnvironment) -> Client:
    """A plain Temporal client with our data converter."""
    return environment.client


@pytest.fixture
def task_queue() -> str:
    """A task queue that no other test uses."""
    return f"test-{uuid.uuid4().hex[:12]}"
