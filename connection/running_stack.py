"""How other processes on this machine find an embedded stack that is up.

By a small file in its state directory.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr, ValidationError, field_serializer

from ..contracts.contract import Contract
from .private_files import open_private

DEFAULT_STATE_DIR = Path(".sostenuto")
"""Where state is kept when nobody says otherwise."""

_FILE = "stack.json"


class RunningStack(Contract):
    """Where the parts of a stack are."""

    pid: int
    """The process that keeps it up."""
    address: str
    """`host:port` of its Temporal server."""
    ui_url: str | None = None
    """Address of its Temporal UI; None without one."""
    local_url: str | None = None
    """Address of its local model server; None without one."""
    redis_url: SecretStr | None = None
    """Address of its live channel, with the password; None without one."""
    vault_keys_file: Path | None = None
    """Where its clients and workers read the keys of the vault; None where they are told otherwise."""
    payload_dir: Path
    """Where its clients and workers keep large payloads."""

    @field_serializer("redis_url", when_used="json")
    def _with_password(self, url: SecretStr | None) -> str | None:
        # The file is its owner's alone.
        return url.get_secret_value() if url else None

    @classmethod
    def find(cls, state_dir: Path) -> RunningStack | None:
        """Find the stack that is up on this state directory, if any."""
        try:
            stack = cls.model_validate_json((state_dir / _FILE).read_bytes())
            os.kill(stack.pid, 0)
        except (OSError, ValidationError):
            # No file, or one that a stack left behind when it was killed.
            return None
        return stack

    @contextmanager
    def announce(self, state_dir: Path) -> Iterator[None]:
        """Let other processes find the stack while the block lasts."""
        file = state_dir / _FILE
        temporary = file.with_suffix(f".{self.pid}")
        with open_private(temporary) as written:
            written.write(self.model_dump_json().encode())
        temporary.replace(file)
        try:
            yield
        finally:
            file.unlink(missing_ok=True)


def is_state_dir_set(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether `SOSTENUTO_STATE_DIR` names a state directory."""
    return bool(environ.get("SOSTENUTO_STATE_DIR"))


def state_dir_setting(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the state directory that `SOSTENUTO_STATE_DIR` names, or the default."""
    return Path(environ.get("SOSTENUTO_STATE_DIR") or DEFAULT_STATE_DIR).expanduser()
