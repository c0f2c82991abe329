"""`sostenuto demo` and `sostenuto dev` as a user sees them: what they print, how they end, and what they leave."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.integration.stack.processes import eventually, of_directory
from tests.patience import PATIENCE_SECONDS


@asynccontextmanager
async def sostenuto(state_dir: Path, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The command, with free ports and this state directory."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sostenuto", *arguments),
        *("--port", "0", "--ui-port", "0", "--state-dir", str(state_dir)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await eventually(lambda: of_directory(state_dir.parent) == [])


async def output_until(process: asyncio.subprocess.Process, text: str) -> str:
    """What it printed up to the line with that text."""
    assert process.stdout
    printed = ""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while text not in printed:
            line = await process.stdout.readline()
            assert line, f"ended without {text!r}: {printed}"
            printed += line.decode()
    return printed


async def test_the_demo_survives_its_kill_repeats_no_model_call_and_leaves_nothing(
    state_dir: Path, scripted_app: str
) -> None:
    async with sostenuto(state_dir, "demo", "--app", scripted_app, "--question", "What is the weather?") as process:
        printed = (await process.communicate())[0].decode()
        assert process.returncode == 0, printed
        assert of_directory(state_dir.parent) == []
    assert "\nIt rains, and it snows.\n" in printed
    killed = re.search(r"SIGKILL to worker ([12]) \(pid (\d+)\), right after step 1", printed)
    assert killed
    assert f"worker {killed[1]} (pid {killed[2]}) ended with status -9" in printed
    assert "documents" not in printed
    assert "Model calls repeated because of the kill: 0" in printed
    assert re.search(r"From the kill to the next step, in another worker: ([\d.]+) s", printed)
    assert re.search(r"http://127\.0\.0\.1:\d+/namespaces/default/workflows/scripted-\w+/[\w-]+/history\n", printed)
    steps = re.findall(r"^ +([1-5])  (\w+) .* ([12]) +$", printed, re.MULTILINE)
    assert [step for _, step, _ in steps] == ["model", "find", "model", "find", "model"]
    # The tool that follows may have begun when the worker is killed: it only reads.
    assert [attempts for number, _, attempts in steps if number != "2"] == ["1", "1", "1", "1"]


async def test_the_demo_takes_documents_for_an_app_that_has_a_collection_alone(
    state_dir: Path, scripted_app: str
) -> None:
    async with sostenuto(state_dir, "demo", "--app", scripted_app, "--docs", "docs") as process:
        printed = (await process.communicate())[0].decode()
        assert process.returncode == 2
    assert "--docs: the app has no collection to bring documents into" in printed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_dev_stops_everything_when_asked(state_dir: Path, scripted_app: str, number: signal.Signals) -> None:
    # A shell starts what it runs in the background with SIGINT ignored, which the command inherits.
    ignored = signal.signal(signal.SIGINT, signal.SIG_IGN)
    async with sostenuto(state_dir, "dev", scripted_app) as process:
        signal.signal(signal.SIGINT, ignored)
        shown = await output_until(process, "Ctrl-C")
        assert re.search(r"Temporal +127\.0\.0\.1:\d+", shown)
        assert re.search(r"UI +http://127\.0\.0\.1:\d+", shown)
        process.send_signal(number)
        assert await asyncio.wait_for(process.wait(), PATIENCE_SECONDS) == 0
        assert of_directory(state_dir.parent) == []


async def test_dev_without_the_local_model_needs_no_weights(tmp_path: Path) -> None:
    async with sostenuto(tmp_path / "state", "dev", "--no-model") as process:
        shown = await output_until(process, "Ctrl-C")
        assert re.search(r"Model +none here: by key alone", shown)
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), PATIENCE_SECONDS) == 0


async def test_dev_that_is_killed_leaves_nothing(state_dir: Path, scripted_app: str) -> None:
    async with sostenuto(state_dir, "dev", scripted_app) as process:
        await output_until(process, "Ctrl-C")
        assert len(of_directory(state_dir.parent)) >= 3
        process.kill()
        await eventually(lambda: of_directory(state_dir.parent) == [])


async def test_a_second_dev_on_one_directory_is_turned_away(state_dir: Path, scripted_app: str) -> None:
    async with sostenuto(state_dir, "dev", scripted_app) as first:
        await output_until(first, "Ctrl-C")
        async with sostenuto(state_dir, "dev") as second:
            # Its own clean-up would wait for the first one's processes.
            printed = (await second.communicate())[0].decode()
            assert second.returncode == 1
            first.send_signal(signal.SIGTERM)
            await first.wait()
    assert f"another stack (pid {first.pid}) runs on" in printed


async def test_dev_without_weights_and_keys_says_how_to_get_either(state_dir: Path) -> None:
    async with sostenuto(state_dir, "dev") as process:
        printed = (await process.communicate())[0].decode()
    assert process.returncode == 1
    assert re.search(r"^sostenuto: the weights file .* is missing: run `sostenuto pull --state-dir .*/state`", printed)


async def test_ctrl_c_while_starting_stops_what_was_started(state_dir: Path, scripted_app: str) -> None:
    async with sostenuto(state_dir, "dev", scripted_app) as process:
        await output_until(process, "Temporal is up")
        process.send_signal(signal.SIGINT)
        printed = (await process.communicate())[0].decode()
        assert process.returncode == 130
        assert of_directory(state_dir.parent) == []
    assert "Traceback" not in printed
