"""What every endpoint takes is refused by no rule, and fits the types of the providers' own SDKs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.wire_rules.bodies import (
    CLAUDE_TOOL,
    FOUND,
    FUNCTION,
    SCHEMA,
    SEARCH,
    answer_format,
    asked,
    assistant,
    call,
    called,
    calls,
    chat,
    claude,
    document,
    file,
    form,
    function,
    image,
    output,
    picture,
    reasoned,
    responses,
    result,
    system,
    text,
    thought,
    tool,
    use,
    user,
)
from tests.fakes.wire.dialect_rules import DIALECTS
from tests.fakes.wire.rule import Json
from tests.fakes.wire.strict import refusals
from tests.fakes.wire.typed import misshapen

_PARALLEL = [call("abcdEF123"), call("abcdEF124")]

CLAUDE: dict[str, Json] = {
    "text": claude(user("Hello?"), assistant("Hi."), user("So?"), system=[text("Be brief.")]),
    "tools": claude(
        user("Go"),
        assistant(text("I look."), use("a"), use("b")),
        user(result("a", content=[text("x"), image()]), result("b", is_error=True), text("So?")),
        tools=[CLAUDE_TOOL],
    ),
    "output": claude(output_config={"format": {"type": "json_schema", "schema": SCHEMA}}, tools=[CLAUDE_TOOL]),
    "images": claude(user("See:"), user(image(), document(), text("What is it?"))),
    "reasoning": claude(
        user("Go"),
        assistant(thought(), text("I look."), use()),
        user(result()),
        tools=[CLAUDE_TOOL],
        thinking={"type": "adaptive"},
        output_config={"effort": "high"},
    ),
    "server tools": claude(
        user("Go"),
        assistant(SEARCH, FOUND, text("So.")),
        user("Yes?"),
        tools=[{"type": "web_search_20250305", "name": "web_search"}],
    ),
}
RESPONSES: dict[str, Json] = {
    "text": responses(asked("Hello?"), assistant("Hi."), asked("So?"), instructions="Be brief."),
    "tools": responses(
        asked("Go"), assistant("I look."), called("a"), called("b"), output("b"), output("a"), tools=[FUNCTION]
    ),
    "output": responses(text=answer_format(), tools=[FUNCTION]),
    "images": responses(
        asked(
            {"type": "input_text", "text": "See:"},
            {"type": "input_image", "image_url": picture()["image_url"]["url"], "detail": "auto"},
            {"type": "input_file", **file()["file"]},
        )
    ),
    "reasoning": responses(
        asked("Go"),
        reasoned(),
        called(),
        output(),
        tools=[FUNCTION],
        reasoning={"effort": "high"},
        include=["reasoning.encrypted_content"],
    ),
    "server tools": responses(
        asked("Go"),
        {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "x"}},
        assistant("So."),
        asked("Yes?"),
        tools=[{"type": "web_search"}],
    ),
}
CHAT: dict[str, Json] = {
    "text": chat(system(), user("Hello?"), assistant("Hi."), user("So?")),
    "tools": chat(user("Go"), calls(*_PARALLEL), tool("abcdEF123"), tool("abcdEF124"), tools=[function()]),
    "output": chat(response_format=form(SCHEMA, strict=True)),
    "images": chat(user(text("See:"), picture(), text("What is it?"))),
    "reasoning": chat(user("Go"), assistant("So."), user("Yes?"), reasoning_effort="low"),
}
# What a dialect cannot take at all, or takes of other models alone.
NOT_TAKEN = {
    *(("deepseek", "output"), ("deepseek", "images"), ("groq", "output"), ("groq", "reasoning"), ("xai", "reasoning")),
    *(("together", "reasoning"), ("ollama", "reasoning"), ("mistral", "reasoning")),
}


@pytest.mark.parametrize("kind", list(CLAUDE))
def test_anthropic_takes(kind: str) -> None:
    assert list(refusals("anthropic", "", CLAUDE[kind])) == []


@pytest.mark.parametrize("kind", list(RESPONSES))
def test_openai_takes(kind: str) -> None:
    assert list(refusals("openai", "", RESPONSES[kind])) == []


@pytest.mark.parametrize("dialect", list(DIALECTS))
@pytest.mark.parametrize("kind", list(CHAT))
def test_each_dialect_takes(dialect: str, kind: str) -> None:
    found = list(refusals("compatible", dialect, CHAT[kind]))
    assert bool(found) is ((dialect, kind) in NOT_TAKEN), found


@pytest.mark.parametrize(
    ("protocol", "fine", "broken", "words"),
    [
        ("anthropic", claude(), claude(seed=1), "seed: Extra inputs"),
        (
            "anthropic",
            CLAUDE["tools"],
            claude(user(text("x", language="en"))),
            "Extra inputs are not permitted: ('language',)",
        ),
        ("anthropic", claude(max_tokens=99), claude(max_tokens="many"), "max_tokens: Input should be a valid integer"),
        ("anthropic", claude(user("x")), claude(user({"type": "mystery"})), "Input should be 'text'"),
        ("openai", responses(), responses(max_tokens=99), "max_tokens: Extra inputs"),
        ("openai", responses(asked("x")), responses(asked("x") | {"name": "Ann"}), "name: Extra inputs"),
        ("openai", responses(store=False), responses(store="no"), "store: Input should be a valid boolean"),
        ("compatible", chat(), chat(input="x"), "input: Extra inputs"),
        ("compatible", chat(user("x")), chat(user("x") | {"reasoning": "Hm."}), "reasoning: Extra inputs"),
        ("compatible", chat(n=1), chat(n="one"), "n: Input should be a valid integer"),
    ],
)
def test_what_does_not_fit_the_sdks_types_is_found(protocol: str, fine: Json, broken: Json, words: str) -> None:
    assert misshapen(protocol, fine) == []
    assert words in " ".join(misshapen(protocol, broken))


@pytest.mark.parametrize("protocol", ["anthropic", "openai", "compatible"])
@pytest.mark.parametrize(
    "body", [{}, {"model": 3}, {"messages": 3, "input": 3, "tools": 3}, {"messages": [3], "input": [3]}]
)
def test_what_is_no_request_at_all_is_refused(protocol: str, body: Any) -> None:
    assert list(refusals(protocol, "chat", body))
