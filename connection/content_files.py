"""Files under the hash of their content.

What is kept once is kept for good: nothing here deletes them.
"""

from __future__ import annotations

import os
import tempfile
from hashlib import sha256
from pathlib import Path

from ..contracts.errors import SetupError
from .private_files import private_directory


class ContentFiles:
    """Contents as files that are named by their SHA-256.

    The same content is kept once, however often it is written.

    Args:
        directory: Where the files are. Made at the first write.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def put(self, content: bytes) -> str:
        """Write a content unless it is there, and return its hash. Blocks."""
        digest = sha256(content).hexdigest()
        path = self._path(digest)
        if not path.exists():
            private_directory(path.parent)
            write_atomically(path, content)
        return digest

    def get(self, digest: str) -> bytes:
        """Return the content of a hash. Blocks.

        Raises:
            FileNotFoundError: It is not there.
            SetupError: The file's content is not what was written.
        """
        path = self._path(digest)
        content = path.read_bytes()
        if sha256(content).hexdigest() != digest:
            raise SetupError(f"the file {path} is damaged: its content does not have the hash in its name")
        return content

    def _path(self, digest: str) -> Path:
        return self.directory / digest[:2] / digest


def write_atomically(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file in one go. Blocks.

    Whoever reads it meanwhile sees what was there before.
    """
    # A half-written file under its final name would be taken for the whole content for ever.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
