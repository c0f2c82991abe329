"""Every call that waits is decided by itself, once, and by what was looked at."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowUpdateFailedError

from sostenuto import ApprovalDecided, ApprovalRequested, PendingApproval, SetupError, SpecError, Status, ToolRequested
from sostenuto.clients.approvals import decisions
from sostenuto.clients.approvals.decisions import send_decision
from sostenuto.contracts import names
from sostenuto.contracts.control.approval import call_hash
from sostenuto.contracts.wire.control.decision import Decision, DecisionKind
from sostenuto.contracts.wire.tool_call import not_permitted
from sostenuto.workers.worker import replayer
from tests.integration.agent.recorded import Recorded
from tests.integration.agent.stage import calls, eventually
from tests.integration.approvals.conftest import Serve, Waiting
from tests.integration.approvals.desk import DESK, PAID, Settling, Wordy

MANY = 20


def _args(number: int) -> dict[str, Any]:
    return {"order": str(number), "amount": 100 + number}


async def _says(
    temporal: TemporalClient, call: PendingApproval, kind: DecisionKind, by: str, hash: str, limit: asyncio.Semaphore
) -> str:
    """What comes of a decision that is sent whatever the client knows: the reason where it is refused."""
    more: dict[str, dict[str, Any]] = {
        "edit": {"arguments": {"order": "edited", "amount": 1}},
        "answer": {"answer": "as good as done " * 900},
    }
    said: dict[str, Any] = {"path": call.path, "call_id": call.call_id, "kind": kind, "by": by, "hash": hash}
    try:
        async with limit:
            await send_decision(temporal, call.run_id, Decision.model_validate({**said, **more.get(kind.value, {})}))
    except SpecError as error:
        return str(error)
    return ""


async def test_twenty_at_once(serve: Serve, waiting: Waiting, temporal: TemporalClient) -> None:
    """Decided in random order by several people, with duplicates, late ones and wrong hashes."""
    chance = random.Random(7)
    wanted = calls(*(("refund", _args(number)) for number in range(MANY)))
    async with serve({"desk": [wanted, "Done."]}) as client:
        run = await client.start(DESK, "Go.", id=f"many-{uuid4().hex[:8]}")
        pending = await waiting(run, MANY)
        kinds = {call.call_id: chance.choice([*DecisionKind]) for call in pending}
        said = [(call, by, hash) for call in pending for by, hash in (("ann", call.hash), ("bob", call.hash[:12]))]
        said += [(call, "eve", "0" * 64) for call in pending]
        chance.shuffle(said)
        # The server takes ten at once, and drops the others, which are sent again.
        limit = asyncio.Semaphore(8)
        came = await asyncio.gather(*(_says(temporal, c, kinds[c.call_id], by, hash, limit) for c, by, hash in said))
        result = await run.result()
        events = [event async for event in run.events()]
        history = await client.history(run.id)
        trace = await run.trace()
    # What the model was told is in the history, though the answers together are larger than a call's input.
    assert [step.proven for step in trace.run.walk() if step.kind == "model"] == [True, True]
    taken = [call.call_id for (call, _, _), why in zip(said, came, strict=True) if not why]
    assert sorted(taken) == sorted(call.call_id for call in pending)
    reasons = ("the hash is not that of the call", "it is decided: ", "it was decided meanwhile", "the run has ended")
    assert all(any(reason in why for reason in reasons) for why in came if why), came
    assert all(why for (_, by, _), why in zip(said, came, strict=True) if by == "eve")
    decided = {event.call_id: event for event in events if isinstance(event, ApprovalDecided)}
    assert {call_id: event.decision for call_id, event in decided.items()} == {k: v.value for k, v in kinds.items()}
    # Each ran once or not at all, as decided.
    numbers = {call.call_id: int(call.arguments["order"]) for call in pending}  # type: ignore[arg-type]
    edited = [kind for kind in kinds.values() if kind is DecisionKind.EDIT]
    paid = [_args(numbers[one]) for one, kind in kinds.items() if kind is DecisionKind.APPROVE]
    paid += [{"order": "edited", "amount": 1} for _ in edited]
    assert sorted(str(args) for _, args in PAID) == sorted(str({**p, "amount": float(p["amount"])}) for p in paid)
    assert result.status is Status.COMPLETED
    completed = Recorded(history).attributes("workflow_execution_update_completed")
    assert sum(one.outcome.HasField("success") for one in completed) == MANY
    await replayer().replay_workflow(history)


async def test_what_is_said_reaches_the_model_and_the_events(serve: Serve, waiting: Waiting) -> None:
    script = [
        calls(*(("refund", {"order": str(n), "amount": 50}) for n in range(4)), ("peek", {"amount": 1})),
        calls(("refund", {"order": "5", "amount": 99}), ("refund", {"order": "6", "amount": "lots"})),
        calls(("ask_person", {"question": "Which?", "options": ["a", "b"]})),
        "Done.",
    ]
    async with serve({"desk": script}) as client:
        run = await client.start(DESK, "Go.", id=f"told-{uuid4().hex[:8]}")
        one, two, three, four, peek = await waiting(run, 5)
        assert peek.reason == "its when= raised KeyError: 'rules'"
        assert (one.group, one.tool, one.path, one.hash) == (
            "finance",
            "refund",
            "desk",
            call_hash("refund", one.arguments),
        )
        wrongs: list[dict[str, Any]] = [{"order": 1, "amount": 5}, {"order": "1"}, {"order": "1", "amount": 5, "n": 1}]
        for wrong in wrongs:
            with pytest.raises(SpecError, match="The arguments do not fit"):
                await run.edit(two.call_id, wrong, by="ann")
        await run.edit(two.call_id, {"order": "2", "amount": 3}, by="ann", note="less")
        with pytest.raises(SpecError, match="waits no more: edit by ann"):
            await run.approve(two.call_id, by="ann")
        await run.deny(three.call_id, by="ann", note="not that one")
        await run.answer(four.call_id, {"receipt": 7}, by="bob")
        await run.approve(peek.call_id, by="bob")
        await run.approve(one.call_id, by="bob", for_rest=True, hash=one.hash[:8])
        (question,) = await waiting(run, 1)
        with pytest.raises(SpecError, match="the answer is none of: a, b"):
            await run.answer(question.call_id, "c", by="bob")
        with pytest.raises(SpecError, match="it is a question: answer it, or deny it"):
            await run.approve(question.call_id, by="bob")
        await run.answer(question.call_id, "b", by="bob")
        result = await run.result()
        events = [event async for event in run.events()]
    told = [part.content for m in result.messages for part in m.parts if part.kind == "tool_result"]
    assert told[:5] == [
        "refunded 50 of 0",
        'A person changed the arguments before it ran, to {"order": "2", "amount": 3}.\nrefunded 3 of 2',
        "refund was not run: a person denied it: not that one",
        '{"receipt": 7}',
        "saw 1",
    ]
    # The grant holds, and what does not fit asks nobody.
    assert (told[5], told[7]) == ("refunded 99 of 5", "b")
    assert "amount: Input should be a valid number" in told[6]
    decided = [(e.decision, e.by, e.note) for e in events if isinstance(e, ApprovalDecided)]
    assert decided[0] == ("edit", "ann", "less")
    edit = next(event for event in events if isinstance(event, ApprovalDecided))
    assert (edit.arguments, edit.hash) == (
        {"order": "2", "amount": 3},
        call_hash("refund", {"order": "2", "amount": 3}),
    )


async def test_several_people_and_not_the_one_who_asks(
    serve: Serve, waiting: Waiting, temporal: TemporalClient
) -> None:
    script = [calls(("large", {"order": "1", "amount": 900})), calls(("large", {"order": "2", "amount": 900})), "Done."]
    async with serve({"desk": script}) as client:
        run = await client.start(DESK, "Go.", id=f"four-{uuid4().hex[:8]}", context={"user": "ann"})
        (call,) = await waiting(run, 1)
        assert (call.policy, call.quorum, call.group) == ("large", 2, "finance")
        with pytest.raises(SpecError, match="it takes another person than 'ann', who asked for it"):
            await run.approve(call.call_id, by=" ANN ")
        assert (await run.approve(call.call_id, by="bob")).missing == 1
        with pytest.raises(SpecError, match="'Bob' has said yes already: it takes 2 different deciders"):
            await run.approve(call.call_id, by="Bob")
        with pytest.raises(SpecError, match="a yes to large is for one call: its approval has no grants=True"):
            await run.approve(call.call_id, by="cid", for_rest=True)
        with pytest.raises(SpecError, match="2 people, who cannot give one answer"):
            await run.answer(call.call_id, "paid", by="cid")
        # What bob said yes to was another call.
        assert (await run.edit(call.call_id, {"order": "1", "amount": 800}, by="cid")).missing == 1
        (call,) = await waiting(run, 1)
        assert (call.deciders, call.arguments) == (("cid",), {"order": "1", "amount": 800})
        assert (await run.approve(call.call_id, by="bob")).missing == 0
        (call,) = await waiting(run, 1)
        # Anybody's no is enough, that of whoever asked too.
        await run.deny(call.call_id, by="ann")
        await run.result()
        alone = await client.start(DESK, "Go.", id=f"alone-{uuid4().hex[:8]}")
        told = [part.content for m in (await alone.result()).messages for part in m.parts if part.kind == "tool_result"]
    assert [args for _, args in PAID] == [{"order": "1", "amount": 800}]
    assert (
        told[0] == "large was not run: it takes another person than whoever asked, and the run's context has no 'user'."
    )


async def test_what_a_run_refuses_says_why(serve: Serve, waiting: Waiting, temporal: TemporalClient) -> None:
    async with serve({"desk": [calls(("refund", {"order": "1", "amount": 900})), "Done."]}) as client:
        run = await client.start(DESK, "Go.", id=f"why-{uuid4().hex[:8]}")
        (call,) = await waiting(run, 1)
        handle = temporal.get_workflow_handle(run.id)
        good = Decision(path=call.path, call_id=call.call_id, kind=DecisionKind.APPROVE, by="ann")

        async def refused(**other: Any) -> str:
            with pytest.raises(WorkflowUpdateFailedError) as found:
                await handle.execute_update(names.DECIDE_UPDATE, good.model_copy(update=other))
            return str(found.value.cause)

        assert "no call 'desk:call_9' waits for an approval; those that do: 'desk:call_1_0'" in await refused(
            call_id="call_9"
        )
        assert "the hash is not that of the call" in await refused(hash="0" * 64)
        assert "the hash is not that of the call" in await refused(hash=call.hash[:7])
        assert "1 to 200 printable characters" in await refused(by="a\x1b[2J")
        assert "an edit says with which arguments" in await refused(kind=DecisionKind.EDIT)
        assert "an answer says what the call comes to" in await refused(kind=DecisionKind.ANSWER)
        assert "more than 16,000 bytes" in await refused(kind=DecisionKind.ANSWER, answer="x" * 20_000)
        await run.approve(call.call_id, by="ann")
        await run.result()
        recorded = Recorded(await client.history(run.id))
    assert len(recorded.attributes("workflow_execution_update_accepted")) == 1
    # One note for the request, and one each for the list of what waits: the rest is the update's own.
    assert len(recorded.markers) == 1


async def test_a_run_that_knows_of_no_approval_cannot_make_the_call(serve: Serve) -> None:
    """As one that began before its tool had one, or whose spec somebody wrote by hand."""
    spec = DESK.tools[0].model_copy(update={"asks": None})
    older = DESK.model_copy(update={"tools": (spec,)})
    async with serve({"desk": [calls(("refund", {"order": "1", "amount": 5})), "Done."]}) as client:
        run = await client.start(older, "Go.", id=f"older-{uuid4().hex[:8]}")
        told = [part.content for m in (await run.result()).messages for part in m.parts if part.kind == "tool_result"]
    assert (told, PAID) == ([not_permitted("refund")], [])


async def test_code_first(serve: Serve, waiting: Waiting, temporal: TemporalClient, task_queue: str) -> None:
    async with serve({}) as client:
        run = await client.start(Settling, "7", id=f"own-{uuid4().hex[:8]}")
        pending = {(call.tool, call.arguments.get("amount")): call for call in await waiting(run, 3)}

        async def listed() -> bool:
            found = await client.approvals(f"WorkflowId = '{run.id}'")
            return {call.call_id for call in found} == {call.call_id for call in pending.values()}

        await eventually(listed)
        await run.approve(pending["refund", 50].call_id, by="ann")
        await run.deny(pending["refund", 60].call_id, by="ann", note="no")
        await run.answer(pending["ask_person", None].call_id, "b", by="ann")
        result = await run.result()
        events = [event async for event in run.events()]
        history = await client.history(run.id)
    assert result.output == ["refunded 5 of 7", "refunded 50 of 7", "refund was not run: a person denied it: no", "b"]
    assert sum(isinstance(event, ToolRequested) for event in events) == 5
    assert sum(isinstance(event, ApprovalRequested) for event in events) == 4
    # The last one is given up by the workflow, which goes on.
    assert [event.decision for event in events if isinstance(event, ApprovalDecided)][-1] == "withdrawn"
    assert sum(event.type == "tool.responded" for event in events) == 5
    await replayer([Settling]).replay_workflow(history)


async def test_a_decision_that_no_worker_takes_is_sent_again(
    serve: Serve, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = {"desk": [calls(("refund", {"order": "1", "amount": 900})), "Done."]}
    async with serve(script) as client:
        run = await client.start(DESK, "Go.", id=f"nobody-{uuid4().hex[:8]}")
        (call,) = await waiting(run, 1)
    with monkeypatch.context() as hurried:
        hurried.setattr(decisions, "_PATIENCE_SECONDS", 0.5)
        with pytest.raises(SetupError, match=r"no worker took it within 0.5 s: .* and send it again"):
            await run.approve(call.call_id, by="ann")
    async with serve(script):
        # The first one may have been taken by now.
        with suppress(SpecError):
            await run.approve(call.call_id, by="ann")
        assert (await run.result()).output == "Done."
    assert len(PAID) == 1


async def test_calls_too_large_to_be_asked_about_are_refused_and_large_ones_share_no_message(
    serve: Serve, waiting: Waiting
) -> None:
    async with serve(["unused"]) as client:
        run = await client.start(Wordy, [2_200_000, *[1_300_000] * 4])
        for call in await waiting(run, 4):
            await run.deny(call.call_id, by="ann", path=call.path)
        told = (await run.result()).output
    assert all("and the limit is 2,000,000" in told[index] for index in (0, -1))
    assert all("a person denied it" in one for one in told[1:-1])
