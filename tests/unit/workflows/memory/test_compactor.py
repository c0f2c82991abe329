"""How a prompt is shortened: in which time, and what is said where it cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from sostenuto import Agent, Memory, Message, Model, Role
from sostenuto.contracts import limits
from sostenuto.contracts.control.usage import Usage
from sostenuto.contracts.message import FilePart, ImagePart, TextPart, ToolCallPart, ToolResultPart
from sostenuto.contracts.wire.memory.compaction import Compaction
from sostenuto.contracts.wire.model_call import ModelReply
from sostenuto.workflows.agent.state import AgentState
from sostenuto.workflows.knowledge.found import FoundPassages
from sostenuto.workflows.memory import cutting, token_count
from sostenuto.workflows.memory.compactor import Compactor

MODEL = Model("scripted/m")


class Prompt:
    """That of an agent whose model has just answered."""

    def __init__(self, memory: Memory, reply: Message, *, asked: str = "Go.") -> None:
        self.state = AgentState.begun(
            Agent(name="a", model=MODEL, memory=memory), [Message.user(asked)], FoundPassages(), after=""
        )
        transcript = self.state.transcript
        usage = Usage(input_tokens=100, output_tokens=limits.written_bytes(reply) // 4)
        self.state.tokens.replied(MODEL.name, usage, transcript.head, transcript.messages)
        self.state.take(ModelReply(id="r1", message=reply, model=MODEL.name, prompt_hash="", usage=usage))
        self.steps: list[Compaction] = []
        self.compactor = Compactor(memory, self.state, _never, self.steps.append)

    def returned(self, call_id: str, content: str) -> None:
        """Take in what a tool returned."""
        part = ToolResultPart(call_id=call_id, name="look", content=content)
        self.state.transcript.add(Message(role=Role.TOOL, parts=(part,)))


async def _never(length: int, size: int, asked: Message, tokens: int) -> tuple[ModelReply, str]:
    raise AssertionError(f"no summary is wanted: of {length} messages, {size} tokens, by {asked}, in {tokens}")


def calls(count: int) -> Message:
    parts = (ToolCallPart(id=f"c{number}", name="look", arguments={}) for number in range(count))
    return Message(role=Role.ASSISTANT, parts=tuple(parts))


async def test_many_results_are_cut_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """A workflow task has two seconds: each cut must not measure all of them again."""
    count, measured = 400, 0

    def counting(value: Any) -> int:
        nonlocal measured
        measured += 1
        return limits.written_bytes(value)

    prompt = Prompt(Memory(window=30_000, strategy="window"), calls(count))
    for number in range(count):
        prompt.returned(f"c{number}", f"{number} " + "x" * 900)
    for module in (cutting, token_count):
        monkeypatch.setattr(module, "written_bytes", counting)
    await prompt.compactor.fit(MODEL)
    contents = [message.parts[0] for message in prompt.state.transcript.messages[2:]]
    short = [part for part in contents if isinstance(part, ToolResultPart) and len(part.content) < 300]
    assert 0 < len(short) < count, "no more are cut than have to be"
    assert measured < 20 * count


@pytest.mark.parametrize(
    "attachment",
    [
        ImagePart(media_type="image/png", data="eHh4" * 10_000),
        FilePart(media_type="application/pdf", data="eHh4" * 40_000),
    ],
)
async def test_how_long_attachments_of_a_result_are_its_provider_says(attachment: ImagePart | FilePart) -> None:
    prompt = Prompt(Memory(window=8_000, strategy="window"), calls(1))
    parts = (attachment,) * (12 if isinstance(attachment, ImagePart) else 1)
    result = ToolResultPart(call_id="c0", name="look", content="see", attachments=parts)
    prompt.state.transcript.add(Message(role=Role.TOOL, parts=(result,)))
    await prompt.compactor.fit(MODEL)
    assert prompt.state.transcript.messages[-1].parts == (result,)


async def test_a_pin_that_was_never_answered_is_told_in_part_where_it_is_longer_than_the_window() -> None:
    prompt = Prompt(
        Memory(window=2_000, strategy="window"), Message(role=Role.ASSISTANT, parts=(TextPart(text="Yes."),))
    )
    prompt.state.transcript.add(Message.user("Pin. " + "word " * 3_000, pinned=True))
    prompt.state.asked(Message.user("Hi."))
    await prompt.compactor.fit(MODEL)
    pin, asked = prompt.state.transcript.messages[-2:]
    assert pin.pinned
    assert pin.text.startswith("Pin. word")
    assert "characters are left out here" in pin.text
    assert len(pin.text) < 8_000
    assert asked.text == "Hi."
