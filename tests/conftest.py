"""The server and the workers that integration tests share."""

from __future__ import annotations

import gc
import os
import signal
import uuid
from collections.abc import AsyncIterator, Generator, Iterator
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import _workflow

from sostenuto.workflows import policy
from tests.dev_server import dev_server
from tests.fakes.wire.unmeant import UNMEANT
from tests.patience import PATIENCE_SECONDS
from tests.side_by_side import SideBySide


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SideBySide:
    """Keep tests that share something in one row."""
    return SideBySide(config, log)


def pytest_configure() -> None:
    """Let the commands that tests start heed SIGINT, also where the tests themselves run in the background.

    And let the servers, which have memory enough, collect their garbage half as often.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.setdefault("GOGC", "200")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage among what is collected: all of it stays until the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.fixture(autouse=True, scope="session")
def _patient_tasks() -> Iterator[None]:
    """Let workflow tasks wait for the processor.

    The SDK takes two seconds without a turn for a deadlock, and throws an exception into whatever runs then.
    """
    worker = _workflow._WorkflowWorker  # the SDK has no setting for it
    make = worker.__init__

    def patient(self: Any, **given: Any) -> None:
        make(self, **given)
        assert self._deadlock_timeout_seconds == 2
        self._deadlock_timeout_seconds = PATIENCE_SECONDS

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker, "__init__", patient)
        yield


@pytest.fixture(autouse=True)
def _patient_heartbeats(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let calls that run in this process miss a few heartbeats: what notices the dead is tested with processes."""
    if {"integration", "chaos"} & set(request.path.parts):
        monkeypatch.setattr(policy, "HEARTBEAT_TIMEOUT", timedelta(seconds=15))


@pytest.fixture(autouse=True)
def _nothing_refused() -> Iterator[None]:
    """No request is sent that a real provider would refuse, unless the test says so."""
    UNMEANT.clear()
    yield
    assert UNMEANT == []


@pytest.fixture(autouse=True)
def _no_real_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test can reach a real provider, whatever the machine's environment holds."""
    for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _no_shared_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test finds or writes the weights of whoever runs it: those who need some name them."""
    monkeypatch.setenv("SOSTENUTO_WEIGHTS_DIR", "/dev/null/weights")


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
