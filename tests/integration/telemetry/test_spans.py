"""Every step of a run is one span: in one trace, under the step that it is in, whatever happens to the worker."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry import trace as tracing
from opentelemetry.sdk.trace import TracerProvider
from temporalio import workflow
from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Budget, Chain, Ledger, Message, Model, Price, Prompt, Team, tool
from sostenuto.activities.adapters.providers.scripted import Script
from sostenuto.connection.connect import connect
from sostenuto.workers.mcp import mcp_sessions
from sostenuto.workers.served.activities import Services
from sostenuto.workflows import ask, call_tool
from tests.fakes.otlp_receiver import OtlpReceiver, attributes, otlp_receiver
from tests.integration.agent.stage import calls, eventually
from tests.integration.mcp.conftest import fake_server
from tests.integration.telemetry.watched import assert_spans_of, received, until_sent, watched

SEEN: list[tuple[int, int]] = []
"""The span in which each call of `look` ran."""


@tool(effect="read")
async def look(at: str) -> str:
    """Look."""
    here = tracing.get_current_span().get_span_context()
    SEEN.append((here.trace_id, here.span_id))
    return f"{at} is fine"


CLERK = Agent(
    name="clerk", instructions="Be kind.", model=Model("scripted/away", fallbacks=["scripted/clerk"]), tools=[look]
)
FLOW = Chain(name="flow", steps=[Prompt(name="one", template="Say {input}", model="scripted/one"), CLERK])
CREW = Team(name="crew", model="scripted/lead", members=[CLERK, Agent(name="other", model="scripted/other")])
SCRIPT: Script = {
    "one": ["hi"],
    "away": [{"error": "QuotaExceeded"}] * 2,
    "clerk": [calls(("look", {"at": "the house"}), ("look", {"at": "the sea"})), "Fine."],
    "lead": [calls(("clerk", {"task": "look"}), ("other", {"task": "think"})), "All is well."],
    "other": ["I think."],
}


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[OtlpReceiver]:
    with otlp_receiver() as receiving:
        received(receiving, monkeypatch)
        SEEN.clear()
        yield receiving


@pytest.mark.parametrize("runnable", [FLOW, CREW], ids=["chain", "team"])
async def test_the_spans_are_the_steps(
    temporal: TemporalClient, task_queue: str, cached_runs: int, receiver: OtlpReceiver, runnable: Chain
) -> None:
    async with watched(temporal, App(runnable), SCRIPT, task_queue, max_cached_runs=cached_runs) as client:
        run = await client.start(runnable, "Hello", tenant="acme")
        await run.result()
        trace = await run.trace()
        await until_sent(receiver, f"invoke_workflow {runnable.name}")
    assert_spans_of(receiver.spans, trace)
    said = {span.name: attributes(span) for span in receiver.spans}
    assert {one["user.id"] for one in said.values()} == {"acme"}
    assert {one["session.id"] for one in said.values()} == {run.id}
    chat = said["chat scripted/clerk"]
    assert chat["gen_ai.provider.name"] == "scripted"
    assert chat["gen_ai.response.finish_reasons"] == ["stop"]
    assert "Be kind." in chat["gen_ai.system_instructions"]
    assert "the sea is fine" in chat["gen_ai.input.messages"]
    away = next(span for span in receiver.spans if span.name == "chat scripted/away")
    assert away.status.code == 2
    assert "QuotaExceeded" in away.status.message
    tools = {
        (int.from_bytes(span.trace_id), int.from_bytes(span.span_id))
        for span in receiver.spans
        if span.name == "execute_tool look"
    }
    assert set(SEEN) == tools


async def test_a_ledger_that_runs_spend_from_is_told_of_by_none(
    temporal: TemporalClient, task_queue: str, cached_runs: int, receiver: OtlpReceiver
) -> None:
    model = Model("scripted/clerk", price=Price(input=1, output=10))
    clerk = Agent(name="clerk", model=model, tools=[look], budget=Budget(ledger=Ledger(task_queue, turns=9)))
    script: Script = {"clerk": [calls(("look", {"at": "the sea"})), "Fine."] * 2}
    async with watched(temporal, App(clerk), script, task_queue, max_cached_runs=cached_runs) as client:
        traces = {}
        for _ in range(2):
            run = await client.start(clerk, "Hello")
            await run.result()
            traces[run.id] = await run.trace()
        assert (await client.ledgers.get(task_queue)).spent.turns == 4
        await until_sent(receiver, "invoke_agent clerk", 2)
    by_run = {attributes(span)["session.id"]: span.trace_id for span in receiver.spans}
    assert set(by_run) == set(traces)
    for run_id, trace in traces.items():
        assert_spans_of([span for span in receiver.spans if span.trace_id == by_run[run_id]], trace)


async def test_steps_are_told_while_the_run_goes_on(
    temporal: TemporalClient, task_queue: str, receiver: OtlpReceiver
) -> None:
    gate = asyncio.Event()

    @tool(effect="read")
    async def wait() -> str:
        """Wait."""
        await gate.wait()
        return "waited"

    waiter = Agent(name="waiter", model="scripted/waiter", tools=[wait])
    script: Script = {"waiter": [calls(("wait", {})), "Done."]}
    async with watched(temporal, App(waiter), script, task_queue) as client:
        run = await client.start(waiter, "Hello")
        await until_sent(receiver, "chat scripted/waiter")
        assert [span.name for span in receiver.spans] == ["chat scripted/waiter"]
        gate.set()
        await run.result()
        await until_sent(receiver, "invoke_agent waiter")
        assert_spans_of(receiver.spans, await run.trace())


async def test_a_long_run_is_one_trace(impatient: TemporalClient, task_queue: str, receiver: OtlpReceiver) -> None:
    long = Agent(name="long", model="scripted/long", tools=[look], max_turns=60)
    script: Script = {"long": [*[calls(("look", {"at": str(turn)})) for turn in range(30)], "Done."]}
    async with watched(impatient, App(long), script, task_queue) as client:
        run = await client.start(long, "Hello")
        await run.result()
        trace = await run.trace()
        await until_sent(receiver, "invoke_agent long")
    assert_spans_of(receiver.spans, trace)
    assert sum(span.name == "execute_tool look" for span in receiver.spans) == 30
    assert {trace_id for trace_id, _ in SEEN} == {int.from_bytes(receiver.spans[0].trace_id)}


async def test_a_run_begins_in_the_trace_of_its_caller(
    temporal: TemporalClient, task_queue: str, receiver: OtlpReceiver
) -> None:
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("caller")
    connected = await connect(temporal.service_client.config.target_host)
    async with watched(connected, App(FLOW), SCRIPT, task_queue) as client:
        with tracer.start_as_current_span("request") as caller:
            run = await client.start(FLOW, "Hello")
        await run.result()
        await until_sent(receiver, "invoke_workflow flow")
    here = caller.get_span_context()
    assert {int.from_bytes(span.trace_id) for span in receiver.spans} == {here.trace_id}
    (root,) = [span for span in receiver.spans if span.name == "invoke_workflow flow"]
    assert int.from_bytes(root.parent_span_id) == here.span_id


async def test_each_turn_of_a_chat_is_a_trace(
    temporal: TemporalClient, task_queue: str, receiver: OtlpReceiver
) -> None:
    host = Agent(name="host", model="scripted/host", tools=[look])
    script: Script = {"host": [calls(("look", {"at": "the house"})), "Fine.", "Welcome."]}
    async with watched(temporal, App(host), script, task_queue) as client:
        chat = await client.chat(host)
        for message in ("How is the house?", "Thank you."):
            await chat.send(message)
        await until_sent(receiver, "invoke_agent host", 2)
        await chat.end()
    spans = receiver.spans
    assert sorted(span.name for span in spans) == sorted(
        ["invoke_agent host"] * 2 + ["chat scripted/host"] * 3 + ["execute_tool look"]
    )
    assert len({span.trace_id for span in spans}) == 2
    assert {attributes(span)["session.id"] for span in spans} == {chat.id}
    for turn in (span for span in spans if span.name == "invoke_agent host"):
        assert turn.parent_span_id == b""
        inner = [span for span in spans if span.trace_id == turn.trace_id and span is not turn]
        assert {span.parent_span_id for span in inner} == {turn.span_id}
    (looked,) = [span for span in spans if span.name == "execute_tool look"]
    assert [(int.from_bytes(looked.trace_id), int.from_bytes(looked.span_id))] == SEEN


async def test_an_mcp_server_is_told_of_the_span_that_calls_it(
    temporal: TemporalClient, task_queue: str, receiver: OtlpReceiver, tmp_path: Path
) -> None:
    asker = Agent(name="asker", model="scripted/asker", tools=["mcp:fake"])
    script: Script = {"asker": [calls(("parent", {})), "Done."]}
    app = App(asker, mcp={"fake": fake_server(tmp_path / "journal")})
    async with (
        mcp_sessions(app.mcp) as sessions,
        watched(
            temporal,
            App(asker, mcp={"fake": fake_server(tmp_path / "journal")}),
            script,
            task_queue,
            services=Services(mcp=sessions),
        ) as client,
    ):
        await (await client.start(asker, "Hello")).result()
        await until_sent(receiver, "invoke_agent asker")
    (called,) = [span for span in receiver.spans if span.name == "execute_tool parent"]
    told = attributes(called)["gen_ai.tool.call.result"]
    trace_id, span_id = told.split("-")[1:3]
    assert trace_id == called.trace_id.hex()
    # The SDK of MCP has a span of its own between, where this process records spans.
    assert span_id == called.span_id.hex()


@workflow.defn
class Report:
    """A code-first workflow."""

    @workflow.run
    async def run(self, about: str) -> str:
        seen: str = await call_tool(look, at=about)
        return f"{await ask('scripted/one', about)} {seen}"


async def test_a_code_first_workflow(temporal: TemporalClient, task_queue: str, receiver: OtlpReceiver) -> None:
    async with watched(temporal, App(tools=[look], workflows=[Report]), SCRIPT, task_queue) as client:
        run = await client.start(Report, "the house")
        await run.result()
        trace = await run.trace()
        await until_sent(receiver, "invoke_workflow Report")
    assert_spans_of(receiver.spans, trace)


async def test_nothing_of_what_was_said_leaves_by_default(
    temporal: TemporalClient, task_queue: str, receiver: OtlpReceiver
) -> None:
    words = ("SECRET-question", "SECRET-house", "SECRET-answer", "SECRET-error")

    @tool(effect="read")
    async def fail(at: str) -> str:
        """Fail."""
        raise ValueError("SECRET-error")

    teller = Agent(name="teller", instructions="SECRET-question", model="scripted/teller", tools=[fail])
    script: Script = {"teller": [calls(("fail", {"at": "SECRET-house"})), "SECRET-answer"]}
    async with watched(
        temporal, App(teller), script, task_queue, settings={"telemetry_content": "off", "telemetry": ("otlp",)}
    ) as client:
        run = await client.start(teller, Message.user("SECRET-question"))
        await run.result()
        await until_sent(receiver, "invoke_agent teller")
    sent = b"".join(request.batch.SerializeToString() for request in receiver.requests)
    assert [word for word in words if word.encode() in sent] == []
    assert len(receiver.spans) == 4


async def test_a_backend_that_is_away_holds_up_nothing(
    temporal: TemporalClient, task_queue: str, receiver: OtlpReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.status = 503
    async with watched(temporal, App(FLOW), SCRIPT, task_queue) as client:
        for _ in range(3):
            assert (await (await client.start(FLOW, "Hello")).result()).output == "Fine."

        async def was_refused() -> bool:
            return bool(receiver.refused)

        await eventually(was_refused)
        receiver.status = 200
        await until_sent(receiver, "invoke_workflow flow", 3)
    assert len(receiver.spans) == len({span.span_id for span in receiver.spans}) == 24
    warnings = [record.message for record in caplog.records if record.name.startswith("sostenuto.workers.telemetry")]
    assert ["does not take spans" in warnings[0], "takes spans again" in warnings[1]] == [True, True]
    assert len(warnings) == 2
