"""Each test serves its own app with vault keys, every step replayed from the history."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import App
from sostenuto.activities.adapters.providers.scripted import Script, ScriptedAdapter
from sostenuto.activities.guardrails.vault.keys import VaultKeys
from sostenuto.activities.model_adapter import ModelAdapter
from tests.integration.agent.stage import Stage, served

Serve = Callable[..., AbstractAsyncContextManager[Stage]]


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> VaultKeys:
    """The keys of the worker and the client."""
    made = VaultKeys.made("test")
    monkeypatch.setenv("SOSTENUTO_VAULT_KEYS", made.text)
    return made


@pytest.fixture
def serve(temporal: TemporalClient, task_queue: str) -> Serve:
    """Serves an app while its block lasts. Options are those of `build_worker`."""

    @asynccontextmanager
    async def serving(app: App, script: Script | ModelAdapter, **options: Any) -> AsyncIterator[Stage]:
        adapter = ScriptedAdapter(script) if isinstance(script, Sequence | Mapping) else script
        async with served(temporal, task_queue, app, adapter, max_cached_runs=0, **options) as stage:
            yield stage

    return serving
