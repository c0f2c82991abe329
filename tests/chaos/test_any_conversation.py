"""Whatever was said so far, and by whom, the next request is one that its endpoint takes.

Random conversations go to every kind of model that is known: as they stand, continued from another one's, cut,
repaired, with parallel calls, failures, thoughts, pictures, blanks and tools that nobody has. `CONVERSATION_SEEDS` says
how many.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import Any

import pytest

from sostenuto.activities.model_adapter import ModelRequest
from sostenuto.contracts.errors import InvalidRequest
from sostenuto.contracts.message import (
    FilePart,
    ImagePart,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    Role,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from sostenuto.contracts.model import Model, ReasoningEffort
from tests.conformance.every_profile import wire_body
from tests.conformance.subject import ANSWER, LOOK_UP
from tests.fakes.wire.strict import refusals

pytestmark = pytest.mark.chaos

SEEDS = int(os.environ.get("CONVERSATION_SEEDS", "60"))

MODELS = (
    *("anthropic/claude-sonnet-5-5", "anthropic/claude-opus-4-6", "anthropic/claude-haiku-4-5"),
    *("anthropic/claude-opus-4-1", "anthropic/claude-3-5-haiku-latest", "anthropic/claude-fable-5-1"),
    *("openai/gpt-4.1", "openai/gpt-4o-mini", "openai/gpt-5-mini", "openai/gpt-5.4", "openai/gpt-5.6-terra"),
    *("openai/o3-mini", "openai/o4-mini", "openai/ft:gpt-4o-mini:acme:x:1", "openai/gpt-3.5-turbo", "openai/gpt-4"),
    *("gemini/gemini-2.5-flash", "gemini/gemini-2.5-pro", "gemini/gemini-3-flash-preview"),
    *("mistral/mistral-large-latest", "mistral/magistral-medium-latest", "mistral/mistral-small-latest"),
    *("deepseek/deepseek-chat", "deepseek/deepseek-reasoner", "deepseek/deepseek-v4-flash"),
    *("groq/llama-3.3-70b-versatile", "groq/openai/gpt-oss-120b", "groq/qwen/qwen3-32b"),
    *("xai/grok-4.3", "xai/grok-3-mini", "xai/grok-4-fast-non-reasoning"),
    *("together/meta-llama/Llama-3.3-70B-Instruct-Turbo", "together/openai/gpt-oss-120b"),
    *("fireworks/accounts/fireworks/models/kimi-k2p6", "fireworks/accounts/fireworks/models/gpt-oss-120b"),
    *("openrouter/anthropic/claude-sonnet-4.5", "openrouter/google/gemini-2.5-flash"),
    *("ollama/llama3.2", "ollama/gpt-oss:20b", "vllm/qwen3", "llama_cpp/any", "lm_studio/any"),
    *("litellm/claude-sonnet-4-5", "litellm/gpt-4o", "azure/gpt-4o", "chat/any"),
)
_BLANK = ("", " ", "\n\t ")
_TEXTS = ("Where is Oslo?", "I look.", "é", "x" * 3_000, *_BLANK)
_NAMES = ("look_up", "look_up", "look_up", "functions.look_up", "look up", "n" * 80, "gone")
_PNG = ImagePart(media_type="image/png", data="iVBORw0KGgo=")
_WEB_PNG = ImagePart(media_type="image/png", url="https://example.com/a.png")
_PDF = FilePart(media_type="application/pdf", data="JVBERi0=", name="a.pdf")
_NOTE = FilePart(media_type="text/plain", data="SGk=", name="a.txt")


class _Conversation:
    """Makes one up, as the models that took part in it would have left it."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.messages: list[Message] = []
        self._authors = self.chance.sample(MODELS, k=self.chance.randint(1, 3))

    def grow(self) -> None:
        for _ in range(self.chance.randint(0, 6)):
            self.messages.append(self._user())
            for _ in range(self.chance.randint(0, 3)):
                self._turn(self.chance.choice(self._authors))
        if not self.messages or self.messages[-1].role is Role.ASSISTANT:
            self.messages.append(self._user())

    def _text(self) -> TextPart:
        return TextPart(text=self.chance.choice(_TEXTS))

    def _user(self) -> Message:
        blobs = [blob for blob in (_PNG, _WEB_PNG, _PDF, _NOTE) if self.chance.random() < 0.05]
        texts = [self._text() for _ in range(self.chance.randint(0 if blobs else 1, 2))]
        return Message(role=Role.USER, parts=(*texts, *blobs))

    def _turn(self, author: str) -> None:
        number = len(self.messages)
        calls = [self._call(number, n) for n in range(self.chance.choice((0, 1, 1, 2, 12)))]
        said = [self._text()] if self.chance.random() < 0.7 else []
        self.messages.append(Message(role=Role.ASSISTANT, parts=(*_thoughts(author, self.chance), *said, *calls)))
        for call in calls:
            # A cancel leaves calls without an answer, and a conversation may be continued after it.
            if self.chance.random() < 0.97:
                self.messages.append(Message(role=Role.TOOL, parts=(self._result(call),)))

    def _call(self, number: int, index: int) -> ToolCallPart:
        name = self.chance.choice(_NAMES)
        malformed = "{cut" if self.chance.random() < 0.1 else ""
        arguments: dict[str, Any] = {} if malformed or self.chance.random() < 0.2 else {"what": "Oslo"}
        return ToolCallPart(id=f"call_{number}_{index}", name=name, arguments=arguments, malformed=malformed)

    def _result(self, call: ToolCallPart) -> ToolResultPart:
        failed = self.chance.random() < 0.2
        attached = (_PNG,) if self.chance.random() < 0.05 else ()
        content = self.chance.choice(_TEXTS)
        return ToolResultPart(call_id=call.id, name=call.name, content=content, attachments=attached, is_error=failed)


