"""Serves an app from this process.

Puts settings, adapters and worker together, and takes them apart again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager

from temporalio.client import Client
from temporalio.runtime import MetricBuffer
from temporalio.worker import Interceptor, Worker

from ..activities.call.live import Live, LiveChannelDown
from ..activities.score import ScoreTaker
from ..activities.transcript_cache import TranscriptCache
from ..connection.converter import uploads_of
from ..connection.live_channel import RedisChannel
from ..connection.running_stack import RunningStack
from ..contracts.errors import SetupError
from ..contracts.specs.app import App
from ..contracts.specs.node import Node
from .embeddings import missing_for_collections
from .knowledge import knowledge_of
from .mcp import mcp_sessions
from .named_models import named_models, named_runnables
from .pricing import cost_usd
from .providers import build_adapters, build_embedder, missing_keys, problem_of, unused_models
from .served.activities import Services
from .settings import BUILT_IN, Settings
from .worker import build_worker


@asynccontextmanager
async def serving(
    app: App,
    client: Client,
    *,
    task_queue: str,
    needed: Node | None = None,
    on_warning: Callable[[str], None] = lambda _: None,
    buffer: MetricBuffer | None = None,
) -> AsyncIterator[Worker]:
    """Run a worker for the app, and stop it gracefully at the end of the block.

    Args:
        app: What it serves.
        client: Connected by `connection.connect.connect`.
        task_queue: What it polls.
        needed: One of its runnables that is about to be run here.
        on_warning: Told of each model that cannot be called for want of a key or an address, and of settings of models
            whose provider is not there.
        buffer: What the Temporal SDK of this process counts, to be published with the worker's metrics.

    Raises:
        SetupError: The settings are wrong, or something in `needed` has no model that can be called; names the place.
    """
    settings = _with_stack(Settings.load())
    _check(app, settings, needed, on_warning)
    embedder = build_embedder(settings)
    adapters = build_adapters(settings, embedder)
    cache = TranscriptCache()
    try:
        async with (
            mcp_sessions(app.mcp) as sessions,
            knowledge_of(app, settings, embedder, adapters, uploads_of(client)) as (knowledge, reading),
            _live(settings, on_warning) as live,
            _telemetry(settings, client, task_queue, live, cache, buffer) as interceptors,
            _scores(settings) as scores,
        ):
            services = Services(embedder, sessions, knowledge, reading, live, cache, scores)
            async with build_worker(
                client,
                app,
                adapters,
                cost_usd,
                task_queue=task_queue,
                services=services,
                interceptors=interceptors,
            ) as worker:
                yield worker
    finally:
        for adapter in adapters.values():
            await adapter.close()


def _check(app: App, settings: Settings, needed: Node | None, on_warning: Callable[[str], None]) -> None:
    for runnable in app:
        for node in runnable.walk():
            problems = missing_keys(node, settings)
            choices = sum(len(model.choices) for model in node.models.values())
            if runnable is needed and problems and len(problems) == choices:
                raise SetupError("; ".join(problems))
            for problem in problems:
                on_warning(problem)
    for workflow in app.workflows:
        for problem in _missing_in(workflow, app, settings):
            on_warning(problem)
    for problem in missing_for_collections(tuple(app.collections.values()), settings):
        on_warning(problem)
    for problem in unused_models(settings):
        on_warning(problem)


def _missing_in(workflow: type, app: App, settings: Settings) -> Iterator[str]:
    """Yield what the models lack that a workflow of one's own names."""
    label = f"workflow {workflow.__name__!r}"
    served = {id(node) for node in app.walk()}
    nodes = [node for runnable in named_runnables(workflow) for node in runnable.walk() if id(node) not in served]
    problems = [problem for node in nodes for problem in missing_keys(node, settings)]
    for model in named_models(workflow, (*BUILT_IN, *settings.providers)):
        lacks = ((choice.name, problem_of(choice, settings)) for choice in model.choices)
        problems += [f"{name}: {problem}" for name, problem in lacks if problem]
    yield from (f"{label}: {problem}" for problem in dict.fromkeys(problems))


@asynccontextmanager
async def _live(settings: Settings, on_warning: Callable[[str], None]) -> AsyncIterator[Live]:
    """Yield what tells those who watch what calls say."""
    if settings.redis_url is None:
        yield Live()
        return
    channel = RedisChannel(settings.redis_url.get_secret_value())
    is_down = False
    try:
        await channel.check()
    except LiveChannelDown as error:
        is_down = True
        on_warning(f"{error}: runs go on, and nobody sees tokens until it does")
    live = Live(channel, is_down=is_down)
    try:
        yield live
    finally:
        await live.close()
        await channel.aclose()


@asynccontextmanager
async def _telemetry(
    settings: Settings,
    client: Client,
    task_queue: str,
    live: Live,
    cache: TranscriptCache,
    buffer: MetricBuffer | None,
) -> AsyncIterator[Sequence[Interceptor]]:
    """Yield what a worker that is watched has besides; see `telemetry.telemetry`."""
    if not settings.telemetry and settings.metrics is None:
        yield ()
        return
    # Its packages are an extra, and take a third of a second to import.
    try:
        from .telemetry.telemetry import telemetry_of  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("sostenuto"):
            raise
        raise SetupError(
            f"SOSTENUTO_TELEMETRY or SOSTENUTO_METRICS is set, and the package {error.name} is not installed: "
            "pip install 'sostenuto[telemetry]'"
        ) from error
    async with telemetry_of(
        settings, client, task_queue=task_queue, live=live, cache=cache, buffer=buffer
    ) as interceptors:
        yield interceptors


@asynccontextmanager
async def _scores(settings: Settings) -> AsyncIterator[Mapping[str, ScoreTaker]]:
    """Yield what takes scores; see `telemetry.sending.score_takers`.

    That its packages are there was seen by `_telemetry`.
    """
    if not settings.telemetry:
        yield {}
        return
    from .telemetry.sending.score_takers import score_takers  # noqa: PLC0415

    async with score_takers(settings) as takers:
        yield takers


def _with_stack(settings: Settings) -> Settings:
    """Return the settings with what the stack that is up here has.

    As they are, where they name it.
    """
    stack = RunningStack.find(settings.state_dir)
    if stack is None:
        return settings
    return settings.model_copy(
        update={
            "local_url": settings.local_url or stack.local_url,
            "redis_url": settings.redis_url or stack.redis_url,
        }
    )
