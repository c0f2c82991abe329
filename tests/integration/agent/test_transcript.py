"""The model is sent the whole conversation every time; the history holds every part of it once."""

from __future__ import annotations

from functools import partialmethod
from typing import TYPE_CHECKING, Any

import pytest

from sostenuto import Agent, App, FilePart, Status, TextPart, tool
from sostenuto.activities import model as model_activity
from sostenuto.activities.call.own_workflow_query import query_own_run
from sostenuto.activities.transcript_cache import TranscriptCache
from sostenuto.contracts.message import PartRef
from sostenuto.contracts.prompt_hash import chain_link, chain_start, prompt_hash
from tests.integration.agent.listener import Listener, contents, said
from tests.integration.agent.stage import calls

if TYPE_CHECKING:
    from tests.integration.agent.conftest import Serve


@tool(effect="read")
async def fill(size: int, letter: str = "x") -> str:
    """Something of that size."""
    return letter * size


AGENT = Agent(name="tester", model="scripted/model", tools=[fill], instructions="Fill.")


@pytest.fixture(params=["remembering", "forgetful"])
def pages(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What model calls asked of the run: nothing from a remembering worker, all but the tail from a forgetful one."""
    asked: list[Any] = []

    async def counting(name: str, query: Any, kind: Any) -> Any:
        asked.append(query)
        return await query_own_run(name, query, kind)

    monkeypatch.setattr(model_activity, "query_own_run", counting)
    if request.param == "forgetful":
        monkeypatch.setattr(TranscriptCache, "__init__", partialmethod(TranscriptCache.__init__, 0))
        asked.append("forgetful")
    return asked


async def test_a_large_head_is_said_by_the_input_alone(serve: Serve, pages: list[Any]) -> None:
    """It stands there already: the first model call asks the run for it."""
    before = len(pages)
    wordy = Agent(name="wordy", model="scripted/model", tools=[fill], instructions="Fill it up. " * 2_000)
    model = Listener([calls(("fill", {"size": 3})), "Full."])
    async with serve(App(wordy), model) as stage:
        outcome = await stage.ask(wordy)
    assert outcome.result.output == "Full."
    assert [call.head for call in outcome.history.model_calls] == [None, None]
    assert {request.instructions for request in model.requests} == {wordy.instructions}
    assert [[tool.name for tool in request.tools] for request in model.requests] == [["fill"], ["fill"]]
    assert len(pages) - before == (2 if before else 1)
    head = wordy.head_with()
    for request, reply in zip(model.requests, outcome.history.replies, strict=True):
        chain, _ = chain_start(head)
        for message in request.messages:
            chain, _ = chain_link(chain, message)
        assert reply.prompt_hash == prompt_hash(chain, wordy.model)


async def test_the_whole_conversation_is_sent(serve: Serve, pages: list[Any]) -> None:
    forgetful = bool(pages)
    model = Listener([calls(("fill", {"size": n}), text=f"Turn {n}.") for n in (1, 2, 3)] + ["Full."])
    async with serve(App(AGENT), model) as stage:
        outcome = await stage.ask(AGENT, "Fill it.")
    assert outcome.result.output == "Full."
    whole = ["user Fill it."]
    for n in (1, 2, 3):
        call = f"call_{2 * n - 1}_0"
        whole += [f"assistant Turn {n}.", f"assistant {call}=fill", f"tool {call}:{'x' * n}"]
    assert [said(prompt) for prompt in model.prompts] == [whole[: 1 + 3 * n] for n in range(4)]
    assert {request.instructions for request in model.requests} == {"Fill."}
    assert len(pages) == (4 if forgetful else 0)


async def test_the_hash_proves_the_prompt(serve: Serve, pages: list[Any]) -> None:
    model = Listener([calls(("fill", {"size": 20_000})), calls(("fill", {"size": 3})), "Full."])
    async with serve(App(AGENT), model) as stage:
        outcome = await stage.ask(AGENT)
    for request, reply in zip(model.requests, outcome.history.replies, strict=True):
        chain, _ = chain_start(AGENT.head)
        for message in request.messages:
            chain, _ = chain_link(chain, message)
        assert prompt_hash(chain, AGENT.model) == reply.prompt_hash


async def test_a_large_result_is_a_reference(serve: Serve, pages: list[Any]) -> None:
    model = Listener([calls(("fill", {"size": 20_000}), ("fill", {"size": 10})), "Full."])
    async with serve(App(AGENT), model) as stage:
        outcome = await stage.ask(AGENT)
    large, small = (message.parts[0] for message in outcome.history.model_calls[1].tail)
    assert isinstance(large, PartRef)
    assert (large.message, large.part, large.call_id) == (2, 0, "call_1_0")
    assert small.kind == "tool_result"
    assert contents(model.prompts[1]) == ["x" * 20_000, "x" * 10]


async def test_a_tail_is_bounded_as_a_whole(serve: Serve, pages: list[Any]) -> None:
    model = Listener([calls(*(("fill", {"size": 15_000, "letter": letter}) for letter in "abcdef")), "Full."])
    async with serve(App(AGENT), model) as stage:
        outcome = await stage.ask(AGENT)
    kinds = [message.parts[0].kind for message in outcome.history.model_calls[1].tail]
    assert kinds == ["tool_result"] * 4 + ["ref"] * 2
    assert contents(model.prompts[1]) == [letter * 15_000 for letter in "abcdef"]


async def test_a_large_input_is_a_reference(serve: Serve, pages: list[Any]) -> None:
    file = FilePart(media_type="application/pdf", data="QUJD" * 10_000)
    model = Listener(["Read."])
    async with serve(App(AGENT), model) as stage:
        outcome = await stage.ask(AGENT, ["Read this.", "y" * 50_000, file])
    assert outcome.result.output == "Read."
    assert [part.kind for part in outcome.history.model_calls[0].tail[0].parts] == ["text", "ref", "ref"]
    assert list(model.prompts[0][0].parts) == [TextPart(text="Read this."), TextPart(text="y" * 50_000), file]


async def test_a_long_transcript_comes_in_pages(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, pages: list[Any]
) -> None:
    """Letters of two bytes, so that a page of characters would be twice too large for the server."""
    forgetful = bool(pages)
    model = Listener(
        [calls(("fill", {"size": 300_000, "letter": "я"})) for _ in range(2)]
        + [calls(("fill", {"size": 5}))]
        + ["Full."]
    )
    async with serve(App(AGENT), model) as stage:
        outcome = await stage.ask(AGENT)
    assert outcome.result.output == "Full."
    assert contents(model.prompts[-1]) == ["я" * 300_000] * 2 + ["x" * 5]
    if forgetful:
        assert len([query for query in pages[1:] if query.stop == 6]) > 1
    assert len(outcome.history.history.to_json()) < 3_000_000


async def test_errors_are_never_references(serve: Serve, pages: list[Any]) -> None:
    """Where the call never ran, the text of the error stands in the tail and nowhere else."""
    lines = {f"line_{n}": 1 for n in range(2000)}
    model = Listener([calls(("fill", {"size": "no", **lines})), "Well."])
    async with serve(App(AGENT), model) as stage:
        outcome = await stage.ask(AGENT)
    [(content, is_error)] = outcome.tool_results
    assert is_error
    assert content.endswith("… (cut)")
    assert len(content) < 16_384
    assert outcome.result.status is Status.COMPLETED