def _thoughts(author: str, chance: random.Random) -> Iterator[Part]:
    provider = author.partition("/")[0]
    if chance.random() < 0.5:
        return
    if provider == "anthropic":
        yield ReasoningPart(
            provider=provider, text="Hm.", data={"type": "thinking", "thinking": "Hm.", "signature": "sig=="}
        )
    elif provider == "openai":
        data = {
            "id": f"rs_{chance.getrandbits(40):x}",
            "type": "reasoning",
            "summary": [],
            "encrypted_content": "gAAA==",
        }
        yield ReasoningPart(provider=provider, data=data)
    else:
        yield ReasoningPart(provider=provider, text="Hm.", data={"reasoning_content": "Hm."})
        if chance.random() < 0.2:
            yield OpaquePart(provider=provider, data={"extra_content": {"google": {"thought_signature": "sig"}}})


def _request(model: str, conversation: _Conversation) -> ModelRequest:
    chance = conversation.chance
    efforts: tuple[ReasoningEffort | None, ...] = (None, None, "off", "low", "high")
    reasoning = chance.choice(efforts)
    limit = chance.choice((None, None, 200, 4_000))
    return ModelRequest(
        model=Model(model, reasoning=reasoning, max_output_tokens=limit),
        instructions=chance.choice(("Be brief.", "", " ")),
        messages=tuple(conversation.messages),
        tools=(LOOK_UP,) if chance.random() < 0.7 else (),
        output=ANSWER if chance.random() < 0.4 else None,
        tool_choice=chance.choice(("", "", "required", "look_up")),
        parallel_tool_calls=chance.random() < 0.8,
    )


@pytest.mark.parametrize("model", MODELS)
def test_every_request_is_taken(model: str) -> None:
    sent = 0
    for seed in range(SEEDS):
        conversation = _Conversation(seed)
        conversation.grow()
        asked = _request(model, conversation)
        try:
            protocol, book, body = wire_body(asked)
        except InvalidRequest:
            continue  # it says what cannot be sent, such as a picture to a model without eyes
        found = list(refusals(protocol, book, body))
        assert found == [], f"seed {seed}: {found[0].rule}: {found[0].complaint.message}"
        sent += 1
    assert sent > SEEDS // 5, "hardly anything can be sent"
