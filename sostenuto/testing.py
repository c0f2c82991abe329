"""What tests of your own need: a server, a model that follows a script, and what runs and replays.

Importing this loads the Temporal SDK and the worker, so a program that only starts runs should not. With pytest,
`pytest_plugins = ["sostenuto.testing"]` in a `conftest.py` adds the fixture `sostenuto_server`.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, cast
from uuid import uuid4

from temporalio.testing import WorkflowEnvironment

from .activities.adapters.providers.scripted import Script, ScriptedAdapter
from .activities.model_adapter import ModelAdapter
from .activities.prices.price import PriceList
from .clients.client import Client
from .clients.code_first import CodeFirstWorkflow
from .clients.start_request import Startable
from .connection.converter import data_converter
from .contracts.contract import brief
from .contracts.errors import SpecError
from .contracts.names import SEARCH_ATTRIBUTES
from .contracts.specs.app import App
from .contracts.specs.node import Node
from .contracts.wire.run import Result
from .workers.failure_lines import tell_failures
from .workers.mcp import mcp_sessions
from .workers.served.activities import Services
from .workers.settings import BUILT_IN
from .workers.stack.temporal_server import find_program
from .workers.worker import build_worker, replayer

__all__ = [
    "SEARCH_ATTRIBUTES",
    "Script",
    "ScriptedAdapter",
    "build_worker",
    "data_converter",
    "find_program",
    "replayer",
    "run_scripted",
    "serve_scripted",
    "temporal_server",
]

_STARTUP: Final = timedelta(minutes=2)
_LONGEST_RUN: Final = timedelta(minutes=2)


@asynccontextmanager
async def temporal_server() -> AsyncIterator[str]:
    """Start a real Temporal server in memory, and yield its address.

    It listens on loopback, takes a third of a second to start, and is gone after the block.

    Raises:
        SetupError: The program is not installed; says how to get it.
        RuntimeError: The server does not start.
    """
    environment = await WorkflowEnvironment.start_local(
        dev_server_existing_path=find_program(),
        data_converter=data_converter(),
        dev_server_startup_timeout=_STARTUP,
        dev_server_extra_args=[f"--search-attribute={name}={kind}" for name, kind in SEARCH_ATTRIBUTES.items()],
    )
    async with environment:
        yield environment.client.service_client.config.target_host


async def run_scripted(
    app: App,
    runnable: Startable | str,
    input: Any,
    script: Script | ModelAdapter,
    *,
    address: str,
    tenant: str | None = None,
    context: Any = None,
    price: PriceList = lambda *_: 0.0,
    timeout: timedelta | float = _LONGEST_RUN,  # noqa: ASYNC109 - says what holds the run up
) -> Result:
    """Run something of an app to its end, with a script in place of every model.

    All else is real: the server, the workflows, the tools, the app's MCP servers. The app's collections are not there.
    What has to be told something on its way, such as a signal, is run by `serve_scripted`.

    Args:
        app: The app. Its models stay as they are: whatever their provider, the script answers.
        runnable: What to run, or its name in the app; or a code-first workflow of the app, or its name.
        input: What it is asked, as for `Client.start`.
        script: What the models answer, see `ScriptedAdapter`: one list for all, or one for each model by its name
            without the provider.
        address: Of the Temporal server, as `temporal_server` or the fixture `sostenuto_server` has it.
        tenant: Whom the run is for.
        context: The run's own values, as for `Client.start`.
        price: Cost of a model call. Default: nothing.
        timeout: Longest to wait, in seconds where it is a number. Default: two minutes.

    Returns:
        What it came to, however it ended, with the transcript in `messages`.

    Raises:
        SpecError: The app has nothing of that name, the input is none, or the script no list of steps.
        SetupError: There is no server at that address.
        TimeoutError: It has not ended by then; the message says what holds it up.
    """
    wanted = _wanted(app, runnable) if isinstance(runnable, str) else runnable
    further = wanted.walk() if isinstance(wanted, Node) else ()
    async with _served(app, script, address, price, further) as client:
        run: Any = await client.start(wanted, input, tenant=tenant, context=context)
        try:
            result: Result = await run.result(timeout=timeout)
        except (TimeoutError, asyncio.CancelledError):
            # A test that waits no longer leaves nothing at work on a server that others share.
            await run.cancel()
            raise
        return result


@asynccontextmanager
async def serve_scripted(
    app: App, script: Script | ModelAdapter, *, address: str, price: PriceList = lambda *_: 0.0
) -> AsyncIterator[Client]:
    """Serve an app while the block lasts, with a script in place of every model; yield a client of it.

    Args:
        app: As for `run_scripted`.
        script: The same.
        address: The same.
        price: The same.

    Raises:
        SpecError: The script is no list of steps.
        SetupError: There is no server at that address.
    """
    async with _served(app, script, address, price, ()) as client:
        yield client


@asynccontextmanager
async def _served(
    app: App, script: Script | ModelAdapter, address: str, price: PriceList, further: Iterable[Node]
) -> AsyncIterator[Client]:
    has_steps = isinstance(script, Sequence | Mapping | Path) and not isinstance(script, str)
    if not (has_steps or hasattr(script, "complete")):
        raise SpecError(f"script: {brief(script)} is not a list of steps: write ['the first answer', …]")
    adapter: Any = ScriptedAdapter(cast("Script", script)) if has_steps else script
    nodes = [*app.walk(), *further]
    named = {choice.provider for node in nodes for model in node.models.values() for choice in model.choices}
    queue = f"test-{uuid4().hex[:10]}"
    tell_failures()
    client = await Client.connect(address, task_queue=queue, redis_url="")
    async with mcp_sessions(app.mcp) as sessions:
        worker = build_worker(
            client.temporal,
            app,
            dict.fromkeys((*BUILT_IN, *named), adapter),
            price,
            task_queue=queue,
            services=Services(mcp=sessions),
        )
        async with worker:
            yield client


def _wanted(app: App, name: str) -> Startable:
    own = {CodeFirstWorkflow.of(one).name: one for one in app.workflows}
    return own[name] if name in own else app.runnable(name)


if "pytest" in sys.modules:
    # Whoever tests without it does not load it.
    import pytest

    @pytest.fixture(scope="session")
    def sostenuto_server() -> Iterator[str]:
        """Address of a Temporal server that all tests of the session share."""
        # On a loop of its own: each test may have another one.
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="sostenuto_server", daemon=True)
        thread.start()
        server = temporal_server()
        try:
            yield asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result()
            asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result()
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()
