"""What people say of runs is stored whatever is down, and comes to each tool once, on the span of what it is about."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace import TracerProvider
from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowExecutionStatus

from sostenuto import Agent, App, Chat, Client, Run, Score, SpecError, Team, tool
from sostenuto.activities.adapters.providers.scripted import Script, ScriptedAdapter
from sostenuto.activities.call.live import Live
from sostenuto.activities.transcript_cache import TranscriptCache
from sostenuto.connection.connect import connect
from sostenuto.contracts import names
from sostenuto.workers.served.activities import Services
from sostenuto.workers.settings import Settings
from sostenuto.workers.telemetry.sending.score_takers import score_takers
from sostenuto.workers.telemetry.telemetry import telemetry_of
from sostenuto.workers.worker import build_worker
from tests.fakes.http_server import Answer, of_json
from tests.fakes.score_tools import KEY, PROJECT_ID, TOOLS, ScoreTools
from tests.integration.agent.stage import calls, eventually

GATE = asyncio.Event()
ALL_SENT = dict.fromkeys(TOOLS, "sent")


@tool(effect="read")
async def look(at: str) -> str:
    """Look, once one may."""
    await GATE.wait()
    return f"{at} is fine"


CLERK = Agent(name="clerk", model="scripted/clerk", tools=[look])
TALKER = Agent(name="talker", model="scripted/talker")
CREW = Team(name="crew", model="scripted/lead", members=[CLERK, TALKER])
APP = App(CLERK, TALKER, CREW)
SCRIPT: Script = {
    "clerk": [calls(("look", {"at": "the house"})), "Fine."],
    "lead": [calls(("clerk", {"task": "look"})), "All is well."],
    "talker": ["One.", "Two."],
}


@asynccontextmanager
async def serving(
    temporal: TemporalClient, task_queue: str, telemetry: tuple[str, ...] = TOOLS, **options: Any
) -> AsyncIterator[Client]:
    """A worker with these destinations."""
    settings = Settings(telemetry=telemetry, **options)
    live, cache = Live(), TranscriptCache()
    async with (
        telemetry_of(settings, temporal, task_queue=task_queue, live=live, cache=cache) as interceptors,
        score_takers(settings) as scores,
        build_worker(
            temporal,
            APP,
            {"scripted": ScriptedAdapter(SCRIPT)},
            lambda *_: 0.0,
            task_queue=task_queue,
            max_cached_runs=0,
            services=Services(live=live, cache=cache, scores=scores),
            interceptors=interceptors,
        ),
    ):
        yield Client(temporal, task_queue=task_queue, redis_url="")


@pytest.fixture
async def tools(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ScoreTools]:
    GATE.set()
    async with ScoreTools() as tools:
        tools.name(monkeypatch)
        yield tools


async def until_listed(scored: Run | Chat, *sent: dict[str, str]) -> tuple[Score, ...]:
    """Wait until the scores are listed, and have come to this; return them."""
    found: tuple[Score, ...] = ()

    async def are_listed() -> bool:
        nonlocal found
        found = await scored.scores()
        return [one.sent for one in found] == list(sent)

    try:
        await eventually(are_listed)
    except AssertionError:
        assert [one.sent for one in found] == list(sent)
    return found


def ids(span: Span) -> tuple[str, str]:
    """The ids of a span, as tools write them."""
    return span.trace_id.hex(), span.span_id.hex()


async def test_a_run_that_is_over(temporal: TemporalClient, task_queue: str, tools: ScoreTools) -> None:
    """Each tool gets a number, a word of two, and a label, in its own words, on the span of the run."""
    async with serving(temporal, task_queue) as client:
        run = await client.start(TALKER, "Hello", id=f"{task_queue} größe: 'x' \"%_")
        await run.result()
        helpful = await run.score("helpful", 4.56789, comment="Short,\nand right.", by="anna")
        await run.score("polite", False, by="anna")
        await run.score("tone", "formal", by="anna")
        listed = await until_listed(run, ALL_SENT, ALL_SENT, ALL_SENT)
        again = await (await client.get(run.id)).scores()
        assert run.id not in [one.id for one in await client.list(f"WorkflowType = '{names.SCORE_WORKFLOW}'")]
    assert again == listed
    assert listed[0].model_copy(update={"sent": {}}) == helpful
    assert [(one.name, one.value, one.by) for one in listed] == [
        ("helpful", 4.56789, "anna"),
        ("polite", False, "anna"),
        ("tone", "formal", "anna"),
    ]
    trace_id, span_id = ids(tools.span("invoke_agent talker"))
    told = {one["name"]: one for one in tools.all("langfuse")}
    assert {(one["traceId"], one["observationId"]) for one in told.values()} == {(trace_id, span_id)}
    assert told["helpful"]["comment"] == "Short,\nand right."
    assert told["helpful"]["metadata"] == {"by": "anna"}
    values = {name: (one["value"], one["dataType"]) for name, one in told.items()}
    assert values == {"helpful": (4.56789, "NUMERIC"), "polite": (0, "BOOLEAN"), "tone": ("formal", "CATEGORICAL")}
    told = {one["key"]: one for one in tools.all("langsmith")}
    assert {UUID(one["run_id"]).int for one in told.values()} == {int(span_id, 16)}
    assert {one["session_id"] for one in told.values()} == {PROJECT_ID}
    assert (told["helpful"]["score"], told["helpful"]["comment"]) == (4.5679, "Short,\nand right.")
    assert told["helpful"]["feedback_source"] == {"type": "api", "metadata": {"by": "anna"}}
    assert (told["polite"]["score"], told["tone"]["value"], "score" in told["tone"]) == (False, "formal", False)
    told = {one["name"]: one for one in tools.all("phoenix")}
    assert {one["span_id"] for one in told.values()} == {span_id}
    assert told["helpful"]["result"] == {"score": 4.56789, "explanation": "Short,\nand right."}
    assert told["polite"]["result"] == {"score": 0.0, "label": "false"}
    assert told["tone"]["result"] == {"label": "formal"}
    assert {(one["annotator_kind"], one["metadata"]["by"]) for one in told.values()} == {("HUMAN", "anna")}
    for asked in tools.server.asked:
        assert KEY.encode() not in asked.body


async def test_a_run_under_way(temporal: TemporalClient, task_queue: str, tools: ScoreTools) -> None:
    """It is told at once to who needs not know the run before, and to the others once that has ended."""
    GATE.clear()
    async with serving(temporal, task_queue) as client:
        run = await client.start(CLERK, "Look.")
        await run.score("helpful", 1)
        waiting = {"langfuse": "sent", "langsmith": "waiting", "phoenix": "waiting"}
        [score] = await until_listed(run, waiting)
        assert (score.value, score.by, score.turn) == (1.0, "", "")
        GATE.set()
        await run.result()
        await until_listed(run, ALL_SENT)
    assert [one["span_id"] for one in tools.all("phoenix")] == [ids(tools.span("invoke_agent clerk"))[1]]


async def test_a_nested_run_and_one_that_was_started_in_a_trace(
    temporal: TemporalClient, task_queue: str, tools: ScoreTools
) -> None:
    host = temporal.service_client.config.target_host
    here = await connect(host)
    async with serving(temporal, task_queue):
        client = Client(here, task_queue=task_queue, redis_url="")
        with TracerProvider().get_tracer("shop").start_as_current_span("checkout") as span:
            run = await client.start(CREW, "How is the house?")
            trace_id = f"{span.get_span_context().trace_id:032x}"
        await run.result()
        [inner] = await run.nested()
        await run.score("helpful", True)
        await (await client.get(inner)).score("careful", True)
        await until_listed(run, ALL_SENT)
        await until_listed(await client.get(inner), ALL_SENT)
    told = {one["name"]: (one["traceId"], one["observationId"]) for one in tools.all("langfuse")}
    assert told == {
        "helpful": ids(tools.span("invoke_workflow crew")),
        "careful": ids(tools.span("invoke_agent clerk")),
    }
    assert {one for one, _ in told.values()} == {trace_id}


async def test_a_turn_of_a_chat(temporal: TemporalClient, task_queue: str, tools: ScoreTools) -> None:
    async with serving(temporal, task_queue) as client:
        chat = await client.chat(TALKER, id=f"chat-{task_queue}")
        with pytest.raises(SpecError, match="no turn has ended yet"):
            await chat.score("helpful", 1.0)
        for number in (1, 2):
            await chat.send(f"Question {number}?", id=f"m{number}")
        await chat.score("helpful", 0.25, turn="m1")
        await chat.score("helpful", 0.5)
        with pytest.raises(SpecError, match="has no turn of a message 'm3'"):
            await chat.score("helpful", 1.0, turn="m3")
        first, second = await until_listed(chat, ALL_SENT, ALL_SENT)
        assert await (await client.get(chat.id)).scores() == (first, second)
        await chat.end()
    assert [(one.turn, one.value) for one in (first, second)] == [("m1", 0.25), ("m2", 0.5)]
    told = {one["value"]: (one["traceId"], one["observationId"]) for one in tools.all("langfuse")}
    turns = [ids(tools.span("invoke_agent talker", index)) for index in (0, 1)]
    assert (told[0.25], told[0.5]) == (turns[0], turns[1])


async def test_the_same_person_thinks_again(temporal: TemporalClient, task_queue: str, tools: ScoreTools) -> None:
    """Also while the score before is under way; what others say stands beside it."""
    tools.answers["langfuse"] = Answer(503)
    async with serving(temporal, task_queue) as client:
        run = await client.start(TALKER, "Hello")
        await run.result()
        await run.score("helpful", 0.0, comment="Wrong.", by="anna")
        await until_listed(run, {**ALL_SENT, "langfuse": "waiting"})
        await run.score("helpful", 0.5, by="otto")
        await run.score("helpful", 1.0, by="anna")
        del tools.answers["langfuse"]
        otto, anna = await until_listed(run, ALL_SENT, ALL_SENT)
        await run.score("helpful", "very", by="anna")

        async def is_replaced() -> bool:
            found = {one.by: one for one in await run.scores()}
            return len(found) == 2 and (found["anna"].value, found["anna"].sent) == ("very", ALL_SENT)

        await eventually(is_replaced)
    assert [(one.by, one.value, one.comment) for one in (otto, anna)] == [("otto", 0.5, ""), ("anna", 1.0, "")]
    assert sorted(str(one["value"]) for one in tools.all("langfuse")) == ["0.5", "very"]
    told = sorted(
        (one.get("score"), one["value"], one["comment"]) for one in tools.all("langsmith") if one.get("value")
    )
    assert told == [(None, "very", "")]
    assert sorted(str(one["result"]) for one in tools.all("phoenix")) == ["{'label': 'very'}", "{'score': 0.5}"]


async def test_one_that_is_down_holds_up_no_other(temporal: TemporalClient, task_queue: str, tools: ScoreTools) -> None:
    """And the others are not told again when it comes up; nor is one that refuses, which tells why without a key."""
    tools.answers["langfuse"] = Answer(503)
    tools.answers["phoenix"] = of_json({"detail": f"the key {KEY} lacks a right"}, 403)
    refused = (
        f'{tools.server.url}/phoenix/v1/span_annotations answers 403 ({{"detail": "the key [redacted] lacks a right"}})'
    )
    async with serving(temporal, task_queue) as client:
        run = await client.start(TALKER, "Hello")
        await run.result()
        await run.score("helpful", 1.0)
        await until_listed(run, {"langfuse": "waiting", "langsmith": "sent", "phoenix": refused})

        async def was_tried_again() -> bool:
            return len(tools.asked("langfuse")) > 1

        await eventually(was_tried_again)
        known = len(tools.asked("langsmith"))
        del tools.answers["langfuse"]
        await until_listed(run, {"langfuse": "sent", "langsmith": "sent", "phoenix": refused})
    assert (len(tools.asked("phoenix")), len(tools.asked("langsmith"))) == (1, known)
    assert len(tools.all("langfuse")) == len(tools.all("langsmith")) == 1


async def test_what_is_stored_without_a_worker_is_sent_by_the_next(
    temporal: TemporalClient, task_queue: str, tools: ScoreTools
) -> None:
    async with serving(temporal, task_queue) as client:
        run = await client.start(TALKER, "Hello")
        await run.result()
    await run.score("helpful", 1.0, comment="Fine.")
    [score] = await until_listed(run, {})
    assert (score.comment, tools.all("langfuse")) == ("Fine.", [])
    async with serving(temporal, task_queue):
        await until_listed(run, ALL_SENT)
    assert [one["value"] for one in tools.all("langfuse")] == [1.0]


async def test_a_worker_whose_tools_take_none_sends_nothing(
    temporal: TemporalClient, task_queue: str, tools: ScoreTools, tmp_path: Any
) -> None:
    async with serving(temporal, task_queue, ("file",), state_dir=tmp_path) as client:
        run = await client.start(TALKER, "Hello")
        await run.result()
        await run.score("helpful", 1.0)
        query = f"WorkflowType = '{names.SCORE_WORKFLOW}' AND TaskQueue = '{task_queue}'"

        async def is_over() -> bool:
            states = [one.status async for one in temporal.list_workflows(query)]
            return states == [WorkflowExecutionStatus.COMPLETED]

        await eventually(is_over)
        assert [one.sent for one in await run.scores()] == [{}]
    assert tools.server.asked == []
    assert "helpful" not in (tmp_path / "telemetry.jsonl").read_text()


async def test_secrets_do_not_leave_and_persons_only_where_that_is_let(
    temporal: TemporalClient, task_queue: str, tools: ScoreTools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANTED_TOKEN", "a secret of the worker")
    told = []
    for content in ("off", "redacted"):
        async with serving(temporal, task_queue, ("langfuse",), telemetry_content=content) as client:
            run = await client.start(TALKER, "Hello")
            await run.result()
            await run.score("helpful", 1.0, comment="It knows a secret of the worker.", by=f"{content}@example.com")
            await until_listed(run, {"langfuse": "sent"})
        told.append(tools.all("langfuse")[-1])
    assert [(one["comment"], one["metadata"]["by"]) for one in told] == [
        ("It knows [secret].", "off@example.com"),
        ("It knows [secret].", "[e-mail]"),
    ]


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"name": ""}, "score: name='' is none: it has 1 to 100 printable characters"),
        ({"name": "a\nb"}, r"score: name='a\\nb' is none"),
        ({"name": "x" * 101}, "score: name='xxx"),
        ({"name": 7}, "score: name=7 is none"),
        ({"value": float("nan")}, "score: value=nan is none: pass a finite number, True or False, or a label"),
        ({"value": float("-inf")}, "score: value=-inf is none"),
        ({"value": 10**400}, "score: value=1000"),
        ({"value": None}, "score: value=None is none"),
        ({"value": " "}, "score: value=' ' is none"),
        ({"value": "x" * 201}, "score: value='xxx"),
        ({"by": "half \ud83d"}, r"score: by='half \\ud83d' is none"),
        ({"comment": "x" * 4001}, "score: comment is to be a text in Unicode, of at most 4,000 characters"),
        ({"comment": "half \ud83d"}, "score: comment is to be a text in Unicode"),
        ({"turn": "m1"}, "is a run, and has no turns"),
    ],
    ids=lambda one: str(one)[:20].encode(errors="replace").decode() if isinstance(one, dict) else "",
)
async def test_what_is_no_score(temporal: TemporalClient, task_queue: str, wrong: dict[str, Any], problem: str) -> None:
    run = await Client(temporal, task_queue=task_queue, redis_url="").start(TALKER, "Hello")
    with pytest.raises(SpecError, match=problem):
        await run.score(**{"name": "helpful", "value": 1.0, **wrong})
    assert await run.scores() == ()


async def test_a_run_that_there_is_not(temporal: TemporalClient) -> None:
    run = Run(temporal, "no-such-run", "0a8f6f0c-5d7a-4b7e-9a55-0f6a0d4a7f52", None, "")
    with pytest.raises(SpecError, match="run 'no-such-run': there is no such run"):
        await run.score("helpful", 1.0)
    with pytest.raises(SpecError, match="run 'no-such-run': there is no such run"):
        await run.scores()


async def test_the_history_of_a_score_is_short(temporal: TemporalClient, task_queue: str, tools: ScoreTools) -> None:
    async with serving(temporal, task_queue) as client:
        run = await client.start(TALKER, "Hello")
        await run.result()
        await run.score("helpful", 1.0, comment="A comment of its own.")
        await until_listed(run, ALL_SENT)
        query = f"WorkflowType = '{names.SCORE_WORKFLOW}' AND TaskQueue = '{task_queue}'"
        [found] = [one async for one in temporal.list_workflows(query)]
        history = await temporal.get_workflow_handle(found.id).fetch_history()
    assert len(history.events) < 30
    assert KEY not in json.dumps(history.to_json())
