"""Examples of what runs may spend, and of contracts that tell of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sostenuto import (
    Agent,
    Ask,
    Budget,
    Chain,
    Degrade,
    Finish,
    Ledger,
    LedgerState,
    LongPrice,
    Message,
    Model,
    Parallel,
    Price,
    Prompt,
    Result,
    Retrieve,
    Router,
    Shorten,
    Status,
    Stop,
    Team,
)
from sostenuto.contracts.contract import Contract
from sostenuto.contracts.control.budget import Envelope
from sostenuto.contracts.control.ledger import Period
from sostenuto.contracts.wire.control.budget_event import BudgetSpent, BudgetToppedUp, BudgetWarned
from sostenuto.contracts.wire.control.ledger import (
    EndedHolder,
    EndedHolders,
    LedgerBlock,
    LedgerChange,
    LedgerHolders,
    LedgerInput,
    LedgerPart,
    LedgerQuery,
    LedgerSet,
    LedgerTopUp,
)
from sostenuto.contracts.wire.control.prices import ListedPrice, PricesAsked, PricesFound
from sostenuto.contracts.wire.control.share import (
    LedgerLimits,
    OfLedger,
    Portion,
    ShareAsked,
    ShareGiven,
    ShareRecalled,
)
from sostenuto.contracts.wire.control.spent import Spent, SpentQuery
from sostenuto.contracts.wire.control.top_up import (
    CarriedBudget,
    DrawnBlock,
    PendingTopUp,
    TakenTopUp,
    ToppedUp,
    TopUp,
    TopUpAsked,
    TopUpsAsked,
)
from sostenuto.contracts.wire.model_call import Allowance, CallEnd, ModelCall
from sostenuto.contracts.wire.run import Carried, Counted, RunInput
from sostenuto.contracts.wire.totals import Totals, Unsettled
from tests.unit.contracts.spec_examples import RETRIEVE

LONG = LongPrice(over_tokens=200_000, input=6, output=22.5, cached=0.6, cache_write=7.5)
PRICE = Price(input=3, output=15, cached=0.3, cache_write=3.75, request=5, web_search=10, longer=[LONG])
MODEL = Model("acme/large", price=PRICE)
CHEAP = Degrade(Model("acme/small", price=Price(input=0.1, output=0.4)))
FINISH = Finish(keep=0.2)
ASK = Ask(expires=3_600)
LEDGER = Ledger("tenant:acme/day", usd=5, tokens=1_000_000, turns=200)
BUDGET = Budget(
    usd=0.5,
    tokens=100_000,
    turns=20,
    seconds=60,
    share=0.5,
    ledger=LEDGER,
    on_exhausted=[CHEAP, ASK, FINISH, Stop()],
)
ENVELOPE = Envelope(
    usd=0.25,
    tokens=50_000,
    turns=10,
    until=1_796_000_000.5,
    whole_usd=0.5,
    whole_tokens=100_000,
    told_usd=0.01,
    told_tokens=900,
    told_turns=2,
    ledgers=("tenant:acme/day",),
    asks=True,
    recalled=True,
    on_exhausted=(FINISH,),
)
UNSETTLED = Unsettled(calls=1, usd=0.031, tokens=2_100)
TOTALS = Totals(cost_usd=0.25, unsettled=UNSETTLED)
COUNTED = Counted(tokens=1_500, model="acme/large")
PORTION = Portion(usd=0.03, tokens=2_000, turns=1)
AT = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
ASKED = TopUpAsked(
    path="desk",
    limit="usd",
    reason="the budget of 'desk' is not enough",
    missing=PORTION,
    expires=AT,
    ledger="tenant:acme/day",
)
ALLOWANCE = Allowance(usd=0.031, tokens=2_100, output_tokens=1_000, used=0.81, limit="usd of 'desk'")
LIMITS = LedgerLimits(usd=5, tokens=1_000_000, turns=200)
OF_LEDGER = OfLedger(execution="run-1", default=LIMITS, keep=0.1, told=PORTION)
BLOCK = LedgerBlock(run_id="run-1/desk", execution="run-1", held=PORTION, spent=PORTION, recalled=True)
DRAWN = DrawnBlock(given=PORTION, told=PORTION, recalled=True)
CARRIED = CarriedBudget(topped_up=PORTION, until=1_796_000_000.5, drawn=DRAWN)
LISTED = ListedPrice(model="acme/large", price=PRICE)
AGENT = Agent(name="thrifty", model=MODEL, budget=BUDGET)
PROMPT = Prompt(name="short", model=MODEL, template="{input}", budget=BUDGET)
USER = Message.user("Hello")
SHARE_ASKED = ShareAsked(
    withdraws=3,
    run_id="run-1/desk",
    number=2,
    need=PORTION,
    what="the next call",
    back=PORTION,
    spent=PORTION,
    last=True,
    wait=True,
    until=1_796_000_000.5,
    of=OF_LEDGER,
)
ENDED = EndedHolder(run_id="run-1/desk", execution="run-1", spent=PORTION)
CHANGE = LedgerChange(
    at=AT, by="ada", note="go on", limits=LIMITS, before=LIMITS, taken_back=PORTION, added=PORTION, id="t1"
)
PART = LedgerPart(run_id="run-1/desk", amount=PORTION, what="the next call")
LEDGERS = (
    *(LEDGER, LIMITS, OF_LEDGER, BLOCK, DRAWN, ENDED, CHANGE, PART),
    LedgerInput(
        name="tenant:acme/day",
        limits=LIMITS,
        default=LedgerLimits(usd=2),
        set_by="ada",
        note="the plan changed",
        since=AT,
        topped_up=PORTION,
        top_ups=("t1",),
        changes=(CHANGE,),
        spent=PORTION,
        blocks=(BLOCK,),
        waiting=(SHARE_ASKED,),
    ),
    LedgerSet(usd=5, tokens=1_000_000, turns=200, by="ada", note="the plan changed"),
    LedgerTopUp(usd=0.5, tokens=1_000, turns=2, by="ada", note="go on", id="t1"),
    LedgerState(
        name="tenant:acme/day",
        period=Period.DAY,
        began=AT,
        ends=AT,
        limits=LIMITS,
        is_set=True,
        set_by="ada",
        note="the plan changed",
        topped_up=PORTION,
        spent=PORTION,
        held=PORTION,
        runs=3,
        waiting=1,
        holders=(PART,),
        asking=(PART,),
        changes=(CHANGE,),
        repeated=True,
    ),
    LedgerQuery(at=AT),
    LedgerHolders(blocks=(BLOCK,)),
    EndedHolders(ended=(ENDED,)),
    ShareRecalled(by="sostenuto-ledger:tenant:acme/day"),
)


def budget_examples(when: dict[str, Any]) -> tuple[Contract, ...]:
    """One or more of each."""
    return (
        *(
            LONG,
            PRICE,
            MODEL,
            CHEAP,
            ASK,
            FINISH,
            Shorten(),
            Stop(),
            BUDGET,
            ENVELOPE,
            UNSETTLED,
            TOTALS,
            COUNTED,
            PORTION,
        ),
        *(ALLOWANCE, AGENT, PROMPT, CallEnd(free=True, again=True), LISTED),
        Chain(name="thrifty_chain", steps=[PROMPT], budget=BUDGET),
        Router(name="thrifty_router", routes=[AGENT], strategy="embedding", budget=BUDGET),
        Parallel(name="thrifty_branches", branches=[AGENT, PROMPT], budget=BUDGET),
        Team(name="thrifty_team", members=[AGENT], model=MODEL, budget=BUDGET),
        Retrieve("thrifty_search", RETRIEVE.collection, budget=BUDGET),
        *LEDGERS,
        SHARE_ASKED,
        ShareGiven(
            by="sostenuto-ledger:team",
            number=2,
            given=PORTION,
            until=1_796_000_000.5,
            refused="spent",
            limit="usd",
            missing=PORTION,
            on_exhausted=(FINISH,),
            used=0.85,
        ),
        PricesAsked(models=("acme/large", "acme/small")),
        PricesFound(prices=(LISTED,)),
        ModelCall(
            transcript="desk",
            turn=1,
            model="acme/small",
            allowance=ALLOWANCE,
            instead=CHEAP.model,
            last=True,
            keep=True,
        ),
        RunInput(runnable=AGENT, message=USER, budget=BUDGET, envelope=ENVELOPE),
        Carried(
            messages=(USER,),
            after="r1",
            turns=1,
            totals=TOTALS,
            counted=COUNTED,
            degraded=(CHEAP.model,),
            budgets=(CARRIED,),
            top_ups=(TakenTopUp(id="t1", path="desk"),),
        ),
        ASKED,
        CARRIED,
        TakenTopUp(id="t1", path="desk"),
        SpentQuery(run_id="run-1/desk"),
        Spent(totals=TOTALS, turns=2),
        TopUpsAsked(waiting=(ASKED,), more=2),
        PendingTopUp(run_id="run-1", since=AT, **dict(ASKED)),
        TopUp(usd=0.5, tokens=1_000, turns=2, seconds=60, by="ada", note="go on", path="desk"),
        ToppedUp(path="desk", still="the budget of 'desk' is not enough"),
        BudgetToppedUp(**when, usd=0.5, tokens=1_000, turns=2, seconds=60, by="ada", note="go on"),
        BudgetSpent(**when, then="ask", reason="the budget of 'desk' is not enough", expires=AT),
        BudgetWarned(**when, limit="usd of 'desk'", used=0.81),
        BudgetSpent(**when, then="degrade", model="acme/small", reason="the budget of 'desk' is not enough"),
        Result(status=Status.EXHAUSTED, unsettled=UNSETTLED, exhausted="usd", ended_unheard=True),
    )
