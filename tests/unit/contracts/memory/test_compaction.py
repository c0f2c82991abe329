"""What is left of a prompt after a step, whatever the conversation was."""

from __future__ import annotations

import pytest

from sostenuto import Message, Role
from sostenuto.contracts.message import ImagePart, ToolResultPart
from sostenuto.contracts.wire.memory.compaction import Compaction
from tests.fakes.conversations import Conversation, is_whole, staying, step_of

SEEDS = range(300)
TOLD = Message.user("[Some left.]")


def test_what_is_told_stands_where_the_first_was() -> None:
    messages = [Message.user(f"{number}") for number in range(9)]
    step = Compaction(strategy="window", dropped=((1, 3), (5, 8)), told="[Some left.]")
    assert step.apply(messages) == [messages[0], TOLD, messages[3], messages[4], messages[8]]
    assert step.positions(range(9)) == [0, 2, 3, 4, 8]
    assert step.messages == 5
    quiet = step.model_copy(update={"told": ""})
    assert quiet.apply(messages) == [messages[0], messages[3], messages[4], messages[8]]
    assert quiet.positions(range(9)) == [0, 3, 4, 8]


def test_a_cleared_result_names_itself_and_nothing_more() -> None:
    """What a tool returned has no say in what is told in its place."""
    picture = ImagePart(media_type="image/png", url="https://example.com/a.png")
    part = ToolResultPart(
        call_id="c1", name="look", content="{name} {bytes} ü", is_error=True, attachments=(picture,), passages=3
    )
    other = part.model_copy(update={"call_id": "c2"})
    step = Compaction(strategy="clear_tools", cleared=("c1",), stub="[{bytes} bytes of {name}: {call_id}]")
    (left,) = step.apply([Message(role=Role.TOOL, parts=(part, other))])
    stub = ToolResultPart(call_id="c1", name="look", content="[17 bytes of look: c1]", is_error=True)
    assert left.parts == (stub, other)


def test_nothing_leaves_by_a_step_that_is_empty() -> None:
    messages = [Message.user("a")]
    step = Compaction(strategy="none")
    assert step.apply(messages) == messages
    assert step.positions([4]) == [4]


@pytest.mark.parametrize("seed", SEEDS)
def test_messages_items_and_positions_agree(seed: int) -> None:
    made = Conversation(seed)
    known = made.known()
    asked = made.chance.choice([0, len(known), *(i for i, one in enumerate(known) if one.role is Role.USER)])
    positions = [index + index // 3 for index in range(len(known))]
    while step := step_of(made, known, asked):
        left, where = step.apply(known), step.positions(positions)
        told = [Message.user(step.told)] if step.told and step.dropped else []
        assert step.keep(known, Message.user(step.told)) == left or step.cleared
        assert len(where) == len(left) == len(known) - step.messages + len(told)
        assert where == sorted(set(where)), "each stands behind the one before it"
        assert set(where) <= set(positions)
        assert is_whole(left), "a call is never without its results"
        stayed = [known[index] for index in staying(known, asked) if index < len(known)]
        assert all(any(one is other for other in left) for one in stayed)
        calls = [call.id for message in left for call in message.tool_calls]
        assert len(set(calls)) == len(calls)
        asked = left.index(known[asked]) if asked < len(known) else len(left)
        known, positions = left, where
        if made.chance.random() < 0.3:
            break
