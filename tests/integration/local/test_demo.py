"""The demo on the real local models, with documents of its own: what it prints, and that it can be had again."""

from __future__ import annotations

import asyncio
import re
import signal
from pathlib import Path

import pytest

from sostenuto.workers.stack.weights import Weights
from tests.integration.stack.processes import of_directory
from tests.integration.stack.test_commands import output_until, sostenuto

pytestmark = pytest.mark.local_model

FACTS = ("The lamp is blue.", "The desk has four bolts.", "The chair folds.", "Parcels leave on Fridays at noon.")


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    for number, fact in enumerate(FACTS):
        (folder / f"page-{number}.md").write_text(f"# Page {number}\n\n{fact}\n")
    return folder


@pytest.fixture
def state_dir(tmp_path: Path, weights: Weights) -> Path:
    """A state directory of this test alone, that has the weights."""
    directory = tmp_path / "state"
    directory.mkdir(mode=0o700)
    (directory / "weights").symlink_to(weights.model.absolute().parent)
    return directory


@pytest.mark.timeout(300)
async def test_it_can_be_stopped_and_had_again(state_dir: Path, documents: Path) -> None:
    """The second one ends what the first left unfinished, and brings the same documents in once more."""
    app = str(Path(__file__).parents[3] / "examples" / "ask_docs.py") + ":app"
    asked = ("demo", "--app", app, "--docs", str(documents), "--question", "When do parcels leave?")
    async with sostenuto(state_dir, *asked) as process:
        await output_until(process, "SIGKILL")
        process.send_signal(signal.SIGINT)
        printed = (await process.communicate())[0].decode()
        assert process.returncode == 130, printed
        assert "Traceback" not in printed
        assert of_directory(state_dir.parent) == []

    async with sostenuto(state_dir, *asked) as process:
        async with asyncio.timeout(200):
            printed = (await process.communicate())[0].decode()
        assert process.returncode == 0, printed
        assert of_directory(state_dir.parent) == []
    assert len(re.findall(r"SIGKILL to worker [12] \(pid \d+\)", printed)) == 2
    assert "half way: 2 of 4 documents" in printed
    assert "docs: 4 of 4 documents" in printed
    assert re.search(r"^4 documents in 4 passages, [\d.]+ s, the kill included\.$", printed, re.MULTILINE)
    assert "Of the 2 that were done before the kill, scheduled again: 0\n" in printed
    # On a busy machine the next one may have begun when the kill comes.
    assert re.search(r"^Model calls repeated because of the kill: [01]$", printed, re.MULTILINE)
    assert len(re.findall(r"From the kill to the next step", printed)) == 2
    assert "\nParcels leave on Fridays at noon. [1]\n" in printed
    # A long path is broken into lines.
    text = " ".join(printed.split())
    assert "/documents/page-3.md · Page 3 “Parcels leave on Fridays at noon.” Found by closeness in meaning" in text
    assert len(re.findall(r"^http://127\.0\.0\.1:\d+/\S+/history$", printed, re.MULTILINE)) == 2
