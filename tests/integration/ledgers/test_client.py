"""What a client says to ledgers, and is told of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from temporalio import workflow
from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Ask, Budget, Client, Ledger, Model, Price, SetupError, SpecError, Status, tool
from sostenuto.clients import waiting
from sostenuto.clients.approvals import decisions
from sostenuto.clients.ledgers import ledgers as client_ledgers
from sostenuto.contracts import names
from sostenuto.contracts.control.ledger import Period
from sostenuto.contracts.wire.control.share import LedgerLimits, Portion
from sostenuto.workflows import run as run_nested
from tests.integration.agent.stage import Stage, calls, eventually

if TYPE_CHECKING:
    from tests.integration.agent.conftest import Serve

MODEL = Model("scripted/m", price=Price(input=1, output=10), max_output_tokens=1_000)
USED = {"input_tokens": 1_000, "output_tokens": 500}
DONE = {"text": "Done.", "usage": USED}


@tool(effect="read")
async def look(at: int = 0) -> str:
    """Look at something."""
    return f"thing {at}"


def agent(budget: Budget | None, **more: Any) -> Agent:
    return Agent(name="one", model=MODEL, tools=[look], budget=budget, **more)


def client_of(stage: Stage) -> Client:
    return Client(stage.temporal, task_queue=stage.task_queue, redis_url="")


@workflow.defn
class Spending:
    """A workflow of somebody's own that gives what it runs a budget."""

    @workflow.run
    async def run(self, team: str) -> str:
        budget = Budget(ledger=Ledger(f"{team}:{{context.tenant}}", turns=5))
        return (await run_nested(agent(None), "Go.", budget=budget)).status


async def test_limits_are_set_topped_up_and_told(serve: Serve, ledger_name: str) -> None:
    name = f"{ledger_name}/day"
    async with serve(App(agent(None)), [DONE]) as stage:
        ledgers = client_of(stage).ledgers
        with pytest.raises(SpecError, match=rf"there is no ledger '{name}': .* `sostenuto ledger set`"):
            await ledgers.get(name)
        with pytest.raises(SpecError, match="there is no ledger"):
            await ledgers.top_up(name, usd=1, by="ada")
        made = await ledgers.set(name, usd=5, turns=3, by="ada", note="to begin with")
        assert (made.name, made.period, made.limits) == (name, Period.DAY, LedgerLimits(usd=5, turns=3))
        assert (made.is_set, made.set_by, made.note) == (True, "ada", "to begin with")
        again = await ledgers.set(name, usd=7, by="bob")
        assert (again.limits, again.set_by, again.note) == (LedgerLimits(usd=7), "bob", "")
        for is_again in (False, True):
            topped = await ledgers.top_up(name, usd=0.5, by="ada", id="once")
            assert (topped.topped_up, topped.repeated) == (Portion(usd=0.5), is_again)
        assert (await ledgers.top_up(name, usd=0.5, by="eve", note="again")).topped_up == Portion(usd=1)
        now = datetime.now(UTC)
        state = await ledgers.get(name)
    assert state.limits == LedgerLimits(usd=7), "without what was topped up"
    *_, second, third, last = state.changes
    assert (second.limits, second.before) == (LedgerLimits(usd=7), LedgerLimits(usd=5, turns=3))
    assert (third.added, third.id, last.by, last.note) == (Portion(usd=0.5), "once", "eve", "again")
    assert len(state.changes) == 4
    assert state.began
    assert state.ends
    assert state.began <= now + timedelta(seconds=5)
    assert state.ends - state.began == timedelta(days=1)
    assert (state.spent, state.held, state.runs, state.waiting) == (Portion(), Portion(), 0, 0)


