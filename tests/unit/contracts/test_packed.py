"""What an input repeats is packed: shorter, readable again, and never a trap for who reads it."""

from __future__ import annotations

import bz2
import tracemalloc
from base64 import b64encode
from random import Random
from typing import Any

import pytest
from pydantic_core import to_json

from sostenuto import Agent, Message
from sostenuto.contracts import packed
from sostenuto.contracts.limits import MAX_UNPACKED_BYTES, RAW, written_bytes
from sostenuto.contracts.packed import pack, unpack
from sostenuto.contracts.wire.run import Carried, RunInput
from sostenuto.contracts.wire.totals import Totals

LONG = {"text": "The sea is wide. " * 1_000, "odd": ["\u2028", "\x00", 1e300, None]}
AGENT = Agent(name="wordy", model="scripted/m", instructions="Say no word too many. " * 500)
ASKED = Message.user("Go. " * 2_000)


def _packed(content: bytes) -> str:
    return "bz2:" + b64encode(bz2.compress(content)).decode()


def test_reads_back_what_it_packs() -> None:
    text = pack(LONG)
    assert isinstance(text, str)
    assert len(text) < len(LONG["text"]) / 3
    assert unpack(text) == LONG


@pytest.mark.parametrize("value", [{"text": "short"}, [], None, "bz", {"bz2:": 1}])
def test_leaves_what_is_short_as_it_is(value: Any) -> None:
    assert pack(value) == value
    assert unpack(value) == value


def test_leaves_what_could_not_be_read_again_or_gets_no_shorter() -> None:
    deep: Any = "x" * 5_000
    for _ in range(201):
        deep = [deep]
    assert pack(deep) is deep
    noise = b64encode(Random(1).randbytes(6_000)).decode()
    assert pack(noise) == noise


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("bz2:%%%", "is damaged"),
        ("bz2:" + b64encode(b"not compressed").decode(), "is damaged"),
        (_packed(b"[" + b"1," * 5_000 + b"1]")[:-20], "is damaged|is cut short"),
        (_packed(b"[1"), "EOF"),
    ],
)
def test_says_what_is_wrong_with_a_text(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        unpack(text)


def test_a_bomb_takes_no_more_than_its_bound() -> None:
    bomb = _packed(b" " * (8 * MAX_UNPACKED_BYTES))
    assert len(bomb) < 2_000
    tracemalloc.start()
    with pytest.raises(ValueError, match="holds more than 2,000,000 bytes"):
        unpack(bomb)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 4 * MAX_UNPACKED_BYTES


def test_a_python_without_the_library_writes_it_whole_and_says_why_it_reads_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = pack(LONG)
    monkeypatch.setattr(packed, "_CAN_PACK", False)
    assert pack(LONG) == LONG
    with pytest.raises(ValueError, match="built without bz2"):
        unpack(text)


@pytest.mark.parametrize(
    "written",
    [
        RunInput(runnable=AGENT, message=Message.user("Go.")).with_packed(pack(AGENT.model_dump(mode="json"))),
        Carried(messages=(ASKED,), after="r1", turns=1, totals=Totals()),
    ],
)
def test_what_the_history_has_already_is_packed(written: RunInput | Carried) -> None:
    text = written.model_dump_json()
    assert "bz2:" in text
    assert len(text) < 2_000
    assert type(written).model_validate_json(text).model_dump() == written.model_dump()
    raw = to_json(written, context=RAW)
    assert type(written).model_validate_json(raw).model_dump() == written.model_dump()  # as 0.2.0 wrote it
    assert written_bytes(written) == len(raw) > 8_000


def test_what_a_client_starts_is_there_to_read() -> None:
    assert "Say no word too many." in RunInput(runnable=AGENT, message=ASKED).model_dump_json()
