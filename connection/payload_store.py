"""Keeps large payloads in a directory, and only their hashes in the history.

Nothing here deletes them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    StorageDriver,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverStoreContext,
)

from ..contracts.errors import SetupError
from ..contracts.limits import HOW_TO_KEEP_OUTSIDE, HOW_TO_READ_OUTSIDE
from .content_files import ContentFiles

_NAME = "sostenuto-directory"
_HASH = "sha256"


class DirectoryStore(StorageDriver):
    """Payloads as files that are named by their SHA-256.

    The same payload is kept once, however often it is sent.

    Client, workers and replayer need the same directory: a volume that they share, or one machine's disk.

    Args:
        directory: Where the files are. Made at the first write.
    """

    def __init__(self, directory: Path) -> None:
        self._files = ContentFiles(directory)

    @property
    def directory(self) -> Path:
        """Where the files are."""
        return self._files.directory

    def name(self) -> str:
        """Return the durable name of this driver: it stands in the history."""
        return _NAME

    def type(self) -> str:
        """Return the durable type of this driver."""
        return _NAME

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

    def _store(self, payload: Payload) -> StorageDriverClaim:
        return StorageDriverClaim(claim_data={_HASH: self._files.put(payload.SerializeToString(deterministic=True))})

    def _retrieve(self, claim: StorageDriverClaim) -> Payload:
        digest = claim.claim_data[_HASH]
        try:
            return Payload.FromString(self._files.get(digest))
        except FileNotFoundError:
            where = self._files.directory
            raise SetupError(f"the payload {digest} is not in {where}: {HOW_TO_READ_OUTSIDE}") from None


class TolerantStore(StorageDriver):
    """Another store, of which a payload that is missing is a value that says so.

    A worker that raised where it reads a payload would be given the same workflow task again and again: so what is
    missing is told where the value is used, and ends what uses it.

    Args:
        store: The other one. None: there is none, and every payload that is kept outside is missing.
    """

    def __init__(self, store: StorageDriver | None) -> None:
        self._store = store

    def name(self) -> str:
        """Return the name of the other store."""
        return self._store.name() if self._store else _NAME

    def type(self) -> str:
        """Return the type of the other store."""
        return self._store.type() if self._store else _NAME

    async def store(self, context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        """Store payloads in the other one."""
        if self._store is None:
            raise SetupError(f"there is no directory for large payloads: {HOW_TO_KEEP_OUTSIDE}")
        return await self._store.store(context, payloads)

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        """Read each payload back, or say why it cannot be."""
        return list(await asyncio.gather(*(self._retrieve(context, claim) for claim in claims)))

    async def _retrieve(self, context: StorageDriverRetrieveContext, claim: StorageDriverClaim) -> Payload:
        if self._store is None:
            return missing(
                f"a payload is kept outside the history, and this worker does not know where: {HOW_TO_READ_OUTSIDE}"
            )
        try:
            return (await self._store.retrieve(context, [claim]))[0]
        # A disk or a network that fails for a while is not what makes a payload missing.
        except SetupError as error:
            return missing(str(error))


def missing(reason: str) -> Payload:
    """Return what stands for a payload that cannot be read."""
    return Payload(metadata={"encoding": MISSING}, data=reason.encode())


MISSING = b"sostenuto/missing"
"""Encoding of a payload that cannot be read: its data says why. It never stands in a history."""
