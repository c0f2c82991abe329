"""The hash of a prompt: a chain that depends on all of the prompt, and on nothing else."""

from __future__ import annotations

import pytest

from sostenuto import Message, Model
from sostenuto.contracts.head import Head
from sostenuto.contracts.prompt_hash import chain_link, chain_start, prompt_hash
from sostenuto.contracts.tool import ToolDefinition

HEAD = Head(agent="a", instructions="Be kind.", model=Model("a/b", fallbacks=["c/d"]))
MESSAGES = (Message.user("one"), Message.user("two"))


def hashed(head: Head = HEAD, messages: tuple[Message, ...] = MESSAGES, model: Model = HEAD.model) -> str:
    """The hash of a prompt."""
    chain, _ = chain_start(head)
    for message in messages:
        chain, _ = chain_link(chain, message)
    return prompt_hash(chain, model)


def test_stays_the_same_for_ever() -> None:
    """It stands in histories: a library that inspects old ones has to come to the same."""
    assert hashed() == "be637d8b4957d475e2bd184dad3ef1d4a0b3ac0f23701ffc4bcdaed6457f3974"


@pytest.mark.parametrize(
    "other",
    [
        hashed(HEAD.model_copy(update={"instructions": "Be brief."})),
        hashed(HEAD.model_copy(update={"tools": (ToolDefinition(name="look", parameters={}),)})),
        hashed(messages=MESSAGES[:1]),
        hashed(messages=MESSAGES[::-1]),
        hashed(messages=(Message.user("onetwo"),)),
        hashed(model=Model("c/d")),
        hashed(model=Model("a/b", temperature=0.5)),
    ],
)
def test_anything_else_has_another_hash(other: str) -> None:
    assert other != hashed()


def test_the_fallbacks_are_no_part_of_what_is_sent() -> None:
    assert hashed(model=Model("a/b")) == hashed()


def test_a_message_read_back_has_the_same_hash() -> None:
    read = tuple(Message.model_validate_json(message.model_dump_json()) for message in MESSAGES)
    assert hashed(Head.model_validate_json(HEAD.model_dump_json()), read) == hashed()


def test_the_bytes_are_counted() -> None:
    assert chain_link("", MESSAGES[0])[1] == len(MESSAGES[0].model_dump_json())
