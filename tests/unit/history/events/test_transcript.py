"""Prompts that the history tells have the hash of their messages, in whatever order they are asked for."""

from __future__ import annotations

from sostenuto import Message, Model
from sostenuto.contracts.head import Head
from sostenuto.contracts.prompt_hash import chain_link, chain_start, prompt_hash
from sostenuto.contracts.wire.model_call import ModelCall
from sostenuto.history.events.transcript import RebuiltTranscript, SentPrompt

HEAD = Head(agent="desk", model=Model("a/b", fallbacks=["c/d"]))


def hashed(prompt: SentPrompt) -> str:
    """The hash as a worker makes it, from the start."""
    chain, _ = chain_start(prompt.head)
    for message in prompt.messages:
        chain, _ = chain_link(chain, message)
    return prompt_hash(chain, prompt.model)


def call(turn: int, base: int, *texts: str) -> ModelCall:
    tail = tuple(Message.user(text) for text in texts)
    return ModelCall(transcript="desk", turn=turn, base=base, tail=tail, model="a/b", after="")


def test_hashes_in_any_order() -> None:
    transcript = RebuiltTranscript(HEAD, ())
    for turn in range(1, 6):
        transcript.sent(call(turn, turn - 1, f"text {turn}"), {}, {})
    for turn in (5, 1, 3, 3, 2, 5, 4):
        prompt = transcript.prompt(turn)
        assert (len(prompt.messages), prompt.hash) == (turn, hashed(prompt))


def test_hashes_after_messages_were_replaced() -> None:
    transcript = RebuiltTranscript(HEAD, (Message.user("first"), Message.user("second")))
    transcript.sent(call(1, 2), {}, {})
    before = transcript.prompt(1).hash
    transcript.sent(call(2, 1, "another second", "third"), {}, {})
    prompts = [transcript.prompt(turn) for turn in (2, 1, 2)]
    assert [prompt.hash for prompt in prompts] == [hashed(prompt) for prompt in prompts]
    assert prompts[1].hash != before
    transcript.take_over((Message.user("what came before"),))
    transcript.head = Head(agent="desk", instructions="Be brief.", model=Model("a/b"))
    assert transcript.prompt(2).hash == hashed(transcript.prompt(2))
    assert RebuiltTranscript(HEAD, ()).messages == []
