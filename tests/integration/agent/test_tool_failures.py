"""Whatever happens to a tool call, the model is told of it and the run goes on."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from pydantic import Field
from temporalio.client import Client

from sostenuto import Agent, App, Effect, Status, ToolContext, ToolError, tool
from sostenuto.activities.call import heartbeat
from sostenuto.contracts.message import ToolResultPart
from sostenuto.workflows import policy
from tests.integration.agent.stage import Outcome, calls, eventually
from tests.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from tests.integration.agent.conftest import Play, Serve


@tool(effect="read")
async def look(at: str, times: Annotated[int, Field(ge=1, le=9)] = 1) -> str:
    """Look at a thing."""
    return f"a {at}" * times


def told(outcome: Outcome) -> str:
    """The one error that the model was told, of a run that went on."""
    assert (outcome.result.status, outcome.result.output) == (Status.COMPLETED, "Well.")
    [(content, is_error)] = outcome.tool_results
    assert is_error
    return content


async def test_an_unknown_tool(play: Play) -> None:
    outcome = await play([calls(("loook", {"at": "cat"})), "Well."], tools=[look])
    assert told(outcome) == "There is no tool 'loook'. There are: look."
    assert len(outcome.history.scheduled) == 2


async def test_malformed_arguments(play: Play) -> None:
    step = {"tool_calls": [{"name": "look", "malformed": '{"at": '}]}
    outcome = await play([step, "Well."], tools=[look])
    text = told(outcome)
    assert "not a JSON object" in text
    assert '{"at": ' in text
    assert '"maximum": 9' in text
    assert len(outcome.history.scheduled) == 2


async def test_arguments_that_do_not_validate(play: Play) -> None:
    outcome = await play([calls(("look", {"at": "cat", "times": 12, "from": "x"})), "Well."], tools=[look])
    text = told(outcome)
    assert "times: Input should be less than or equal to 9" in text
    assert "from: Extra inputs are not permitted" in text
    assert '"maximum":9' in text


class UnprintableError(Exception):
    """An error whose text is not valid Unicode."""

    def __str__(self) -> str:
        return "bad \udc80 name"


class WordlessError(Exception):
    """An error whose text raises another one."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


RAISED: list[tuple[BaseException, str]] = [
    (ToolError("the shop is closed"), "the shop is closed"),
    (ValueError("no such thing"), "ValueError: no such thing"),
    (KeyError("id"), "KeyError: 'id'"),
    (TimeoutError("upstream"), "TimeoutError: upstream"),
    (asyncio.CancelledError("inner"), "CancelledError: inner"),  # by itself, not because the run was cancelled
    (GeneratorExit("closed"), "GeneratorExit: closed"),
    (KeyboardInterrupt(), "KeyboardInterrupt"),
    (WordlessError(), "WordlessError: (its text cannot be read: RuntimeError)"),
    (SystemExit(3), "SystemExit: 3"),
    (StopIteration(), "StopIteration"),
    (UnprintableError(), "UnprintableError: bad"),
    (ToolError("x" * 5_000_000), "x" * 1000),
    # As a task group raises it.
    (ExceptionGroup("errors", [ExceptionGroup("inner", [ToolError("the shop is shut")])]), "the shop is shut"),
    (ExceptionGroup("errors", [KeyError("a"), ValueError("b")]), "KeyError: 'a'; ValueError: b"),
]


@pytest.mark.parametrize(
    ("raised", "words"), RAISED, ids=[f"{type(error).__name__}-{len(words)}" for error, words in RAISED]
)
@pytest.mark.parametrize("sync", [False, True], ids=["async", "sync"])
async def test_a_tool_that_raises(play: Play, raised: BaseException, words: str, sync: bool) -> None:
    @tool
    async def fail() -> None:
        raise raised

    @tool(name="fail")
    def fail_sync() -> None:
        raise raised

    outcome = await play([calls(("fail", {})), "Well."], tools=[fail_sync if sync else fail])
    assert words in told(outcome)
    assert outcome.history.attempts["tester:call_1_0"] == 1


async def test_a_tool_whose_task_group_says_no_is_not_run_again(play: Play) -> None:
    runs: list[int] = []

    @tool(effect="read")
    async def fail() -> None:
        runs.append(1)
        raise ExceptionGroup("unhandled errors in a TaskGroup", [ToolError("the shop is shut")])

    outcome = await play([calls(("fail", {})), "Well."], tools=[fail])
    assert told(outcome) == "the shop is shut"
    assert len(runs) == 1


