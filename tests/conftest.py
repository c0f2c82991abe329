"""The server and the workers that integration tests share."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from tests.dev_server import dev_server

LOCAL = Path(__file__).parent / "integration" / "local"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of the local model on one worker: one server for all, which is asked in one order."""
    for item in items:
        if item.path.is_relative_to(LOCAL):
            item.add_marker(pytest.mark.xdist_group("local"))


@pytest.fixture(autouse=True)
def _no_real_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test can reach a real provider, whatever the machine's environment holds."""
    for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
async def environment() -> AsyncIterator[WorkflowEnvironment]:
    """A real Temporal dev server for the whole session, as quick as the embedded stack's."""
    async with await dev_server(
        history__transferProcessorMaxPollRPS=2000,
        history__timerProcessorMaxPollRPS=2000,
        history__visibilityProcessorMaxPollRPS=2000,
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


@pytest.fixture(params=[0, 100], ids=["replayed", "cached"])
def cached_runs(request: pytest.FixtureRequest) -> int:
    """How many runs the worker keeps: with none, every workflow task replays the whole history."""
    return int(request.param)