async def test_what_is_wrong_is_said_in_words(serve: Serve, ledger_name: str, environment: Any) -> None:
    async with serve(App(agent(None)), [DONE]) as stage:
        ledgers = client_of(stage).ledgers
        await ledgers.set(ledger_name, usd=5, by="ada")
        with pytest.raises(SpecError, match=rf"ledger '{ledger_name}': .* limits usd, and is given none of that"):
            await ledgers.top_up(ledger_name, turns=5, by="ada")
        with pytest.raises(SpecError, match=rf"ledger '{ledger_name}': a top-up says how much more"):
            await ledgers.top_up(ledger_name, by="ada")
        with pytest.raises(SpecError, match=rf"ledger '{ledger_name}': "):
            await ledgers.set(ledger_name, usd=5, by=" ")
        with pytest.raises(SpecError, match=r"ledgers\.set: it limits nothing: give usd, tokens or turns"):
            await ledgers.set(ledger_name, by="ada")
        with pytest.raises(SpecError, match=r"ledgers\.set: usd: "):
            await ledgers.set(ledger_name, usd=-1, by="ada")
        with pytest.raises(SpecError, match=r"ledgers\.top_up: turns: "):
            await ledgers.top_up(ledger_name, turns=1.5, by="ada")  # type: ignore[arg-type]
        for name, problem in (("", "has a name of printable"), ("a\nb", "printable"), ("x" * 201, "201 bytes")):
            for ask in (ledgers.get(name), ledgers.set(name, usd=1, by="ada"), ledgers.top_up(name, usd=1, by="ada")):
                with pytest.raises(SpecError, match=problem):
                    await ask
        other: Any = await TemporalClient.connect(
            environment.client.service_client.config.target_host,
            namespace="nowhere",
            data_converter=stage.temporal.data_converter,
        )
        with pytest.raises(SetupError, match="Namespace nowhere is not found"):
            await Client(other, redis_url="").ledgers.get(ledger_name)
        assert (await ledgers.get(ledger_name)).limits == LedgerLimits(usd=5)


async def test_a_ledger_that_no_worker_answers_for_holds_up_no_other(
    serve: Serve, temporal: TemporalClient, ledger_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_ledgers, "_PATIENCE", timedelta(seconds=1))
    monkeypatch.setattr(decisions, "_PATIENCE_SECONDS", 1.0)
    nowhere = f"nobody-{uuid4().hex[:8]}"
    silent = [f"{ledger_name}:{number}" for number in range(20)]
    async with serve(App(agent(None)), [DONE]) as stage:
        ledgers = client_of(stage).ledgers
        for name in silent:
            await temporal.start_workflow(
                names.LEDGER_WORKFLOW, {"name": name}, id=names.LEDGER_ID + name, task_queue=nowhere
            )
        with pytest.raises(SetupError, match=r"no worker took it within 1 s: .* this one may be taken without that"):
            await ledgers.set(silent[0], usd=5, by="ada")
        await ledgers.set(f"{ledger_name}:served", usd=5, by="ada")
        with pytest.raises(SetupError, match="no worker answers for it: start one, of any app: `sostenuto worker"):
            await ledgers.get(silent[0])

        async def listed() -> bool:
            return len(await ledgers.list(f"{ledger_name}:", limit=50)) == 21

        # The list lags behind.
        await eventually(listed)
        found = await ledgers.list(f"{ledger_name}:")
        assert [one.name for one in found] == sorted([*silent, f"{ledger_name}:served"])
        assert [one.name for one in found if one.state] == [f"{ledger_name}:served"]
        assert len(await ledgers.list(f"{ledger_name}:", limit=3)) == 3
        assert await ledgers.list(f"{ledger_name}'") == ()
    for name in silent:
        await temporal.get_workflow_handle(names.LEDGER_ID + name).terminate()


