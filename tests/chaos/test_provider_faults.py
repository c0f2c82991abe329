"""Providers fail in every way that a wire allows, in the middle of runs: the runs end as if nothing had been.

The real SDKs talk to a loopback server in the provider's own protocol, and the workflow retries as in production.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Client, Model, Status, tool
from sostenuto.workers.worker import build_worker
from tests.chaos.victim import record, recorded
from tests.conformance.subject import OVER_THE_WIRE, on_the_wire, wire_adapter
from tests.fakes.wire.server import Fault, ProviderServer
from tests.fakes.wire.streams import WireStep
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.chaos

AT_ONCE = {"retry-after-ms": "50"}

FAULTS = (
    *(Fault(kind="status", status=429, headers=AT_ONCE), Fault(kind="reset"), None),
    *(Fault(kind="status", status=500), Fault(kind="die"), None),
    *(Fault(kind="status", status=529, headers=AT_ONCE), Fault(kind="hang"), Fault(kind="error_event"), None),
)
"""Two or three for each of three turns, and then the answer."""


def _script() -> tuple[WireStep, ...]:
    return (
        WireStep.model_validate({"tool_calls": [{"name": "note", "arguments": {"text": "a"}}], "reasoning": "Hm."}),
        WireStep.model_validate({"tool_calls": [{"name": "note", "arguments": {"text": "b"}}]}),
        WireStep(text="noted"),
    )


def _app(directory: Path, model: Model) -> App:
    @tool(effect="once")
    async def note(text: str) -> str:
        """Note something."""
        record(directory, "notes", text=text)
        return f"noted {text}"

    return App(Agent(name="scribe", model=model, tools=[note]))


@pytest.mark.parametrize("protocol", OVER_THE_WIRE)
async def test_every_fault(temporal: TemporalClient, task_queue: str, tmp_path: Path, protocol: str) -> None:
    """Each fault costs one more request and nothing else."""
    app = _app(tmp_path, Model(f"{protocol}/test-model", timeout=timedelta(seconds=5)))
    async with on_the_wire(protocol, *_script(), faults=FAULTS) as (adapter, server):
        worker = build_worker(temporal, app, {protocol: adapter}, lambda *_: 0.01, task_queue=task_queue)
        async with worker:
            client = Client(temporal, task_queue=task_queue)
            run = await client.start(app.runnable("scribe"), "Go.", id=task_queue)
            result = await run.result()
    assert (result.status, result.output, result.turns) == (Status.COMPLETED, "noted", 3)
    assert len(server.requests) == len(FAULTS)
    assert Counter(line["text"] for line in recorded(tmp_path, "notes")) == {"a": 1, "b": 1}
    assert result.cost_usd == pytest.approx(0.03)


@pytest.mark.parametrize("protocol", OVER_THE_WIRE)
async def test_answers_that_break_off_are_paid_three_times(
    temporal: TemporalClient, task_queue: str, tmp_path: Path, protocol: str
) -> None:
    """What comes before them, and between them, costs nothing and counts for nothing."""
    free, paid = Fault(kind="reset"), Fault(kind="die")
    faults = (free, paid, free, free, paid, free, paid, *[paid] * 9)
    app = _app(tmp_path, Model(f"{protocol}/test-model", timeout=timedelta(seconds=PATIENCE_SECONDS)))
    async with (
        on_the_wire(protocol, WireStep(text="So " * 50), faults=faults) as (adapter, server),
        build_worker(temporal, app, {protocol: adapter}, lambda *_: 0.01, task_queue=task_queue),
    ):
        client = Client(temporal, task_queue=task_queue)
        result = await (await client.start(app.runnable("scribe"), "Go.", id=task_queue)).result()
    assert result.status is Status.FAILED
    assert len(server.requests) == faults.index(paid, 6) + 1


@pytest.mark.parametrize(("first", "second"), [("anthropic", "openai"), ("openai", "anthropic")])
async def test_provider_dies_for_good(
    temporal: TemporalClient, task_queue: str, tmp_path: Path, first: str, second: str
) -> None:
    """The other provider goes on in the middle, with the tool calls and without the foreign reasoning."""
    model = Model(f"{first}/test-model", fallbacks=[f"{second}/test-model"])
    app = _app(tmp_path, model)
    denied = Fault(kind="status", status=401)
    async with ProviderServer(_script(), [None, denied]) as dying, ProviderServer(_script()) as heir:
        adapters = {
            first: wire_adapter(first, dying.base_url(first)),
            second: wire_adapter(second, heir.base_url(second)),
        }
        worker = build_worker(temporal, app, adapters, lambda *_: 0.01, task_queue=task_queue)
        async with worker:
            run = await Client(temporal, task_queue=task_queue).start(app.runnable("scribe"), "Go.", id=task_queue)
            events = [event async for event in run.events()]
            result = await run.result()
        await asyncio.gather(*(adapter.close() for adapter in adapters.values()))
    fallbacks = [event for event in events if event.type == "fallback.used"]
    assert (result.status, result.output) == (Status.COMPLETED, "noted")
    assert [(f.turn, f.failed, f.model) for f in fallbacks] == [(2, f"{first}/test-model", f"{second}/test-model")]
    assert "AuthenticationFailed" in fallbacks[0].reason
    assert (len(dying.requests), len(heir.requests)) == (2, 2)
    sent = str(heir.requests[0].body)
    assert "noted a" in sent
    assert "call_1_0" in sent
    assert "Hm." not in sent
    assert Counter(line["text"] for line in recorded(tmp_path, "notes")) == {"a": 1, "b": 1}
