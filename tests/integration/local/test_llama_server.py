import asyncio
import json
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from sostenuto.contracts.errors import SetupError
from sostenuto.workers.stack.llama_server import LlamaServer
from sostenuto.workers.stack.weights import Weights
from tests.patience import PATIENCE_SECONDS

HOST = "127.0.0.1"


def _answers(address: str) -> bool:
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


@pytest.mark.local_model
async def test_serves_until_stopped(weights: Weights) -> None:
    async with LlamaServer(weights.model) as server:
        address = server.address
        assert _answers(address)
    assert server.address == ""
    assert not _answers(address)
    assert await server.wait() == 0


@pytest.mark.local_model
async def test_wait_returns_when_the_child_dies(weights: Weights) -> None:
    async with LlamaServer(weights.model) as server:
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        assert await asyncio.wait_for(server.wait(), PATIENCE_SECONDS) == -signal.SIGKILL


@pytest.mark.local_model
async def test_ends_when_its_parent_is_killed(weights: Weights) -> None:
    """The parent is killed outright, so only the end of standard input can tell the child."""
    script = (
        "import asyncio, sys; from pathlib import Path\n"
        "from sostenuto.workers.stack.llama_server import LlamaServer\n"
        "async def main():\n"
        "    async with LlamaServer(Path(sys.argv[1])) as server:\n"
        "        print(server.address, flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(weights.model), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    address = (await parent.stdout.readline()).decode().strip()
    assert _answers(address)
    parent.kill()
    await parent.wait()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while _answers(address):  # noqa: ASYNC110 - the end of a foreign process sets no event
            await asyncio.sleep(0.02)


@pytest.mark.local_model
async def test_run_by_hand_it_prints_its_address_and_stops_on_sigterm(weights: Weights) -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sostenuto.workers.stack.llama_server", "--model", str(weights.model)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None
    assert _answers(json.loads(await child.stdout.readline())["address"])
    child.terminate()
    assert await asyncio.wait_for(child.wait(), PATIENCE_SECONDS) == 0


async def test_a_missing_file_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "none.gguf"
    with pytest.raises(SetupError, match=rf"there is no model file {missing}: run `sostenuto pull`"):
        await LlamaServer(missing).start()


async def test_another_kind_of_file_is_named(tmp_path: Path) -> None:
    other = tmp_path / "other.gguf"
    other.write_text("not a model")
    with pytest.raises(SetupError, match=rf"{other} is not a GGUF file"):
        await LlamaServer(other).start()


async def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(b"GGUF" + bytes(1000))
    with pytest.raises(SetupError, match=rf"cannot load {damaged}"):
        await LlamaServer(damaged).start()


async def test_a_taken_port_is_named(tmp_path: Path) -> None:
    model = tmp_path / "model.gguf"
    model.write_bytes(b"GGUF")
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SetupError, match=rf"port {port} on {HOST} cannot be taken .* choose another"):
            await LlamaServer(model, port=port).start()
