"""Tokens, progress and values that grow reach who watches, and the history knows nothing of it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel
from redis.asyncio import Redis
from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Chain, Client, Model, Parallel, Prompt, SpecError, Status, ToolContext, tool
from sostenuto.clients.live import stream
from sostenuto.contracts.wire.event import MemberStarted, ModelRequested, ModelResponded, RunFinished
from sostenuto.contracts.wire.live import STREAM_ITEM, Partial, Progress, Retract, StreamItem, Token
from sostenuto.workers.stack.valkey_server import ValkeyServer
from tests.conformance.subject import OVER_THE_WIRE, on_the_wire
from tests.fakes.wire.server import Fault
from tests.fakes.wire.streams import WireStep
from tests.integration.live.conftest import Serve, Start
from tests.integration.live.items import assert_tokens_join, events_in, items_of, tokens_before_answer
from tests.integration.stack.processes import eventually
from tests.patience import PATIENCE_SECONDS

WORDS = "It rains in Rome and it snows in Oslo, so take the umbrella and the boots with you."
SLOW = {"text": WORDS, "seconds_per_word": 0.2}
TALKER = Agent(name="talker", model="scripted/m")


def url_of(server: ValkeyServer) -> str:
    return server.url.get_secret_value()


async def test_tokens_come_while_the_model_speaks(serve: Serve, valkey: ValkeyServer) -> None:
    async with serve(App(TALKER), [SLOW], url_of(valkey)) as client:
        run = await client.start(TALKER, "Go.")
        items = await items_of(run)
        after_its_end = await items_of(run)
    assert tokens_before_answer(items, "talker") > 1
    assert_tokens_join(items)
    assert after_its_end == events_in(items)
    assert [STREAM_ITEM.validate_json(STREAM_ITEM.dump_json(item)) for item in items] == items


async def test_what_nobody_watches_is_not_sent(serve: Serve, valkey: ValkeyServer) -> None:
    async with serve(App(TALKER), [SLOW], url_of(valkey)) as client, Redis.from_url(url_of(valkey)) as redis:
        run = await client.start(TALKER, "Go.")
        await run.result()
        assert await redis.keys() == []


async def test_the_history_knows_nothing_of_it(serve: Serve, valkey: ValkeyServer) -> None:
    sizes = []
    for url in (url_of(valkey), ""):
        async with serve(App(TALKER), [SLOW], url or "redis://127.0.0.1:1") as client:
            run = await client.start(TALKER, "Go.")
            await run.result()
            history = await client.history(run.id)
        sizes.append([event.WhichOneof("attributes") for event in history.events])
    assert sizes[0] == sizes[1]


async def test_nested_runs_speak_under_their_paths(serve: Serve, valkey: ValkeyServer) -> None:
    inner = Parallel(name="inner", each=TALKER)
    whole = Chain(name="whole", steps=[Prompt(name="first", model="scripted/m", template="{input}"), TALKER])
    both = Parallel(name="both", branches=[inner, whole])
    async with serve(App(both), [SLOW], url_of(valkey)) as client:
        items = await items_of(await client.start(both, '["a", "b"]'))
    assert_tokens_join(items)
    speaking = {item.path for item in items if isinstance(item, ModelResponded)}
    assert len(speaking) == 4
    assert {item.path for item in items if isinstance(item, Token)} == speaking
    assert all(tokens_before_answer(items, path) > 1 for path in speaking)


async def test_a_nested_run_is_watched_beside_its_root(serve: Serve, valkey: ValkeyServer) -> None:
    pages = Parallel(name="pages", each=TALKER)
    async with serve(App(pages), [SLOW], url_of(valkey)) as client:
        run = await client.start(pages, '["a", "b"]')
        runs = [run]
        async with aclosing(run.events()) as events:
            while len(runs) < 3:
                if isinstance(event := await anext(events), MemberStarted):
                    runs.append(await client.get(event.run_id))
        whole, *parts = await asyncio.gather(*map(items_of, runs))
    for items in (whole, *parts):
        assert_tokens_join(items)
        speaking = {item.path for item in items if isinstance(item, ModelResponded)}
        assert all(tokens_before_answer(items, path) > 1 for path in speaking)


async def test_who_comes_late_is_told_what_was_said_so_far(serve: Serve, valkey: ValkeyServer) -> None:
    async with serve(App(TALKER), [SLOW], url_of(valkey)) as client:
        run = await client.start(TALKER, "Go.")
        async for item in run.stream():
            if isinstance(item, Token) and "Rome" in item.text:
                break
        items = await items_of(run)
    first = next(item for item in items if isinstance(item, Token))
    assert first.text.startswith("It rains in Rome")
    assert_tokens_join(items)
    assert tokens_before_answer(items, "talker") > 1


async def test_a_stream_goes_on_after_any_of_its_items(serve: Serve, valkey: ValkeyServer) -> None:
    script = [{"text": WORDS, "tool_calls": [{"name": "find", "arguments": {}}], "seconds_per_word": 0.05}, SLOW]

    @tool(effect="read")
    async def find(ctx: ToolContext) -> str:
        """Find."""
        await ctx.progress("looking")
        return "found"

    agent = Agent(name="talker", model="scripted/m", tools=[find])
    async with serve(App(agent), script, url_of(valkey)) as client:
        run = await client.start(agent, "Go.")
        items: list[StreamItem] = []
        while not items or not isinstance(items[-1], RunFinished):
            async with aclosing(run.stream(items[-1].position if items else None)) as told:
                items.append(await anext(told))
    assert_tokens_join(items)
    plain = [item for item in items if not isinstance(item, Token | Retract | Partial | Progress)]
    assert [item.id for item in plain] == [event.id async for event in run.events()]


async def test_what_a_failed_attempt_said_is_retracted(serve: Serve, valkey: ValkeyServer) -> None:
    script = [{**SLOW, "dies": True, "faulty_attempts": 1}]
    async with serve(App(TALKER), script, url_of(valkey)) as client:
        items = await items_of(await client.start(TALKER, "Go."))
    kinds = [item.type for item in items if isinstance(item, Token | Retract)]
    assert kinds.count("retract") == 1
    assert kinds.index("retract") > 0
    assert len(kinds) - kinds.index("retract") > 1
    assert_tokens_join(items)


@pytest.mark.parametrize("protocol", OVER_THE_WIRE)
async def test_a_provider_that_breaks_off_is_heard_whole_in_the_end(
    serve: Serve, valkey: ValkeyServer, protocol: str
) -> None:
    faults = (Fault(kind="die"), Fault(kind="stall"), None)
    agent = Agent(name="talker", model=Model("scripted/m", timeout=timedelta(seconds=5)))
    async with (
        on_the_wire(protocol, WireStep(text=WORDS), faults=faults) as (adapter, _),
        serve(App(agent), adapter, url_of(valkey)) as client,
    ):
        items = await items_of(await client.start(agent, "Go."))
    [answer] = [item for item in items if isinstance(item, ModelResponded)]
    assert (answer.message.text, answer.attempt) == (WORDS, 3)
    # What is said and fails in the same moment is not told at all.
    assert 1 <= sum(isinstance(item, Retract) for item in items) <= 2
    assert_tokens_join(items)


async def test_a_fallback_retracts_what_the_model_before_it_said(serve: Serve, valkey: ValkeyServer) -> None:
    agent = Agent(name="talker", model=Model("scripted/one", fallbacks=["scripted/two"], retries=0))
    script = {"one": [{**SLOW, "dies": True}], "two": [{**SLOW, "text": f"Well. {WORDS}"}]}
    async with serve(App(agent), script, url_of(valkey)) as client:
        items = await items_of(await client.start(agent, "Go."))
    types = [item.type for item in items]
    assert types.index("retract") < len(types) - 1 - types[::-1].index("model.requested")
    assert_tokens_join(items)
    assert sum(isinstance(item, Token) for item in items) > 2


async def test_values_grow_and_tools_tell_how_far_they_are(serve: Serve, valkey: ValkeyServer) -> None:
    class Weather(BaseModel):
        city: str
        days: list[int]

    done = asyncio.Event()

    @tool(effect="read")
    async def look(at: str, ctx: ToolContext) -> str:
        """Look."""
        await ctx.progress(f"looking at {at}", done=1, total=2)
        await done.wait()
        return "seen"

    @tool(effect="read")
    def count(ctx: ToolContext) -> int:
        """Count."""
        ctx.progress("counting")  # type: ignore[unused-awaitable]
        return 7

    agent = Agent(name="talker", model="scripted/m", tools=[look, count], output=Weather)
    calls = [{"name": "look", "arguments": {"at": "Rome"}}, {"name": "count", "arguments": {}}]
    # All of the value can be read before the last word: that one comes at the same time as the answer.
    answer = {"text": '{"city": "Rome", "days": [1, 2, 3] }', "seconds_per_word": 0.6}
    items: list[Any] = []
    async with serve(App(agent), [{"tool_calls": calls}, answer], url_of(valkey)) as client:
        async for item in (await client.start(agent, "Go.")).stream():
            items.append(item)
            if isinstance(item, Progress) and item.done:
                done.set()
    progress = {item.text: (item.done, item.total) for item in items if isinstance(item, Progress)}
    assert progress["looking at Rome"] == (1.0, 2.0)
    partial = [item for item in items if isinstance(item, Partial) and not item.tool]
    assert len(partial) > 1
    assert partial[-1].value == {"city": "Rome", "days": [1, 2, 3]}
    assert_tokens_join(items)


async def test_who_reads_slowly_is_told_more_at_once(serve: Serve, valkey: ValkeyServer) -> None:
    text = " ".join(f"word{number}" for number in range(300))
    async with serve(App(TALKER), [{"text": text, "seconds_per_word": 0.02}], url_of(valkey)) as client:
        items: list[StreamItem] = []
        async for item in (await client.start(TALKER, "Go.")).stream():
            items.append(item)
            await asyncio.sleep(0.5)
    assert_tokens_join(items)
    # 6 s of frames of 50 ms, a hundred and more, read twice a second.
    tokens = [item for item in items if isinstance(item, Token)]
    assert 2 < len(tokens) < 40
    assert max(len(item.text.split()) for item in tokens) > 10


async def test_a_tool_may_tell_as_often_as_it_likes(serve: Serve, valkey: ValkeyServer) -> None:
    @tool(effect="read")
    def work(ctx: ToolContext) -> str:
        """Work."""
        for number in range(100_000):
            ctx.progress("x" * 2_000, done=number, total=100_000)  # type: ignore[unused-awaitable]
        for wrong in (float("nan"), 10**400, "two"):
            with pytest.raises(TypeError, match="progress: done is not a finite number"):
                ctx.progress("", done=wrong)  # type: ignore[unused-awaitable, arg-type]
        return "worked"

    agent = Agent(name="talker", model="scripted/m", tools=[work])
    script = [{"tool_calls": [{"name": "work", "arguments": {}}]}, SLOW]
    async with serve(App(agent), script, url_of(valkey)) as client:
        items = await items_of(await client.start(agent, "Go."))
    assert isinstance(items[-1], RunFinished)
    assert items[-1].output == WORDS
    progress = [item for item in items if isinstance(item, Progress)]
    assert len(progress) < 1_000
    assert all(len(item.text) < 1_100 for item in progress)
    assert_tokens_join(items)


async def test_a_run_goes_on_without_the_channel_and_speaks_again_when_it_is_back(
    serve: Serve, start_valkey: Start, caplog: pytest.LogCaptureFixture
) -> None:
    script = [{"text": f"{WORDS} {WORDS}", "seconds_per_word": 0.3}]
    items: list[StreamItem] = []
    async with start_valkey() as server:
        url = url_of(server)
        context = serve(App(TALKER), script, url)
        client: Client = await context.__aenter__()
        run = await client.start(TALKER, "Go.")
        told = run.stream()
        async for item in told:
            items.append(item)
            if isinstance(item, Token):
                break
    await eventually(lambda: any("nobody sees tokens now" in record.message for record in caplog.records))
    async with start_valkey():
        items += [item async for item in told]
    await context.__aexit__(None, None, None)
    assert (await run.result()).output == f"{WORDS} {WORDS}"
    assert_tokens_join(items)
    assert any("tokens are seen again" in record.message for record in caplog.records)


@pytest.mark.parametrize("wrong", ["password", "port"])
async def test_with_a_wrong_address_events_come_alone_and_one_line_says_why(
    serve: Serve, valkey: ValkeyServer, caplog: pytest.LogCaptureFixture, wrong: str
) -> None:
    url = url_of(valkey)
    url = "redis://:guess@" + url.partition("@")[2] if wrong == "password" else "redis://:secret@127.0.0.1:1/0"
    async with serve(App(TALKER), [SLOW], url) as client:
        items = await items_of(await client.start(TALKER, "Go."))
    assert isinstance(items[-1], RunFinished)
    assert items[-1].status is Status.COMPLETED
    assert_tokens_join(items)
    lines = [record.message for record in caplog.records if "the live channel at" in record.message]
    assert len(lines) == 2
    assert not any("guess" in line or "secret" in line for line in lines)


async def test_without_a_channel_events_come_alone_and_that_is_said_once(
    serve: Serve, temporal: TemporalClient, task_queue: str, caplog: pytest.LogCaptureFixture, valkey: ValkeyServer
) -> None:
    stream.tell_that_no_channel_is_known.cache_clear()
    async with serve(App(TALKER), [SLOW, SLOW], url_of(valkey)):
        client = Client(temporal, task_queue=task_queue, redis_url="")
        for _ in range(2):
            items = await items_of(await client.start(TALKER, "Go."))
            assert items == events_in(items)
    assert [record.levelno for record in caplog.records if "no live channel" in record.message] == [logging.WARNING]


async def test_a_run_that_continues_as_new_goes_on_speaking(
    serve: Serve, impatient: TemporalClient, valkey: ValkeyServer
) -> None:
    @tool(effect="read")
    async def find(about: str) -> str:
        """Find."""
        return f"{about} found"

    agent = Agent(name="talker", model="scripted/m", tools=[find], max_turns=20)
    calls = [
        {
            "tool_calls": [{"name": "find", "arguments": {"about": str(number)}}],
            "text": WORDS,
            "seconds_per_word": 0.01,
        }
        for number in range(14)
    ]
    async with serve(App(agent), [*calls, SLOW], url_of(valkey), on=impatient) as client:
        run = await client.start(agent, "Go.")
        items = await items_of(run)
        executions = {item.id.partition("/")[0] for item in events_in(items)}
    assert len(executions) > 1
    assert_tokens_join(items)
    last = max(n for n, item in enumerate(items) if isinstance(item, ModelRequested))
    assert sum(isinstance(item, Token) for item in items[last:]) > 1


async def test_what_is_no_run_or_no_position_of_it_is_told(serve: Serve, valkey: ValkeyServer) -> None:
    async with serve(App(TALKER), [SLOW], url_of(valkey)) as client:
        one, other = await client.start(TALKER, "Go."), await client.start(TALKER, "Go.")
        position = (await items_of(one))[2].position
        for after in (position, "nonsense", "nonsense~W10", "~"):
            with pytest.raises(SpecError, match="is not an event of run"):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await items_of(other, after)
        await other.result()
