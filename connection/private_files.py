"""Files and directories that only their owner may read.

Histories, payloads and logs hold what users said.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

DIRECTORY_MODE = 0o700
FILE_MODE = 0o600
UMASK = 0o077
"""For a child process whose files are as private."""


def private_directory(path: Path) -> None:
    """Make a directory, and those above it that are missing, for their owner alone.

    What is there already stays as it is: it may be shared with others on purpose.

    Raises:
        OSError: It cannot be made.
    """
    if not path.parent.exists():
        private_directory(path.parent)
    path.mkdir(mode=DIRECTORY_MODE, exist_ok=True)


def open_private(path: Path, *, append: bool = False) -> BinaryIO:
    """Open a file for writing that only its owner may read, an old one too.

    Args:
        path: Where it is.
        append: Whether what it holds stays.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | (os.O_APPEND if append else os.O_TRUNC), FILE_MODE)
    file = os.fdopen(handle, "ab" if append else "wb")
    if os.fstat(handle).st_mode & 0o077:
        path.chmod(FILE_MODE)
    return file