async def test_limits_that_no_worker_took_hold_once_one_is_there(
    serve: Serve,
    temporal: TemporalClient,
    task_queue: str,
    ledger_name: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(decisions, "_PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr(waiting, "_SILENCE_SECONDS", 0.1)
    with pytest.raises(SetupError, match=r"send it again: this one may be taken without that, as soon as a worker is"):
        await Client(temporal, task_queue=task_queue, redis_url="").ledgers.set(ledger_name, usd=5, by="ada")
    assert f"waiting for ledger {ledger_name!r}: no worker takes it yet: start one" in caplog.text
    monkeypatch.setattr(decisions, "_PATIENCE_SECONDS", 30.0)
    async with serve(App(agent(None)), [DONE]) as stage:
        ledgers = client_of(stage).ledgers
        assert (await ledgers.get(ledger_name)).limits == LedgerLimits(usd=5)
        state = await ledgers.set(ledger_name, usd=5, by="ada")
    assert [change.before for change in state.changes] == [None, LedgerLimits(usd=5)]


async def test_one_that_was_terminated_is_forgotten_and_begins_anew(
    serve: Serve, temporal: TemporalClient, ledger_name: str
) -> None:
    async with serve(App(agent(None)), [DONE]) as stage:
        ledgers = client_of(stage).ledgers
        await ledgers.set(ledger_name, usd=5, by="ada")
        await temporal.get_workflow_handle(names.LEDGER_ID + ledger_name).terminate()
        with pytest.raises(SpecError, match="there is no ledger"):
            await ledgers.get(ledger_name)
        with pytest.raises(SpecError, match="there is no ledger"):
            await ledgers.top_up(ledger_name, usd=5, by="ada")
        assert (await ledgers.set(ledger_name, turns=5, by="ada")).limits == LedgerLimits(turns=5)


async def test_each_tenant_spends_from_its_own(serve: Serve, ledger_name: str) -> None:
    of_tenant = agent(Budget(ledger=Ledger(f"{ledger_name}:{{context.tenant}}", turns=5)))
    async with serve(App(of_tenant, workflows=[Spending]), [DONE] * 5) as stage:
        client = client_of(stage)
        for tenant in ("acme", "acme", "zeta"):
            assert (await (await client.start(of_tenant, "Go.", tenant=tenant)).result()).status is Status.COMPLETED
        beside = Budget(ledger=Ledger(f"{ledger_name}-beside:{{context.tenant}}", turns=5))
        id_ = f"run-{uuid4().hex[:8]}"
        for _ in range(2):
            started = await client.start(of_tenant, "Go.", id=id_, tenant="acme", budget=beside)
            assert (await started.result()).status is Status.COMPLETED
        with pytest.raises(SpecError, match="or with another budget"):
            await client.start(of_tenant, "Go.", id=id_, tenant="acme", budget=Budget(ledger="another"))
        own = await client.start(Spending, f"{ledger_name}-own", tenant="acme")
        assert (await own.result()).output == "completed"
        spent = {
            name: (await client.ledgers.get(f"{ledger_name}{name}")).spent.turns
            for name in (":acme", ":zeta", "-beside:acme", "-own:acme")
        }
        assert spent == {":acme": 3, ":zeta": 1, "-beside:acme": 1, "-own:acme": 1}
        with pytest.raises(SpecError, match=r"budget.ledger.name: {context.tenant}: the run's context has a text with"):
            await client.start(of_tenant, "Go.", tenant="acme/day")
        with pytest.raises(SpecError, match=r"budget.ledger.name: {context.tenant}: the run has no context"):
            await client.chat(of_tenant)


async def test_a_ledger_is_no_run(serve: Serve, ledger_name: str) -> None:
    one = agent(Budget(ledger=Ledger(ledger_name, turns=5)))
    async with serve(App(one), [DONE]) as stage:
        client = client_of(stage)
        started = await client.start(one, "Go.", id=f"run-{uuid4().hex[:8]}")
        assert (await started.result()).status is Status.COMPLETED
        id_ = names.LEDGER_ID + ledger_name
        kinds = [event.type async for event in started.events()]
        assert kinds == ["run.started", "model.requested", "model.responded", "run.finished"]

        async def listed() -> bool:
            return [one.name for one in await client.ledgers.list(ledger_name)] == [ledger_name]

        await eventually(listed)
        here = f"TaskQueue = '{stage.task_queue}'"
        assert {row.id for row in await client.list(here, nested=True)} == {started.id}
        assert await client.chats(here) == ()
        overview = await client.overview()
        assert id_ not in {row.id for row in overview.runs}
        with pytest.raises(
            SpecError, match=rf"'{id_}' is no run but a ledger, which `sostenuto ledger show {ledger_name}"
        ):
            await client.get(id_)
        for begin in (client.start(one, "Go.", id=id_), client.chat(one, id=id_)):
            with pytest.raises(SpecError, match="the ids of ledgers begin with 'sostenuto-ledger:'"):
                await begin


async def test_what_waits_says_of_which_ledger(serve: Serve, ledger_name: str) -> None:
    one = agent(Budget(ledger=ledger_name, on_exhausted=Ask()))
    async with serve(App(one), [{**calls(("look", {"at": 1})), "usage": USED}, DONE]) as stage:
        client = client_of(stage)
        # Enough for one call, which costs half of the most that it can.
        await client.ledgers.set(ledger_name, usd=0.012, by="ada")
        started = await client.start(one, "Go.", id=f"run-{uuid4().hex[:8]}")

        async def waits() -> bool:
            return [one.ledger for one in await started.top_ups()] == [ledger_name]

        await eventually(waits)
        (lacking,) = await started.top_ups()
        assert 0 < lacking.missing.usd < 0.008, "and not what the next call may cost"
        assert (lacking.missing.tokens, lacking.missing.turns) == (0, 0)
        assert (await client.ledgers.get(ledger_name)).waiting == 1
        state = await client.ledgers.get(ledger_name)
        assert [(part.run_id, part.amount.turns, part.what) for part in state.asking] == [
            (started.id, 1, "the next call of scripted/m")
        ]
        assert (await client.ledgers.top_up(ledger_name, **lacking.missing.model_dump(), by="ada")).waiting == 0
        assert (await started.result()).status is Status.COMPLETED
        assert await started.top_ups() == ()
