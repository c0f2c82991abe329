"""What is shown of a prompt that was shortened: in traces, spans and streams, each summary once and as no answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Client, Memory, Message, Model, Prompt, Run
from sostenuto.clients.live.stream import FrameReader, stream_items
from sostenuto.contracts.errors import ContextOverflow
from sostenuto.contracts.wire.live import LiveItem, Token
from sostenuto.history.trace.step import TraceStep
from tests.fakes.counting_model import Answer, CountingModel, Sent
from tests.fakes.otlp_receiver import OtlpReceiver, attributes, otlp_receiver
from tests.integration.memory.steps import look, told, walks
from tests.integration.telemetry.watched import assert_spans_of, received, until_sent, watched

STEPS = 30
SUMMARY = "They walked a long way."
FIRST: Answer = ("look", {"number": 1})
THIRD: Answer = ("look", {"number": 3})


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[OtlpReceiver]:
    with otlp_receiver() as receiving:
        received(receiving, monkeypatch)
        yield receiving


def walker(memory: Memory, model: str = "scripted/m") -> Agent:
    return Agent(
        name="walker", model=Model(model), instructions="Walk.", tools=[look], memory=memory, max_turns=STEPS + 1
    )


@asynccontextmanager
async def walked(
    temporal: TemporalClient, queue: str, agent: Agent, model: CountingModel, *sent: str
) -> AsyncIterator[tuple[Client, Run]]:
    async with watched(temporal, App(agent), model, queue, settings={"telemetry": sent}) as client:
        run = await client.start(agent, "Walk to the end.")
        await run.result()
        yield client, run


def prompts(run: TraceStep) -> Iterator[tuple[TraceStep, list[Message]]]:
    """The prompt of each model call, as the page puts it together of what is told once."""
    before: list[Message] = []
    for step in run.walk():
        if step.kind != "model" or not step.messages:
            continue
        told, kept = iter(step.told), step.messages - len(step.told)
        order = step.order or [place if place < kept else -1 for place in range(step.messages)]
        prompt = [next(told) if place < 0 else before[place] for place in order]
        assert [*told] == []
        yield step, prompt
        if not step.summary:
            before = prompt


@pytest.mark.parametrize("strategy", ["window", "summary", "clear_tools"])
async def test_a_trace_has_every_prompt_and_says_each_message_once(
    temporal: TemporalClient, task_queue: str, strategy: str
) -> None:
    memory = Memory(window=2_500, strategy=strategy)  # type: ignore[arg-type]
    model = CountingModel(walks(STEPS), summary=lambda _: SUMMARY)
    async with walked(temporal, task_queue, walker(memory), model) as (_, run):
        trace = (await run.trace()).run
    put_together = [*prompts(trace)]
    assert [prompt for _, prompt in put_together] == [[*sent.messages] for sent in model.sent]
    assert all(step.proven for step, _ in put_together)
    assert sum(len(step.told) for step, _ in put_together) < 4 * STEPS
    notices = [step for step in trace.steps if step.kind == "notice"]
    assert len(notices) >= 2
    assert {step.name for step in notices} == {"memory.compacted"}
    summaries = [step for step in trace.steps if step.summary]
    assert len(summaries) == len(model.summaries)
    assert {step.path for step in summaries} <= {"walker/summary"}
    assert all(step.answered == SUMMARY and step.head is None for step in summaries)
    assert len({step.id for step in trace.walk()}) == len([*trace.walk()])
    assert all(step.id.startswith("walker:summary-") for step in summaries)


async def test_a_summary_that_fails_and_a_prompt_that_is_refused_say_why(
    temporal: TemporalClient, task_queue: str
) -> None:
    memory = Memory(strategy="summary", model="scripted/scribe")
    model = CountingModel(
        walks(STEPS),
        summary=lambda _: ContextOverflow("not today"),
        windows={"m": 2_500},
        tells_windows=False,
    )
    async with walked(temporal, task_queue, walker(memory), model) as (_, run):
        trace = (await run.trace()).run
    failed = [step for step in trace.steps if step.status == "failed"]
    assert [(step.summary, step.reason) for step in failed][:2] == [
        (False, "scripted/m refused the prompt as too long"),
        (True, "ContextOverflow: scripted/scribe: not today"),
    ]
    assert failed[1].messages, "it is told what it was asked"
    answered = [step for step in trace.steps if step.kind == "model" and step.status == "completed"]
    assert len(answered) == STEPS + 1
    assert trace.status == "completed"


async def test_summaries_are_spans_within_their_agent(
    temporal: TemporalClient, task_queue: str, receiver: OtlpReceiver
) -> None:
    memory = Memory(window=2_500, strategy="summary")
    model = CountingModel(walks(STEPS), summary=lambda _: SUMMARY)
    async with walked(temporal, task_queue, walker(memory), model, "otlp") as (_, run):
        trace = await run.trace()
        await until_sent(receiver, "invoke_agent walker")
    assert_spans_of(receiver.spans, trace)
    spans = [(span, attributes(span)) for span in receiver.spans]
    root = next(span for span in receiver.spans if span.name == "invoke_agent walker")
    summed = [(span, said) for span, said in spans if said.get("sostenuto.summary")]
    assert len(summed) == len(model.summaries)
    for span, said in summed:
        assert (span.name, span.parent_span_id) == ("chat scripted/m", root.span_id)
        assert "[Write a summary" in said["gen_ai.input.messages"]
        assert SUMMARY in said["gen_ai.output.messages"]
    steps = [said for span, said in spans if span.name == "notice memory.compacted"]
    assert len(steps) == len(model.summaries)
    first = steps[0]
    assert first["sostenuto.memory.strategy"] == "summary"
    assert first["sostenuto.memory.tokens_before"] > 2_500 > first["sostenuto.memory.tokens_after"]
    assert first["sostenuto.memory.messages"] > 0
    assert "left the prompt for a summary" in first["sostenuto.reason"]


async def test_the_words_of_a_summary_are_not_streamed(temporal: TemporalClient, task_queue: str) -> None:
    """Without a live channel a stream tells the words of each answer by its event."""

    def answer(sent: Sent) -> object:
        return walks(STEPS)(sent)

    memory = Memory(window=2_500, strategy="summary")
    model = CountingModel(answer, summary=lambda _: SUMMARY)  # type: ignore[arg-type]
    async with walked(temporal, task_queue, walker(memory), model) as (_, run):
        events = await told(run)
        reader = FrameReader("", temporal.namespace, run.id, "")
        items = [item async for item in stream_items(run.events(), reader, "")]
    assert any(event.type == "model.responded" and event.summary for event in events)
    live = [item for item in items if isinstance(item, LiveItem)]
    assert live == [Token(path="walker", text="I have seen it all.", position=live[0].position)]


async def test_a_tool_called_as_the_place_of_summaries(temporal: TemporalClient, task_queue: str) -> None:
    """Its run and the summaries of the agent have the same place, and are told apart."""
    nested = Prompt(name="summary", description="Sums up.", model="scripted/p", template="Sum up: {task}")
    memory = Memory(window=2_500, strategy="summary")
    agent = Agent(name="walker", model="scripted/m", tools=[look, nested], memory=memory, max_turns=STEPS + 2)

    def answer(sent: Sent) -> Answer:
        if sent.request.model.model == "p":
            return "All of it."
        last = sent.messages[-1].model_dump_json()
        return ("summary", {"task": "it"}) if "step 2:" in last else walks(STEPS)(sent) if "step" in last else THIRD

    model = CountingModel(lambda sent: FIRST if len(sent.messages) == 1 and sent.request.tools else answer(sent))
    async with walked(temporal, task_queue, agent, model) as (_, run):
        trace = (await run.trace()).run
    (inner,) = [step for step in trace.steps for step in step.walk() if step.kind == "run"]
    assert [(step.kind, step.summary) for step in inner.steps] == [("model", False)]
    assert len([step for step in trace.steps if step.summary]) == len(model.summaries) > 0
    assert all(step.proven for step in trace.walk() if step.kind == "model")