@pytest.mark.parametrize("raised", [WordlessError(), asyncio.CancelledError(), KeyboardInterrupt(), GeneratorExit()])
@pytest.mark.parametrize("fast", [False, True], ids=["activity", "fast"])
async def test_a_tool_is_run_as_often_as_it_says(play: Play, raised: BaseException, fast: bool) -> None:
    runs: list[int] = []

    @tool(effect="read", fast=fast, retries=1)
    async def fail() -> None:
        runs.append(1)
        raise raised

    outcome = await play([calls(("fail", {})), "Well."], tools=[fail])
    assert type(raised).__name__ in told(outcome)
    assert len(runs) == 2


async def test_a_fast_tool_that_raises(play: Play) -> None:
    @tool(effect="read", fast=True)
    async def fail() -> None:
        raise ToolError("not there")

    outcome = await play([calls(("fail", {})), "Well."], tools=[fail])
    assert told(outcome) == "not there"


@pytest.mark.parametrize(
    "returned",
    ["\udc80", {"a": object()}, "я" * 1_000_000, "x" * 1_600_000],
    ids=["surrogate", "object", "bytes", "long"],
)
async def test_a_result_that_cannot_be_kept(play: Play, returned: Any) -> None:
    @tool(effect="read")
    async def give() -> Any:
        return returned

    outcome = await play([calls(("give", {})), "Well."], tools=[give])
    text = told(outcome)
    if isinstance(returned, str) and len(returned) > 10:
        assert "bytes and the limit is 1,500,000" in text


@pytest.mark.parametrize("returned", ["\udc80", {"a": object()}, b"\xff", "x" * 3_000_000])
async def test_a_tool_that_has_run_is_told_to_have_run(play: Play, returned: Any) -> None:
    """A model that is told of a failure would call again, and pay twice."""
    runs: list[int] = []

    @tool(effect="once")
    async def pay() -> Any:
        runs.append(1)
        return returned

    outcome = await play([calls(("pay", {})), "Well."], tools=[pay])
    result = (await outcome.run.transcript())[2].parts[0]
    assert isinstance(result, ToolResultPart)
    content = result.content
    assert not result.is_error
    assert content.startswith("pay has run: do not call it again for the same. The result ")
    assert len(runs) == 1
    if isinstance(returned, str) and len(returned) > 10:
        assert "It begins with:\nxxx" in content
        assert 1_000_000 < len(content) < 1_500_000


@pytest.mark.parametrize("sync", [False, True], ids=["async", "sync"])
async def test_a_tool_that_takes_too_long(play: Play, sync: bool) -> None:
    noticed: list[bool] = []

    @tool(effect="read", timeout=timedelta(seconds=0.2))
    async def wait() -> None:
        await asyncio.sleep(30)

    @tool(effect="read", timeout=timedelta(seconds=0.2), name="wait")
    def wait_sync(ctx: ToolContext) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not ctx.cancelled and time.monotonic() < end:
            time.sleep(0.01)
        noticed.append(ctx.cancelled)

    outcome = await play([calls(("wait", {})), "Well."], tools=[wait_sync if sync else wait])
    assert told(outcome) == "wait took longer than 0.2 s and was stopped."
    if sync:
        await eventually(lambda: _true(noticed == [True]))


async def _true(value: bool) -> bool:
    return value


async def test_a_once_tool_that_took_too_long_may_have_taken_effect(play: Play) -> None:
    @tool(timeout=timedelta(seconds=0.2))
    async def pay() -> None:
        await asyncio.sleep(30)

    outcome = await play([calls(("pay", {})), "Well."], tools=[pay])
    assert "Whether it took effect is unknown" in told(outcome)


@pytest.fixture
def lost_heartbeats(monkeypatch: pytest.MonkeyPatch) -> None:
    """No heartbeat arrives in time: what a dead worker looks like to the server."""
    monkeypatch.setattr(policy, "HEARTBEAT_TIMEOUT", timedelta(seconds=1))
    monkeypatch.setattr(heartbeat, "INTERVAL_SECONDS", 60)


@pytest.mark.usefixtures("lost_heartbeats")
async def test_an_interrupted_once_tool_runs_once(play: Play) -> None:
    starts: list[int] = []

    @tool
    async def pay(ctx: ToolContext) -> None:
        starts.append(ctx.attempt)
        await asyncio.sleep(3)

    outcome = await play([calls(("pay", {})), "Well."], tools=[pay])
    assert "was interrupted and will not be tried again. Whether it took effect is unknown" in told(outcome)
    assert starts == [1]


@pytest.mark.usefixtures("lost_heartbeats")
async def test_an_interrupted_repeatable_tool_runs_again(play: Play) -> None:
    keys: list[str] = []

    @tool(effect="idempotent")
    async def note(ctx: ToolContext) -> int:
        keys.append(ctx.idempotency_key)
        await asyncio.sleep(3 if ctx.attempt == 1 else 0)
        return ctx.attempt

    outcome = await play([calls(("note", {})), "Well."], tools=[note])
    assert outcome.tool_results == [("2", False)]
    assert len(keys) == 2
    assert len(set(keys)) == 1


