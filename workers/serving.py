"""Serves an app from this process.

Puts settings, adapters and worker together, and takes them apart again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from temporalio.client import Client
from temporalio.worker import Worker

from ..connection.converter import uploads_of
from ..connection.running_stack import RunningStack
from ..contracts.errors import SetupError
from ..contracts.specs.app import App
from ..contracts.specs.node import Node
from .embeddings import missing_for_collections
from .knowledge import knowledge_of
from .mcp import mcp_sessions
from .pricing import cost_usd
from .providers import build_adapters, build_embedder, missing_keys, unused_models
from .settings import Settings
from .worker import Services, build_worker


@asynccontextmanager
async def serving(
    app: App,
    client: Client,
    *,
    task_queue: str,
    needed: Node | None = None,
    on_warning: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[Worker]:
    """Run a worker for the app, and stop it gracefully at the end of the block.

    Args:
        app: What it serves.
        client: Connected by `connection.connect.connect`.
        task_queue: What it polls.
        needed: One of its runnables that is about to be run here.
        on_warning: Told of each model that cannot be called for want of a key or an address, and of settings of models
            whose provider is not there.

    Raises:
        SetupError: The settings are wrong, or something in `needed` has no model that can be called; names the place.
    """
    settings = _with_local_model(Settings.load())
    for runnable in app:
        for node in runnable.walk():
            problems = missing_keys(node, settings)
            choices = sum(len(model.choices) for model in node.models.values())
            if runnable is needed and problems and len(problems) == choices:
                raise SetupError("; ".join(problems))
            for problem in problems:
                on_warning(problem)
    for problem in missing_for_collections(tuple(app.collections.values()), settings):
        on_warning(problem)
    for problem in unused_models(settings):
        on_warning(problem)
    embedder = build_embedder(settings)
    adapters = build_adapters(settings, embedder)
    try:
        async with (
            mcp_sessions(app.mcp) as sessions,
            knowledge_of(app, settings, embedder, adapters, uploads_of(client)) as (knowledge, reading),
        ):
            services = Services(embedder=embedder, mcp=sessions, knowledge=knowledge, reading=reading)
            async with build_worker(
                client, app, adapters, cost_usd, task_queue=task_queue, services=services
            ) as worker:
                yield worker
    finally:
        for adapter in adapters.values():
            await adapter.close()


def _with_local_model(settings: Settings) -> Settings:
    """Return the settings with the local model of the stack that is up here.

    As they are, where they name one.
    """
    stack = RunningStack.find(settings.state_dir)
    if settings.local_url or stack is None:
        return settings
    return settings.model_copy(update={"local_url": stack.local_url})
