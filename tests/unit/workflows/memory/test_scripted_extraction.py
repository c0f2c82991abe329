"""The script that the page on memory shows is what the workflow takes from a model that extracts."""

from __future__ import annotations

import json
import re
from pathlib import Path

from sostenuto.contracts.memory.long_term import MemoryKind
from sostenuto.contracts.wire.memory.record import NewMemory
from sostenuto.workflows.memory.extraction import memories_of

PAGE = Path(__file__).parents[4] / "docs" / "memory.md"


def test_the_script_of_the_page() -> None:
    [script] = re.findall(r"^```json\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    [step] = json.loads(script)["e"]
    assert memories_of(step["output"], tuple(MemoryKind)) == (
        NewMemory(text="The user lives in Porto.", kind=MemoryKind.FACT, key="home", importance=0.8),
    )


def test_what_nobody_can_see_is_left_out() -> None:
    one = {"kind": "fact", "about": "", "importance": 0.5, "replaces": []}
    found = {"memories": [{"text": text, **one} for text in ("\x00", " ", "\u200b", "The user likes tea.")]}
    assert [memory.text for memory in memories_of(found, tuple(MemoryKind))] == ["The user likes tea."]
