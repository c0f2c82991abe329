"""Tokens of each message add up to what providers told, and are never fewer than there are."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from sostenuto import FilePart, ImagePart, Message, Model, Usage
from sostenuto.contracts.head import Head
from sostenuto.contracts.limits import written_bytes
from sostenuto.contracts.wire.memory.compaction import Compaction
from sostenuto.workflows.memory.token_count import TokenCount, weight
from tests.fakes.conversations import Conversation, step_of

HEAD = Head(agent="a", instructions="Be kind. " * 20, model=Model("a/b"))
SEEDS = range(200)
AROUND = 20
"""Most tokens that stand around an answer, which nobody tells of it."""


class Provider:
    """Counts the tokens of what stands before the messages and of each of them, one by one."""

    def __init__(self, density: float) -> None:
        self._density = density

    def of(self, message: Message) -> int:
        return round(weight(message) * self._density)

    def usage(self, sent: Sequence[Message], reply: Message) -> Usage:
        return Usage(input_tokens=self.real(sent), output_tokens=self.of(reply))

    def real(self, messages: Sequence[Message]) -> int:
        return round(written_bytes(HEAD) * self._density) + sum(map(self.of, messages))


def summed(count: TokenCount) -> float:
    return count.head + sum(count.messages)


@pytest.mark.parametrize("seed", SEEDS)
def test_any_conversation(seed: int) -> None:
    """A provider that counts a byte as much as any other: what is known of each message is then what it has."""
    made = Conversation(seed)
    provider = Provider(made.chance.uniform(0.15, 0.6))
    count = TokenCount(is_detailed=True)
    known: list[Message] = []
    ever = 0
    for _ in range(12):
        new = [*made.results(known[-1])] if known and known[-1].tool_calls else [made.asked()]
        reply = made.replied()
        usage = provider.usage([*known, *new], reply)
        count.replied("a/b", usage, HEAD, [*known, *new])
        known = [*known, *new, reply]
        ever += len(new) + 1
        assert count.total == usage.total_tokens
        assert summed(count) == pytest.approx(usage.total_tokens, abs=AROUND)
        assert len(count.messages) == len(known)
        assert all(tokens >= 0 for tokens in count.messages)
        count = TokenCount(count.counted, is_detailed=True) if made.chance.random() < 0.3 else count
        if made.chance.random() < 0.5 and (step := step_of(made, known, made.chance.randrange(len(known)))):
            known = step.apply(known)
            told = max(len(step.told.encode()), provider.of(Message.user(step.told)))
            count.compacted(step, known, told)
            # Each that was carried was rounded up once, whether it has left since or not.
            assert summed(count) >= provider.real(known) - ever - 3 * AROUND
            assert count.total >= provider.real(known) - ever - 3 * AROUND


@pytest.mark.parametrize("seed", range(50))
def test_the_sums_are_those_of_the_provider_whatever_it_counts(seed: int) -> None:
    """Also one that counts no two messages alike, and after another one has counted."""
    chance = random.Random(seed)
    made = Conversation(seed)
    count = TokenCount(is_detailed=True)
    sent: list[Message] = []
    told = 0
    for _ in range(10):
        sent.append(made.asked())
        # A token has at least a byte.
        most = written_bytes(HEAD) + sum(map(written_bytes, sent))
        told = min(chance.randint(1, 4_000) if chance.random() < 0.3 else told + chance.randint(20, 900), most)
        reply = made.replied(calls=0)
        usage = Usage(input_tokens=told, output_tokens=chance.randint(1, 300))
        count.replied(chance.choice(("a/b", "c/d")), usage, HEAD, sent)
        told += usage.output_tokens
        sent.append(reply)
        assert count.total == usage.total_tokens
        assert summed(count) <= usage.total_tokens + AROUND


def test_nobody_has_told_yet() -> None:
    count = TokenCount()
    head, messages = count.known(HEAD, [Message.user("x" * 4_000)])
    assert head == written_bytes(HEAD) / 4
    assert messages == [pytest.approx(1_000, abs=20)]
    assert count.total == 0
    assert count.of_new([Message.user("x" * 4_000)]) > messages[0], "what is new is told with a margin"


def test_a_provider_that_tells_nothing_is_taken_at_its_bytes() -> None:
    count = TokenCount()
    sent = [Message.user("x" * 4_000)]
    count.replied("a/b", Usage(input_tokens=1_000, output_tokens=10), HEAD, sent)
    count.replied("a/b", Usage(), HEAD, sent)
    assert (count.total, count.messages) == (0, [])
    assert count.known(HEAD, sent)[1] == [pytest.approx(1_000, abs=20)]


def test_dense_text_is_taken_for_as_dense_again() -> None:
    count = TokenCount()
    first = Message.user("x" * 200)
    count.replied("a/b", Usage(input_tokens=200, output_tokens=1), HEAD, [first])
    reply, dense = Message.user("so"), Message.user("語" * 2_000)
    count.replied("a/b", Usage(input_tokens=200 + 1 + 4_000, output_tokens=1), HEAD, [first, reply, dense])
    assert count.of_new([dense]) >= 4_000


@pytest.mark.parametrize("length", [1_000, 1_000_000])
def test_what_is_no_text_has_few_tokens_however_many_bytes_it_has(length: int) -> None:
    picture = ImagePart(media_type="image/png", data="A" * length)
    assert 6_400 <= weight(Message.user(picture)) <= 6_600
    document = FilePart(media_type="application/pdf", data="A" * length)
    assert weight(Message.user(document)) == pytest.approx(min(length * 3 / 4, 120_000), abs=200)


def test_what_is_carried_is_rounded_up() -> None:
    count = TokenCount(is_detailed=True)
    sent = [Message.user("a"), Message.user("b"), Message.user("c")]
    count.replied("a/b", Usage(input_tokens=100, output_tokens=1), HEAD, sent)
    carried = count.counted
    assert sum(carried.messages) + carried.head >= count.total
    assert TokenCount(is_detailed=False).counted.messages == ()
    resumed = TokenCount(carried, is_detailed=True)
    assert (resumed.total, resumed.model, len(resumed.messages)) == (101, "a/b", 4)


def test_a_step_takes_away_what_left() -> None:
    count = TokenCount(is_detailed=True)
    sent = [Message.user("x" * 2_000), Message.user("y" * 2_000), Message.user("z" * 2_000)]
    count.replied("a/b", Usage(input_tokens=1_500, output_tokens=1), HEAD, sent)
    step = Compaction(strategy="window", dropped=((0, 2),), told="[Two left.]")
    left = step.apply([*sent, Message.user("so")])
    before = count.total
    count.compacted(step, left, told=20)
    assert len(count.messages) == len(left) == 3
    assert count.messages[0] == 20
    assert before - count.total == pytest.approx(2 / 3 * (1_500 - count.head) - 20, abs=20)
