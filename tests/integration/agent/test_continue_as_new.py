"""A run outgrows one history: it goes on in the next with everything it has, and nobody notices."""

from __future__ import annotations

from pathlib import Path
from pydoc_data.topics import topics
from random import Random
from typing import TYPE_CHECKING

import pytest
from temporalio.client import Client

from sostenuto import Agent, App, Status, ToolContext, tool
from sostenuto.connection.converter import data_converter
from sostenuto.contracts import limits, names
from tests.integration.agent.listener import Listener, contents, said
from tests.integration.agent.recorded import Recorded
from tests.integration.agent.stage import PRICE_USD, calls

if TYPE_CHECKING:
    from sostenuto import Run
    from tests.integration.agent.conftest import Serve

KEYS: list[str] = []


@tool(effect="idempotent")
async def fill(size: int, ctx: ToolContext) -> str:
    """Something of that size."""
    KEYS.append(ctx.idempotency_key)
    return "x" * size


@tool(effect="read")
async def noise(size: int) -> str:
    """Something of that size that nothing makes much shorter."""
    return Random(size).randbytes(size // 2).hex()


@tool(effect="read")
async def read(page: int) -> str:
    """A page of prose, of 2 kB."""
    return _BOOK[page * 2_000 : (page + 1) * 2_000]


_BOOK = "".join(topics.values())
AGENT = Agent(name="tester", model="scripted/model", tools=[fill, noise, read], instructions="Fill.")


async def _executions(client: Client, run: Run) -> list[Recorded]:
    """The histories of the run, the last one first."""
    found = [await Recorded.of(client, run.id)]
    while True:
        started = found[-1].first("workflow_execution_started").workflow_execution_started_event_attributes
        if not started.continued_execution_run_id:
            return found
        found.append(await Recorded.of(client, run.id, started.continued_execution_run_id))


async def test_the_answer_is_the_same(serve: Serve, impatient: Client) -> None:
    KEYS.clear()
    model = Listener([calls(("fill", {"size": n})) for n in range(1, 16)] + ["Full."])
    async with serve(App(AGENT), model, temporal=impatient) as stage:
        outcome = await stage.ask(AGENT, "Fill it.")
        histories = await _executions(impatient, outcome.run)
    assert len(histories) >= 3
    assert all(len(history.events) < 100 for history in histories)
    result = outcome.result
    assert (result.status, result.output, result.turns) == (Status.COMPLETED, "Full.", 16)
    assert result.usage.total_tokens == 16 * 15
    assert result.cost_usd == pytest.approx(16 * PRICE_USD)
    whole = ["user Fill it."]
    for n in range(1, 16):
        whole += [f"assistant call_{2 * n - 1}_0=fill", f"tool call_{2 * n - 1}_0:{'x' * n}"]
    assert said(model.prompts[-1]) == whole
    assert len(model.requests) == 16
    assert len(set(KEYS)) == 15


async def test_what_the_list_shows_is_kept(serve: Serve, impatient: Client) -> None:
    async with serve(
        App(AGENT), [calls(("fill", {"size": n})) for n in range(1, 9)] + ["Full."], temporal=impatient
    ) as stage:
        outcome = await stage.ask(AGENT, "Fill it.")
        description = await impatient.get_workflow_handle(outcome.run.id).describe()
    attributes = description.search_attributes
    assert attributes[names.SEARCH_RUNNABLE] == ["tester"]
    assert attributes[names.SEARCH_STATUS] == ["completed"]
    assert attributes[names.SEARCH_TOKENS] == [9 * 15]


async def test_limits_count_over_all_executions(serve: Serve, impatient: Client) -> None:
    agent = Agent(name="tester", model="scripted/model", tools=[fill], max_turns=9)
    async with serve(App(agent), [calls(("fill", {"size": n})) for n in range(1, 12)], temporal=impatient) as stage:
        outcome = await stage.ask(agent)
    assert (outcome.result.status, outcome.result.turns) == (Status.EXHAUSTED, 9)


async def test_a_large_transcript_goes_through_the_payload_directory(
    serve: Serve, impatient: Client, tmp_path: Path
) -> None:
    config = impatient.service_client.config
    temporal = await Client.connect(config.target_host, data_converter=data_converter(tmp_path))
    model = Listener([calls(("fill", {"size": 400_000 + n})) for n in range(8)] + ["Full."])
    async with serve(App(AGENT), model, temporal=temporal) as stage:
        outcome = await stage.ask(AGENT)
        histories = await _executions(temporal, outcome.run)
    assert (outcome.result.output, outcome.result.turns) == ("Full.", 9)
    assert len(histories) >= 2
    assert sum(len(history.history.to_json()) for history in histories) < 300_000
    assert [len(content) for content in contents(model.prompts[-1])] == [400_000 + n for n in range(8)]


async def test_a_transcript_too_large_to_carry_stays(serve: Serve, impatient: Client) -> None:
    model = Listener([calls(("noise", {"size": 1_000_000 + n})) for n in range(6)] + ["Full."])
    async with serve(App(AGENT), model, temporal=impatient) as stage:
        outcome = await stage.ask(AGENT)
        histories = await _executions(impatient, outcome.run)
    assert (outcome.result.output, outcome.result.turns) == ("Full.", 7)
    assert [len(history.model_calls) for history in histories] == [7]


async def test_a_transcript_is_carried_in_little(serve: Serve, impatient: Client) -> None:
    """The server writes it twice: where one execution ends, and where the next one begins."""
    model = Listener([calls(("read", {"page": n})) for n in range(20)] + ["Read."])
    async with serve(App(AGENT), model, temporal=impatient) as stage:
        outcome = await stage.ask(AGENT)
        histories = await _executions(impatient, outcome.run)
    assert len(histories) >= 3
    for history in histories[:-1]:
        started = history.first("workflow_execution_started")
        first = history.model_calls[0]
        raw = sum(len(message.model_dump_json()) for message in model.prompts[-1][: first.base])
        assert started.ByteSize() < 0.6 * raw + 2_000  # with the spec, and what Temporal says itself
    assert contents(model.prompts[-1]) == [_BOOK[n * 2_000 : (n + 1) * 2_000] for n in range(20)]


async def test_a_full_history_ends_the_run_with_what_it_has(
    serve: Serve, impatient: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CARRIED_BYTES", 1)
    monkeypatch.setattr(limits, "HARD_HISTORY_EVENTS", 80)
    script = [calls(("fill", {"size": n}), text=f"Turn {n}.") for n in range(30)]
    async with serve(App(AGENT), script, temporal=impatient) as stage:
        outcome = await stage.ask(AGENT)
    assert outcome.result.status is Status.EXHAUSTED
    assert outcome.result.output == f"Turn {outcome.result.turns - 1}."
    assert "set SOSTENUTO_PAYLOAD_DIR" in outcome.result.reason
