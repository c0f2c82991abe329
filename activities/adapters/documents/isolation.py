"""Reads a document in a process of its own.

One that crashes it, hangs it or wants all memory harms nothing else.
Native readers are fed with what strangers made. Must not know what is read.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from ....contracts.collection.document import Document
from ....contracts.errors import DocumentError, SetupError
from .kind import Kind

MAX_SECONDS: Final = 120
"""Longest that reading a document may take."""

MAX_MEMORY_BYTES: Final = 3 * 1024**3
"""Most address space of a process that reads. Where the system has no such bound, there is none."""

# What Python needs to start. No key is given to what strangers may take over.
_ENVIRONMENT: Final = (
    "PATH",
    "PYTHONPATH",
    "PYTHONHOME",
    "VIRTUAL_ENV",
    "LD_LIBRARY_PATH",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
)

# The package's own file loads every contract, which takes ten times as long as a page. An empty one takes its place.
_PROGRAM: Final = """\
import sys, types
package, path, module, *arguments = sys.argv[1:]
root = types.ModuleType(package)
root.__path__ = [path]
sys.modules[package] = root
__import__(module)
sys.modules[module].read_one(*arguments)
"""


def read_isolated(data: bytes, kind: Kind, *, seconds: float = MAX_SECONDS) -> Document:
    """Read a document in a process of its own, which costs about a tenth of a second.

    Raises:
        DocumentError: It cannot be read, or not within bounds.
        SetupError: The library that reads it is not installed.
    """
    package, *_ = (__package__ or "").split(".")
    root = Path(__file__).absolute().parents[3]
    module = f"{__package__}.isolated.entry"
    # -P: what lies in the working directory is not imported.
    command = [sys.executable, "-P", "-c", _PROGRAM, package, _path_of(package, root), module]
    try:
        done = subprocess.run(
            [*command, kind, str(MAX_MEMORY_BYTES), str(int(seconds) + 1)],
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DocumentError(
            f"it was not read within {seconds:g} s: it is too large, or is made to take long"
        ) from error
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        raise DocumentError(f"it crashed the reader of {kind.upper()} files (exit status {done.returncode})") from error
    if setup := answer.get("setup"):
        raise SetupError(setup)
    if reason := answer.get("reason"):
        raise DocumentError(reason)
    return Document(answer["text"], answer["form"], answer["title"], tuple(answer["pages"]))


def _path_of(package: str, root: Path) -> str:
    loaded = sys.modules.get(package)
    path: list[str] = list(getattr(loaded, "__path__", ()))
    return path[0] if path else str(root)
