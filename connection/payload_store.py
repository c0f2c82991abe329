"""Keeps large payloads in a directory, and only their hashes in the history.

Nothing here deletes them.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    StorageDriver,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverStoreContext,
)

from ..contracts.errors import SetupError
from ..contracts.limits import HOW_TO_READ_OUTSIDE

_HASH = "sha256"


class DirectoryStore(StorageDriver):
    """Payloads as files that are named by their SHA-256.

    The same payload is kept once, however often it is sent.

    Client, workers and replayer need the same directory: a volume that they share, or one machine's disk.

    Args:
        directory: Where the files are. Made at the first write.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def name(self) -> str:
        """Return the durable name of this driver: it stands in the history."""
        return "sostenuto-directory"

    def type(self) -> str:
        """Return the durable type of this driver."""
        return "sostenuto-directory"

    async def store(
        self,
        context: StorageDriverStoreContext,  # noqa: ARG002 - a file is the same whoever wrote it
        payloads: Sequence[Payload],
    ) -> list[StorageDriverClaim]:
        """Write each payload unless it is there, and return its hash."""
        return list(await asyncio.gather(*(asyncio.to_thread(self._store, payload) for payload in payloads)))

    async def retrieve(
        self,
        context: StorageDriverRetrieveContext,  # noqa: ARG002 - as above
        claims: Sequence[StorageDriverClaim],
    ) -> list[Payload]:
        """Read each payload back.

        Raises:
            SetupError: A file is missing or its content is not what was written.
        """
        return list(await asyncio.gather(*(asyncio.to_thread(self._retrieve, claim) for claim in claims)))

    def _path(self, digest: str) -> Path:
        return self._directory / digest[:2] / digest

    def _store(self, payload: Payload) -> StorageDriverClaim:
        content = payload.SerializeToString(deterministic=True)
        digest = sha256(content).hexdigest()
        path = self._path(digest)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_atomically(path, content)
        return StorageDriverClaim(claim_data={_HASH: digest})

    def _retrieve(self, claim: StorageDriverClaim) -> Payload:
        digest = claim.claim_data[_HASH]
        path = self._path(digest)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise SetupError(f"the payload {digest} is not in {self._directory}: {HOW_TO_READ_OUTSIDE}") from None
        if sha256(content).hexdigest() != digest:
            raise SetupError(f"the payload file {path} is damaged: its content does not have the hash in its name")
        return Payload.FromString(content)


def _write_atomically(path: Path, content: bytes) -> None:
    # A half-written file under its final name would be taken for the whole payload for ever.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
