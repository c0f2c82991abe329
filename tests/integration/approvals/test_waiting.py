"""Waiting lasts as long as it takes: over deadlines, nested runs, continued histories and dead workers."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import ApprovalDecided, ApprovalRequested, Status
from sostenuto.clients import waiting as patient
from sostenuto.clients.cli.step_lines import line
from sostenuto.clients.cli.trace.lines import TraceLines
from sostenuto.contracts import names
from sostenuto.workers.worker import replayer
from tests.dev_server import dev_server
from tests.integration.agent.stage import calls, eventually
from tests.integration.approvals.conftest import Serve, Waiting
from tests.integration.approvals.desk import CREW, DESK, PAID, STEPS
from tests.patience import PATIENCE_SECONDS


@pytest.fixture(scope="module")
async def hasty_server() -> AsyncIterator[TemporalClient]:
    """A server that suggests to continue as new after few events."""
    async with await dev_server(limit__historyCount__suggestContinueAsNew=30) as env:
        yield env.client


async def test_nobody_decides(serve: Serve) -> None:
    """It expires at once, or after it went to others. No timer of a call that was decided stays."""
    wanted = calls(("hasty", {"order": "1", "amount": 1}), ("escalated", {"order": "2", "amount": 1}))
    async with serve({"desk": [wanted, "Done."]}) as client:
        run = await client.start(DESK, "Go.", id=f"late-{uuid4().hex[:8]}")
        result = await run.result()
        events = [event async for event in run.events()]
        history = await client.history(run.id)
    told = [part.content for m in result.messages for part in m.parts if part.kind == "tool_result"]
    assert told == [f"{name} was not run: nobody decided on it in time." for name in ("hasty", "escalated")]
    asked = [(e.name, e.group, e.escalated) for e in events if isinstance(e, ApprovalRequested)]
    assert sorted(asked) == [("escalated", "board", True), ("escalated", "finance", False), ("hasty", "", False)]
    assert sorted(e.name for e in events if isinstance(e, ApprovalDecided) and e.decision == "expired") == [
        "escalated",
        "hasty",
    ]
    assert PAID == []
    await replayer().replay_workflow(history)


async def test_nested_runs_are_found_from_their_root_and_from_anywhere(serve: Serve, waiting: Waiting) -> None:
    script = {
        "crew": [calls(("desk", {"task": "a"}), ("desk", {"task": "b"})), "Both."],
        "desk": [calls(("refund", {"order": "1", "amount": 50})), "Paid."] * 2,
        "first": ["one"],
    }
    async with serve(script) as client:
        run = await client.start(CREW, "Go.", id=f"crew-{uuid4().hex[:8]}", tenant=f"t-{uuid4().hex[:8]}")
        one, two = await waiting(run, 2)
        assert one.run_id != two.run_id
        assert {call.path for call in (one, two)} == {"crew/desk", "crew/desk#2"}
        tenant = f"{names.SEARCH_TENANT} = '{(await run.describe()).tenant}'"

        async def listed() -> bool:
            return len(await client.approvals(tenant)) == 2

        await eventually(listed)
        # With what it waits for it tells what it has used.
        assert (await (await client.get(one.run_id)).describe()).tokens == 15
        assert await client.approvals(tenant, group="nobody") == ()
        assert {call.call_id for call in await client.approvals(tenant, group="finance")} == {one.call_id, two.call_id}
        for call in (one, two):
            await run.approve(call.call_id, by="ann", path=call.path)
        assert (await run.result()).output == "Both."

        async def gone() -> bool:
            return await client.approvals(tenant) == ()

        await eventually(gone)


async def test_whoever_waits_for_an_end_is_told_how_it_goes_on(
    serve: Serve, waiting: Waiting, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(patient, "_ANSWER_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(patient, "_SILENCE_SECONDS", 0.05)
    script = {
        "crew": [calls(("desk", {"task": "a"}), ("desk", {"task": "b"})), "Both."],
        "desk": [
            calls(("refund", {"order": "1", "amount": 50}), ("ask_person", {"question": "Which\none?"})),
            "Paid.",
        ],
    }
    async with serve(script) as client:
        run = await client.start(CREW, "Go.", id=f"crew-{uuid4().hex[:8]}")
        pending = await waiting(run, 4)
        with pytest.raises(TimeoutError) as raised:
            await run.result(timeout=0.01)
        for call in pending:
            named, id = f"{shlex.quote(call.run_id)} {call.call_id}", f"'{call.call_id}'"
            told = (
                f"ask_person 'Which one?' waits for an answer of support: `sostenuto answer {named} ANSWER`, or "
                f"run.answer({id}, ..., by=...)"
                if call.question
                else f"refund at '{call.path}' waits for a yes of finance: `sostenuto approve {named}`, or "
                f"run.approve({id}, by=...)"
            )
            assert told in str(raised.value)
        assert "nothing is known" not in str(raised.value)
        trace = await run.trace()
        awaits = [(step.kind, step.name, step.awaits) for step in trace.run.walk() if step.awaits]
        one, two = ("tool", "refund", "a yes of finance"), ("tool", "ask_person", "an answer of support")
        assert sorted(awaits) == [two, two, one, one]
        shown = "\n".join(TraceLines(trace, datetime.now(UTC)).lines())
        assert shown.count("waits for a yes of finance") == shown.count("waits for an answer of support") == 2

        async def listed() -> bool:
            [row] = await client.list(f"WorkflowId = '{run.id}'")
            return (row.status, row.awaits) == ("running", "approval")

        await eventually(listed)
        result = asyncio.create_task(run.result())

        async def logged() -> bool:
            return caplog.text.count(f"waiting for run '{run.id}': refund at 'crew/desk") == 2

        await eventually(logged)
        for call in pending:
            of = await client.get(call.run_id)
            await (
                of.answer(call.call_id, "a", by="ann")
                if call.question
                else of.approve(call.call_id, by="ann", note="it is due", for_rest=True)
            )
        assert (await result).output == "Both."
        trace = await run.trace()
        reasons = [step.reason for step in trace.run.walk() if step.name == "refund: approve"]
        assert reasons == ["by ann, for the rest of the run: it is due"] * 2
        assert not [step for step in trace.run.walk() if step.awaits]
        lines = [line(event) async for event in run.events()]
        assert "     ✓ refund: approve by ann, for the rest of the run: it is due" in lines
        assert [row.awaits for row in await client.list(f"WorkflowId = '{run.id}'")] == [""]
        assert not await run.held_up()
        assert caplog.text.count("waits for a yes of finance") == 2, "each is told once"


async def test_a_run_that_is_cancelled_while_it_waits(serve: Serve, waiting: Waiting) -> None:
    async with serve({"first": ["one"], "desk": [calls(("refund", {"order": "1", "amount": 50})), "Paid."]}) as client:
        run = await client.start(STEPS, "Go.", id=f"cancelled-{uuid4().hex[:8]}")
        await waiting(run, 1)
        await run.cancel()
        result = await run.result()
        nested = await client.get(f"{run.id}/desk")
        told = [p.content for m in (await nested.result()).messages for p in m.parts if p.kind == "tool_result"]
        assert await run.approvals() == ()
        events = [event async for event in run.events()]
        waits = [step for step in (await run.trace()).run.walk() if step.person_seconds]
    assert (result.status, PAID) == (Status.CANCELLED, [])
    # Whatever asks for a person ends: nobody is left with a question that nothing waits for.
    ends = [(e.name, e.decision, e.by) for e in events if isinstance(e, ApprovalDecided)]
    assert ends == [("refund", "withdrawn", "")]
    assert [(step.name, step.awaits) for step in waits] == [("refund", "")]
    assert told == ["refund was not run: the run was stopped while it waited for an approval."]


async def test_a_chat_goes_on_in_another_history(serve: Serve, waiting: Waiting, hasty_server: TemporalClient) -> None:
    """What was granted holds there, what waits is found there, and a turn that is interrupted waits no more."""
    turn = [calls(("refund", {"order": "1", "amount": 50})), "Paid."]
    many = [calls(("peek", {"amount": 1})), "Seen."]
    async with serve(
        {"desk": [*turn, *many * 4, *turn, calls(("peek", {"amount": 2})), "After."]}, hasty_server
    ) as client:
        chat = await client.chat(DESK, id=f"chat-{uuid4().hex[:8]}")
        sent = chat.send("Pay.")
        turns = asyncio.ensure_future(sent.result())
        (call,) = await waiting(chat, 1)
        await chat.approve(call.call_id, by="ann", for_rest=True)
        assert (await turns).output == "Paid."
        for _ in range(4):
            turns = asyncio.ensure_future(chat.send("Look.").result())
            (call,) = await waiting(chat, 1)
            await chat.approve(call.call_id, by="ann")
            assert (await turns).output == "Seen."
        executions = {row.run_id async for row in hasty_server.list_workflows(f"WorkflowId = '{chat.id}'")}
        assert len(executions) > 1
        assert (await chat.send("Pay.").result()).output == "Paid."
        turns = asyncio.ensure_future(chat.send("Look.").result())
        (call,) = await waiting(chat, 1)
        await chat.interrupt()
        assert (await turns).status is Status.CANCELLED
        assert await chat.approvals() == ()
        await chat.end()
    assert len(PAID) == 2