@pytest.mark.parametrize("fast", [False, True], ids=["plain", "fast"])
async def test_retries_have_the_same_key(play: Play, fast: bool) -> None:
    attempts: list[tuple[int, str]] = []

    @tool(effect="read", fast=fast, retries=2)
    async def fetch(ctx: ToolContext) -> str:
        attempts.append((ctx.attempt, ctx.idempotency_key))
        if ctx.attempt < 3:
            raise ConnectionError("reset")
        return "got it"

    outcome = await play([calls(("fetch", {})), "Well."], tools=[fetch])
    assert outcome.tool_results == [("got it", False)]
    assert [attempt for attempt, _ in attempts] == [1, 2, 3]
    assert len({key for _, key in attempts}) == 1


async def test_the_model_is_told_when_the_retries_are_used_up(play: Play) -> None:
    @tool(effect="read", retries=1)
    async def fetch() -> str:
        raise ConnectionError("reset")

    outcome = await play([calls(("fetch", {})), "Well."], tools=[fetch])
    assert told(outcome) == "ConnectionError: reset"
    assert outcome.history.attempts["tester:call_1_0"] == 2


async def test_a_tool_error_is_not_tried_again(play: Play) -> None:
    @tool(effect="read", retries=5)
    async def fetch() -> str:
        raise ToolError("there is none")

    outcome = await play([calls(("fetch", {})), "Well."], tools=[fetch])
    assert told(outcome) == "there is none"
    assert outcome.history.attempts["tester:call_1_0"] == 1


async def test_progress_that_is_no_json_is_an_error_of_the_tool(play: Play) -> None:
    @tool(effect="read", retries=0)
    async def fetch(ctx: ToolContext) -> str:
        ctx.heartbeat(object())  # type: ignore[arg-type]
        return "never"

    outcome = await play([calls(("fetch", {})), "Well."], tools=[fetch])
    assert "PydanticSerializationError: Unable to serialize" in told(outcome)


async def test_progress_is_shown_until_there_is_more(serve: Serve, temporal: Client) -> None:
    """It stays over the heartbeats that only say that the call lives."""
    seen: list[str] = []

    @tool(effect="read")
    async def fetch(ctx: ToolContext) -> str:
        ctx.heartbeat({"page": 1})
        await until_seen.wait()
        return "fetched"

    until_seen = asyncio.Event()
    agent = Agent(name="tester", model="scripted/model", tools=[fetch])
    async with serve(App(agent), [calls(("fetch", {})), "Well."]) as stage:
        run = await stage.start(agent)
        beats: set[int] = set()

        async def twice() -> bool:
            description = await temporal.get_workflow_handle(run.id).describe()
            for pending in description.raw_description.pending_activities:
                if pending.heartbeat_details.payloads:
                    beats.add(pending.last_heartbeat_time.ToNanoseconds())
                    seen.append(pending.heartbeat_details.payloads[0].data.decode())
            return len(beats) == 2

        await eventually(twice)
        until_seen.set()
        outcome = await stage.outcome(run)
    assert set(seen) == {'{"page":1}'}
    assert outcome.tool_results == [("fetched", False)]


async def test_a_once_tool_has_one_attempt_whatever_the_run_was_told(serve: Serve) -> None:
    """The run believes that the tool is a read; the worker that serves it knows better."""
    attempts: list[int] = []

    @tool
    async def pay(ctx: ToolContext) -> None:
        attempts.append(ctx.attempt)
        raise RuntimeError("the worker is gone")

    believed = pay.spec.model_copy(update={"effect": Effect.READ, "retries": 3})
    agent = Agent(name="tester", model="scripted/model", tools=[believed])
    pay.spec = pay.spec.model_copy(update={"retries": 3})
    async with serve(App(tools=[pay]), [calls(("pay", {})), "Well."]) as stage:
        outcome = await stage.ask(agent)
    assert "Whether it took effect is unknown" in told(outcome)
    assert attempts == [1]


async def test_errors_that_no_model_was_told_are_in_the_messages(play: Play) -> None:
    outcome = await play([calls(("see", {}))], tools=[look], max_turns=1)
    assert outcome.result.status is Status.EXHAUSTED
    events = [event async for event in outcome.run.events()]
    result = await outcome.run.result()
    assert [event.type for event in events][-2:] == ["tool.responded", "run.finished"]
    assert result.messages[-1].parts[0].kind == "tool_result"
    assert "There is no tool 'see'" in result.messages[-1].parts[0].content
    assert result.untold == ()
