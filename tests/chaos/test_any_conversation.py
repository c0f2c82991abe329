"""Whatever was said so far, and by whom, the next request is one that its endpoint takes.

Random conversations go to every kind of model that is known: as they stand, continued from another one's, cut,
repaired, with parallel calls, failures, thoughts, pictures, blanks, tools that nobody has and tools that the provider
ran itself. `CONVERSATION_SEEDS` says
how many.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import Any

import pytest

from sostenuto.activities.adapters.providers.profiles.known import Profiles
from sostenuto.activities.model_adapter import ModelRequest
from sostenuto.contracts.errors import InvalidRequest
from sostenuto.contracts.mcp import McpServer
from sostenuto.contracts.message import (
    CitationPart,
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
from sostenuto.contracts.provider_tool import CodeExecution, FileSearch, McpConnector, WebSearch
from tests.conformance.every_profile import MODELS, NOT_OVER_THE_WIRE, wire_body
from tests.conformance.subject import ANSWER, LOOK_UP
from tests.fakes.wire.strict import refusals

pytestmark = pytest.mark.chaos

SEEDS = int(os.environ.get("CONVERSATION_SEEDS", "60"))

_MODELS = tuple(model for model in MODELS if model.partition("/")[0] not in NOT_OVER_THE_WIRE)
_BLANK = ("", " ", "\n\t ")
_TEXTS = ("Where is Oslo?", "I look.", "é", "x" * 3_000, *_BLANK)
_NAMES = ("look_up", "look_up", "look_up", "functions.look_up", "look up", "n" * 80, "gone")
_PNG = ImagePart(media_type="image/png", data="iVBORw0KGgo=")
_WEB_PNG = ImagePart(media_type="image/png", url="https://example.com/a.png")
_PDF = FilePart(media_type="application/pdf", data="JVBERi0=", name="a.pdf")
_NOTE = FilePart(media_type="text/plain", data="SGk=", name="a.txt")
_SERVER_USE = {"type": "server_tool_use", "id": "srvtoolu_", "input": {}}
_ANTHROPICS: dict[str, list[dict[str, Any]]] = {
    "search": [
        _SERVER_USE | {"name": "web_search"},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_", "content": []},
    ],
    "code": [
        _SERVER_USE | {"name": "bash_code_execution"},
        {
            "type": "bash_code_execution_tool_result",
            "tool_use_id": "srvtoolu_",
            "content": {"type": "bash_code_execution_tool_result_error", "error_code": "unavailable"},
        },
    ],
    "mcp": [
        {"type": "mcp_tool_use", "id": "mcptoolu_", "name": "find", "server_name": "tracker", "input": {}},
        {"type": "mcp_tool_result", "tool_use_id": "mcptoolu_", "is_error": False, "content": []},
    ],
}
_OPENAIS: dict[str, list[dict[str, Any]]] = {
    "search": [{"id": "ws_", "type": "web_search_call", "status": "completed", "action": {"type": "search"}}],
    "code": [
        {
            "id": "ci_",
            "type": "code_interpreter_call",
            "status": "completed",
            "code": "1",
            "container_id": "cntr_1",
            "outputs": [],
        }
    ],
    "mcp": [
        {"id": "mcpl_", "type": "mcp_list_tools", "server_label": "tracker", "tools": []},
        {"id": "mcp_", "type": "mcp_call", "server_label": "tracker", "name": "find", "arguments": "{}"},
    ],
}
_CITATIONS: dict[str, dict[str, Any]] = {
    "anthropic": {
        "type": "web_search_result_location",
        "url": "https://example.com",
        "title": "An example",
        "cited_text": "So.",
        "encrypted_index": "x",
    },
    "openai": {
        "type": "url_citation",
        "url": "https://example.com",
        "title": "An example",
        "start_index": 0,
        "end_index": 1,
    },
}
_PROVIDER_TOOLS = (WebSearch(), CodeExecution(), FileSearch(["vs_1"]), McpConnector("tracker"))
_FEATURES = ("containers", "tool_choice", "parallel_tool_calls", "reasoning", "cache_control", "web_search")


class _Conversation:
    """Makes one up, as the models that took part in it would have left it."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.messages: list[Message] = []
        self._authors = self.chance.sample(_MODELS, k=self.chance.randint(1, 3))

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
        said: list[Part] = [self._text()] if self.chance.random() < 0.7 else []
        said += _cited(author, self.chance) if said else ()
        done = _done(author, number, self.chance)
        self.messages.append(
            Message(role=Role.ASSISTANT, parts=(*_thoughts(author, self.chance), *done, *said, *calls))
        )
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


def _done(author: str, number: int, chance: random.Random) -> Iterator[Part]:
    """Yield what the author's provider did itself, which may have been cut before it ended."""
    provider = author.partition("/")[0]
    if provider not in ("anthropic", "openai") or chance.random() < 0.7:
        return
    kind, ended = chance.choice(("search", "code", "mcp")), chance.random() < 0.8
    for data in _ANTHROPICS[kind] if provider == "anthropic" else _OPENAIS[kind]:
        is_result = data["type"].endswith("_tool_result")
        ids = {key: f"{data[key]}{number}" for key in ("id", "tool_use_id") if key in data}
        if ended or not is_result:
            yield OpaquePart(provider=provider, data=data | ids, tool=kind)
    if provider == "anthropic" and kind == "code" and chance.random() < 0.7:
        expires = "2020-01-01T00:00:00Z" if chance.random() < 0.5 else "2999-01-01T00:00:00Z"
        data = {"type": "container", "id": "container_1", "expires_at": expires}
        yield OpaquePart(provider=provider, data=data, tool="code_execution")


def _cited(author: str, chance: random.Random) -> list[Part]:
    provider = author.partition("/")[0]
    citation = _CITATIONS.get(provider)
    return [CitationPart(provider=provider, data=citation)] if citation and chance.random() < 0.3 else []


def _request(model: str, conversation: _Conversation) -> ModelRequest:
    chance = conversation.chance
    efforts: tuple[ReasoningEffort | None, ...] = (None, None, "off", "low", "high")
    reasoning = chance.choice(efforts)
    limit = chance.choice((None, None, 200, 4_000))
    provider, _, name = model.partition("/")
    has = Profiles(provider).of(name).provider_tools
    return ModelRequest(
        model=Model(model, reasoning=reasoning, max_output_tokens=limit),
        instructions=chance.choice(("Be brief.", "", " ")),
        messages=tuple(conversation.messages),
        tools=(LOOK_UP,) if chance.random() < 0.7 else (),
        output=ANSWER if chance.random() < 0.4 else None,
        tool_choice=chance.choice(("", "", "required", "look_up")),
        parallel_tool_calls=chance.random() < 0.8,
        provider_tools=tuple(tool for tool in _PROVIDER_TOOLS if chance.random() < (0.2 if tool.kind in has else 0.01)),
        servers={"tracker": McpServer(url="https://example.com/mcp", headers={"Authorization": "Bearer token"})},
        without=frozenset(feature for feature in _FEATURES if chance.random() < 0.1),
        room=chance.choice((1, 1, 4, 16)),
    )


@pytest.mark.parametrize("model", _MODELS)
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
