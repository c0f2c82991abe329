"""What people write of a conversation's memory: what is wrong says what to write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sostenuto import Agent, Memory, Model, Prompt, SpecError, Team

MEMORY: Any = Memory
AGENT: Any = Agent
NO_WINDOW = "is no window: write a number of tokens, or a part of the model's as '80%'"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Memory(window=80), "window: 80 tokens hold no conversation: give at least 256"),
        (lambda: Memory(window=120), "window: 120 tokens hold no conversation: give at least 256"),
        (lambda: Memory(window="80"), f"window: '80' {NO_WINDOW}"),
        (lambda: Memory(window="120%"), f"window: '120%' {NO_WINDOW}"),
        (lambda: Memory(window="0%"), f"window: '0%' {NO_WINDOW}"),
        (lambda: Memory(window="4k"), f"window: '4k' {NO_WINDOW}"),
        (lambda: MEMORY(window=0.8), f"window: 0.8 {NO_WINDOW}"),
        (lambda: Memory(window=True), f"window: True {NO_WINDOW}"),
        (lambda: MEMORY(window=None), f"window: None {NO_WINDOW}"),
        (
            lambda: MEMORY(strategy="forget"),
            "strategy: 'forget' is no strategy: there are window, summary, clear_tools, none",
        ),
        (lambda: MEMORY(strategy=["window", "forget"]), "strategy: 'forget' is no strategy: there are window"),
        (lambda: Memory(strategy=["none", "window"]), "strategy: 'none' goes with no other"),
        (lambda: Memory(strategy=[]), "strategy: name one, or 'none'"),
        (lambda: MEMORY(strategy=5), "strategy: 5 is not a list"),
        (
            lambda: Memory(strategy="window", model="openai/gpt"),
            "model: it writes summaries, and the strategy has none",
        ),
        (
            lambda: Memory(model=Model("openai/gpt", fallbacks=["local/m"])),
            "model: it has fallbacks, and a summary that fails is done without: leave them out",
        ),
        (lambda: Memory(model="gpt"), "model.name: 'gpt' is not provider/model"),
        (lambda: Memory(keep=1), "keep: "),
        (lambda: MEMORY("80%"), "the argument '80%' has no name: write window='80%'"),
        (lambda: MEMORY("summary"), "the argument 'summary' has no name: write strategy='summary'"),
        (lambda: MEMORY(4_000), "the argument 4000 has no name: write window=4000"),
        (lambda: Memory(windows=5), "Memory has no field 'windows': did you mean 'window'?"),
        (lambda: Memory(max_tokens=5), "Memory has no field 'max_tokens': write window="),
        (lambda: Memory(llm="openai/gpt"), "Memory has no field 'llm': write model='provider/model'"),
    ],
)
def test_what_is_wrong_is_said(wrong: Callable[[], Any], message: str) -> None:
    with pytest.raises(SpecError) as raised:
        wrong()
    assert f"Memory: {message}" in str(raised.value)


@pytest.mark.parametrize("word", ["context_window", "compaction", "summarization", "trim_messages", "max_history"])
def test_words_of_others(word: str) -> None:
    with pytest.raises(SpecError, match=rf"Agent has no field '{word}': write memory=Memory\("):
        AGENT(name="a", model="local/m", **{word: 5})
    team: Any = Team
    with pytest.raises(SpecError, match=rf"Team has no field '{word}': write memory=Memory\("):
        team(name="t", model="local/m", members=[Agent(name="a", model="local/m")], **{word: 5})


def test_who_has_one() -> None:
    with pytest.raises(SpecError, match=r"Agent 'a': memory: '80%' is not a Memory: write Memory\(\.\.\.\)"):
        AGENT(name="a", model="local/m", memory="80%")
    prompt: Any = Prompt
    with pytest.raises(SpecError, match=r"a prompt is one question: .* Agent\(…, memory=Memory\(\)\)"):
        prompt(name="p", model="local/m", template="{input}", memory=Memory())
    members = [Agent(name="a", model="local/m"), Agent(name="b", model="local/m")]
    with pytest.raises(SpecError, match="memory: it goes with style='delegate', not with 'debate'"):
        Team(name="t", model="local/m", style="debate", members=members, memory=Memory())
    led = Team(name="t", model="local/m", members=members, memory=Memory(window=4_000))
    assert led.leader.memory == led.memory


def test_one_strategy_stands_alone() -> None:
    assert Memory(strategy="summary") == Memory(strategy=["summary"]) == Memory(strategy=("summary",))


@pytest.mark.parametrize(
    ("memory", "context", "tokens"),
    [
        (Memory(window=4_000), 0, 4_000),
        (Memory(window=4_000), 2_000, 2_000),
        (Memory(window=4_000), 9_000, 4_000),
        (Memory(window="80%"), 0, None),
        (Memory(window="80%"), 10_000, 8_000),
        (Memory(window="100%"), 10_000, 10_000),
    ],
)
def test_how_many_tokens_a_prompt_has_at_most(memory: Memory, context: int, tokens: int | None) -> None:
    assert memory.tokens(context) == tokens


def test_one_that_does_nothing_asks_for_nothing() -> None:
    memory = Memory(strategy="none")
    assert (memory.shortens, memory.wants_windows, memory.clears) == (False, False, False)
    assert Memory().wants_windows
    assert not Memory(window=4_000).wants_windows
