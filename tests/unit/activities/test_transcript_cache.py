"""The worker's memory of transcripts: bounded, never stale, and never needed."""

from __future__ import annotations

from sostenuto import ImagePart, Message, Model
from sostenuto.activities.transcript_cache import Prefix, TranscriptCache
from sostenuto.contracts.head import Head
from sostenuto.contracts.message import ToolResultPart
from sostenuto.contracts.prompt_hash import chain_link, chain_start

HEAD = Head(agent="a", model=Model("a/b"))


def prefix(*texts: str) -> Prefix:
    """A transcript of user messages."""
    return Prefix.start(HEAD).extended(tuple(Message.user(text) for text in texts))


def result(call_id: str, size: int, **fields: object) -> ToolResultPart:
    """A tool's result of that size."""
    return ToolResultPart.model_validate({"call_id": call_id, "name": "t", "content": "x" * size, **fields})


def test_a_prefix_knows_its_chain_and_size() -> None:
    chain, size = chain_start(HEAD)
    for text in ("one", "two"):
        chain, added = chain_link(chain, Message.user(text))
        size += added
    assert (prefix("one", "two").chain, prefix("one", "two").size) == (chain, size)
    assert prefix("one").extended((Message.user("two"),)) == prefix("one", "two")


def test_a_longer_transcript_takes_the_place_of_the_shorter() -> None:
    cache = TranscriptCache()
    cache.put_prefix("r1", prefix("one"), replaces="")
    cache.put_prefix("r2", prefix("one", "two"), replaces="r1")
    assert cache.prefix("r1") is None
    assert cache.prefix("r2") == prefix("one", "two")


def test_what_was_not_put_is_not_there() -> None:
    cache = TranscriptCache()
    assert cache.prefix("r1") is None
    assert cache.prefix("") is None
    assert cache.part("run", "call") is None


def test_results_of_other_runs_are_others() -> None:
    cache = TranscriptCache()
    cache.put_result("run-1", result("call_1_0", 1))
    assert cache.part("run-1", "call_1_0") == result("call_1_0", 1)
    assert cache.part("run-2", "call_1_0") is None


def test_the_least_recently_used_go_first() -> None:
    cache = TranscriptCache(max_bytes=4000)
    for name in "abc":
        cache.put_result("run", result(name, 1000))
    assert cache.part("run", "a") is not None
    cache.put_result("run", result("d", 1000))
    assert [name for name in "abcd" if cache.part("run", name)] == ["a", "c", "d"]


def test_attachments_count() -> None:
    cache = TranscriptCache(max_bytes=4000)
    picture = ImagePart(media_type="image/png", data="A" * 3000)
    cache.put_result("run", result("a", 1000))
    cache.put_result("run", result("b", 1, attachments=(picture,)))
    assert cache.part("run", "a") is None
    assert cache.part("run", "b") is not None


def test_what_is_too_large_drives_nothing_out() -> None:
    cache = TranscriptCache(max_bytes=4000)
    cache.put_result("run", result("a", 1000))
    cache.put_prefix("r1", prefix("x" * 5000), replaces="")
    assert cache.prefix("r1") is None
    assert cache.part("run", "a") is not None


def test_no_bytes_keep_nothing() -> None:
    cache = TranscriptCache(max_bytes=0)
    cache.put_prefix("r1", prefix("one"), replaces="")
    assert cache.prefix("r1") is None
