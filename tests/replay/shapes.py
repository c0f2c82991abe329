"""The shapes of run of which each version records a history. A shape may be added, and none may go."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from sostenuto import (
    Agent,
    Approval,
    Ask,
    AskPerson,
    Budget,
    Chain,
    Cited,
    CodeExecution,
    Collection,
    Degrade,
    Finish,
    LongTerm,
    McpServer,
    Message,
    Model,
    Parallel,
    Price,
    Prompt,
    Retrieve,
    Role,
    Route,
    Router,
    Rule,
    Team,
    TextPart,
    ToolError,
    WebSearch,
    tool,
)
from sostenuto.activities.adapters.providers.scripted import Script
from sostenuto.activities.model_adapter import ModelAdapter
from sostenuto.activities.routing.embedding import Vectors
from sostenuto.clients.start_request import Startable
from sostenuto.contracts import names
from sostenuto.contracts.control.ledger import Ledger
from sostenuto.contracts.specs.chain import Step
from tests.fakes.knowledge import WORDS
from tests.replay.code_first_workflow import PricedWorkflow, RacingWorkflow, RecordedWorkflow

MCP_SERVER = Path(__file__).parents[1] / "fakes" / "mcp_server.py"


@tool(effect="read")
async def look(at: str) -> str:
    """Look at a thing."""
    if at == "nothing":
        raise ToolError("there is nothing to look at")
    return f"a {at}"


@tool(effect="read", fast=True)
async def peek(at: str) -> str:
    """Look at a thing, quickly."""
    return await look(at)


@tool(effect="once")
async def pay(amount: int) -> str:
    """Pay."""
    return f"paid {amount}"


@tool(effect="once", approval=Approval(when=lambda amount: amount > 9, expires=timedelta(hours=1), grants=True))
async def give(amount: int) -> str:
    """Give."""
    return f"gave {amount}"


@tool(effect="once", approval=Approval(expires=timedelta(milliseconds=100), escalate_to="board"))
async def hurry(amount: int) -> str:
    """Give, soon."""
    return f"gave {amount}"


@tool(effect="idempotent", approval=True)
async def unbook(number: int, result: str) -> str:
    """Undo it."""
    return f"unbooked {number}"


@tool(effect="once", compensate=unbook)
async def book(number: int) -> str:
    """Book."""
    return f"booked {number}"


@tool(effect="read", timeout=timedelta(minutes=5))
async def wait() -> str:
    """Wait until cancelled."""
    await asyncio.Event().wait()
    return "never"


class City(BaseModel):
    """A city."""

    name: str
    people: int


class FakeEmbedder:
    """Texts about money lie in one direction, all others in another."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """One row per text."""
        return np.array([[1.0, 0.0] if "money" in text else [0.0, 1.0] for text in texts], dtype=np.float32)


def not_bad(text: str) -> str | None:
    """An objection to one word."""
    return "it is bad" if text == "bad" else None


def calls(*wanted: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """A step that calls tools."""
    return {"tool_calls": [{"name": name, "arguments": arguments} for name, arguments in wanted]}


def _agent(model: Model | str = "scripted/model", **fields: Any) -> Agent:
    return Agent(name="recorded", model=model, tools=[look, peek, pay, wait], instructions="Look around.", **fields)


def _member(name: str, **fields: Any) -> Agent:
    return Agent(name=name, model=f"scripted/{name}", **fields)


def _prompt(name: str, template: str = "{input}", **fields: Any) -> Prompt:
    return Prompt(name=name, template=template, model=f"scripted/{name}", **fields)


@dataclass(frozen=True)
class Shape:
    """A shape of run: what runs, what its models say, and where it is cancelled."""

    script: Script
    runs: Startable = field(default_factory=_agent)
    asked: Any = "Look around."
    cancelled_at: str = ""
    """Type of the activity within which the run is cancelled; empty for none."""
    cancelled_in: str = ""
    """What the id of the run that this activity belongs to has beyond that of the root."""
    terminates: bool = False
    """Whether that run alone is terminated, instead of all cancelled."""
    compensates: bool = False
    """Whether it then undoes what it did."""
    impatient: bool = False
    """Whether the server suggests to continue as new after a few events."""
    context: Any = None
    """The run's own values."""
    decided: Sequence[str] = ()
    """What is said of its calls that wait, one after the other."""
    topped_up: Sequence[int] = ()
    """How many turns its budget is allowed beside what it says, each time it waits for them."""
    memory: str = ""
    """Scope of its memories, of whose workflow the last history is recorded as well."""
    ledger: str = ""
    """Name of the ledger that it spends from, whose own history is recorded as well."""
    adapter: Callable[[], ModelAdapter] | None = None
    """Makes the model, where that follows no script."""


FALLBACKS = Model("scripted/first", fallbacks=["scripted/second"])
_LOOKS = calls(("look", {"at": "cat"}))
_TASKS = [{"member": "finder", "task": "find a", "needs": []}, {"member": "finder", "task": "find b", "needs": []}]
_JOINS = [{"member": "joiner", "task": "join them", "needs": [1, 2]}]


_LACKING = Budget(ledger=Ledger("lacking", turns=5))


def _priced(name: str) -> Model:
    return Model(f"scripted/{name}", price=Price(input=1, output=10), max_output_tokens=1_000)


AGENTS: dict[str, Shape] = {
    "plain": Shape(["Hello."]),
    "tool_loop": Shape([_LOOKS, calls(("look", {"at": "nothing"})), calls(("pay", {"amount": 5})), "Paid."]),
    "fast_tool": Shape([calls(("peek", {"at": "cat"})), calls(("peek", {"at": "nothing"})), "Seen."]),
    "parallel": Shape(
        [calls(("look", {"at": "cat"}), ("peek", {"at": "dog"}), ("pay", {"amount": 5}), ("lok", {})), "All done."]
    ),
    "fallback": Shape({"first": [_LOOKS, {"error": "QuotaExceeded"}], "second": ["", "A cat."]}, _agent(FALLBACKS)),
    "repaired_output": Shape(["Oslo", {"output": {"name": "Oslo", "people": 700_000}}], _agent(output=City)),
    "repeated_calls": Shape([_LOOKS] * 4, _agent(max_repeats=2)),
    "exhausted": Shape([calls(("look", {"at": str(n)})) for n in range(3)], _agent(max_turns=2)),
    "refused": Shape([{"text": "I will not.", "stop": "refusal"}]),
    "failed": Shape([_LOOKS, {"error": "AuthenticationFailed"}]),
    "cancelled_in_model": Shape([_LOOKS, {"hangs": True}], cancelled_at=names.MODEL_ACTIVITY),
    "cancelled_in_tool": Shape([calls(("look", {"at": "cat"}), ("wait", {}))], cancelled_at="wait"),
    "continued_as_new": Shape([calls(("look", {"at": str(n)})) for n in range(6)] + ["Seen."], impatient=True),
}
"""Of one agent: since 0.1."""

NESTED: dict[str, Shape] = {
    "prompt_repaired": Shape(
        ["Oslo", {"output": {"name": "Oslo", "people": 700_000}}], _prompt("city", "A city in {input}.", output=City)
    ),
    "prompt_rejected": Shape(["bad"], _prompt("word", validators=[not_bad], max_repairs=1)),
    "chain": Shape(
        {"first": ["one"], "recorded": [_LOOKS, "two"], "last": ["three"]},
        Chain(
            name="steps",
            steps=[
                _prompt("first"),
                Step(_agent("scripted/recorded"), input="After {first}"),
                _prompt("last", "{first}, {recorded}, {input}"),
            ],
        ),
    ),
    "chain_stopped": Shape(
        {"first": ["one"], "second": [{"error": "AuthenticationFailed"}], "last": ["never"]},
        Chain(name="steps", steps=[_prompt("first"), _prompt("second"), _prompt("last")]),
    ),
    "router_rules": Shape(
        {"money": ["Paid."], "other": ["Seen."]},
        Router(
            name="desk",
            strategy="rules",
            routes=[Route(_prompt("money"), when=Rule(pattern="money")), _prompt("other")],
            default="other",
        ),
    ),
    "router_model": Shape(
        {"desk": [{"output": {"reason": "it looks", "route": "other", "confidence": 0.9}}], "other": ["Seen."]},
        Router(name="desk", model="scripted/desk", routes=[_prompt("money"), _member("other")]),
    ),
    "router_embedding": Shape(
        {"money": ["Paid."], "other": ["Seen."]},
        Router(name="desk", routes=[_prompt("money", description="About money."), _prompt("other")]),
        asked="Where is my money?",
    ),
    "parallel_all": Shape(
        {"a": ["one"], "b": ["two"], "c": ["three"]},
        Parallel(name="all", branches=[_prompt("a"), _member("b"), _prompt("c")]),
    ),
    "parallel_first": Shape(
        {"a": [{"text": "one", "delay_seconds": 1}], "b": [{"hangs": True}], "c": [{"hangs": True}]},
        Parallel(name="race", branches=[_prompt("b"), _member("c"), _prompt("a")], join="first"),
    ),
    "vote": Shape(
        {"a": ["Yes"], "b": ["yes"], "c": ["no"]},
        Parallel(name="poll", branches=[_prompt("a"), _prompt("b"), _prompt("c")], join="vote"),
    ),
    "vote_judged": Shape(
        {"a": ["Yes"], "b": ["no"], "judge": ["b"]},
        Parallel(name="poll", branches=[_prompt("a"), _prompt("b")], join="vote", judge=_prompt("judge")),
    ),
    "map": Shape({"each": ["done"]}, Parallel(name="items", each=_prompt("each"), limit=2), asked="[1, 2, 3]"),
    "map_agents": Shape({"each": ["done"]}, Parallel(name="items", each=_member("each"), limit=2), asked="[1, 2, 3]"),
    "reducer": Shape(
        {"a": ["one"], "b": ["two"], "sum": ["three"]},
        Parallel(name="all", branches=[_prompt("a"), _prompt("b")], reducer=_prompt("sum")),
    ),
    "delegate": Shape(
        {
            "lead": [calls(("a", {"task": "x"}), ("b", {"task": "y"})), calls(("a", {"task": "z"})), "Done."],
            "a": ["one"],
            "b": ["two"],
        },
        Team(name="crew", model="scripted/lead", members=[_member("a"), _prompt("b")]),
    ),
    "delegate_continued": Shape(
        {"lead": [calls(("a", {"task": str(n)})) for n in range(6)] + ["Done."], "a": ["one"]},
        Team(name="crew", model="scripted/lead", members=[_member("a")]),
        impatient=True,
    ),
    "handoff": Shape(
        {"front": [calls(("transfer_to_back", {"reason": "money"}))], "back": ["", "Paid."]},
        Team(name="desk", style="handoff", members=[_member("front"), _member("back")]),
    ),
    "debate": Shape(
        {"a": ["Yes.", "Still yes."], "b": ["No.", "Now yes."], "judge": ["Yes it is."]},
        Team(name="panel", style="debate", members=[_member("a"), _member("b")], model="scripted/judge"),
    ),
    "plan": Shape(
        {
            "planner": [
                {"output": {"tasks": [{**_TASKS[0], "member": "nobody"}], "answer": ""}},
                {"output": {"tasks": _TASKS, "answer": ""}},
                {"output": {"tasks": _JOINS, "answer": ""}},
                {"output": {"tasks": [], "answer": "Found."}},
            ],
            "finder": ["found"],
            "joiner": ["joined"],
        },
        Team(name="team", style="plan", model="scripted/planner", members=[_member("finder"), _prompt("joiner")]),
    ),
    "agent_as_tool": Shape(
        {"outer": [calls(("inner", {"task": "look"}), ("look", {"at": "dog"})), "Done."], "inner": [_LOOKS, "A cat."]},
        _member("outer", tools=[_member("inner", tools=[look]), look]),
    ),
    "mcp": Shape(
        {"caller": [calls(("echo", {"text": "hello"}), ("look", {"at": "cat"})), "Heard."]},
        _member("caller", tools=["mcp:fake/echo", look]),
    ),
    "cancelled_in_child": Shape(
        {"first": ["one"], "recorded": [calls(("look", {"at": "cat"}), ("wait", {}))]},
        Chain(name="steps", steps=[_prompt("first"), _agent("scripted/recorded"), _prompt("never")]),
        cancelled_at="wait",
        cancelled_in="/recorded",
    ),
    "nested": Shape(
        {
            "lead": [calls(("report", {"task": "x"}), ("checker", {"task": "y"})), "Done."],
            "a": ["one"],
            "b": ["two"],
            "clerk": [calls(("pay", {"amount": 5})), "Paid."],
            "sum": ["All of it."],
            "checker": ["Checked."],
        },
        Router(
            name="desk",
            strategy="rules",
            routes=[
                Route(
                    Team(
                        name="crew",
                        model="scripted/lead",
                        members=[
                            Chain(
                                name="report",
                                steps=[
                                    Parallel(name="views", branches=[_prompt("a"), _prompt("b")]),
                                    _member("clerk", tools=[pay]),
                                    _prompt("sum", "{views} {clerk}"),
                                ],
                            ),
                            _member("checker"),
                        ],
                    ),
                    when=Rule(),
                )
            ],
        ),
    ),
    "insisting_at_once": Shape(
        {"p": [calls(("none", {}))] * 3},
        Parallel(name="items", each=_prompt("p", "{input}"), limit=3, min_completed=1),
        asked=[str(number) for number in range(6)],
    ),
    "code_first_racing": Shape({"one": ["one"], "member": ["two"]}, RacingWorkflow, asked="hello"),
    "code_first": Shape({"kind": ["urgent"], "member": ["one"]}, RecordedWorkflow, asked="hello"),
}
"""Of runs that start runs, and of code-first workflows: since 0.2."""

_BOOK = " ".join(f"Rule {number}: leave no page unread, and say what stands on it." for number in range(300))

PACKED: dict[str, Shape] = {
    "long_instructions": Shape(
        {"lead": [calls(("a", {"task": str(n)})) for n in range(4)] + ["Done."], "a": ["one"]},
        Team(name="crew", model="scripted/lead", members=[_member("a", instructions=_BOOK)]),
        impatient=True,
    ),
}
"""Of what an input has to repeat, and has it packed: since 0.3."""

CONTROLLED: dict[str, Shape] = {
    "controlled": Shape(
        {"first": [{"error": "QuotaExceeded"}], "second": [_LOOKS | {"refuses": "seed"}, _LOOKS, _LOOKS, "A cat."]},
        Agent(
            name="recorded",
            model=Model("scripted/first", fallbacks=[Model("scripted/second", seed=7, retries=2)], stop=["END"]),
            tools=[look, peek, WebSearch(max_uses=2), CodeExecution(optional=True)],
            tool_choice="look",
            parallel_tool_calls=False,
            max_repeats=5,
        ),
        impatient=True,
    ),
}
"""Of model calls that are held to something, or made without: since 0.3."""

HANDBOOK = Collection("handbook", embedding=WORDS, fields={"team": str})

_CLAIM = {"output": {"answer": "Flat.", "claims": []}}

SEARCHED: dict[str, Shape] = {
    "searched": Shape(
        [
            calls(("find", {"query": "How is the probe stored?"}), ("find", {"query": "pump", "team": "core"})),
            calls(("find", {"query": "probe", "colour": "red"})),
            *(calls(("find", {"query": f"probe {number}"})) for number in range(3)),
            "Flat.",
        ],
        Agent(name="recorded", model="scripted/m", tools=[HANDBOOK.search(name="find", limit=2)]),
        impatient=True,
    ),
    "retrieved": Shape(
        {
            "rewriter": [{"output": {"queries": ["where is the probe kept", "storing probes"]}}],
            "writer": [_CLAIM],
            "second": [_CLAIM],
        },
        Chain(
            name="recorded",
            steps=[
                Retrieve("found", HANDBOOK, rewrite="multi-query", model="scripted/rewriter", filters={"team": "core"}),
                Prompt(name="draft", template="{found} Question: {input}", model="scripted/writer", output=Cited),
                Agent(name="checker", model="scripted/second", output=Cited),
                Retrieve("again", HANDBOOK, query="{input} {draft}", limit=1),
            ],
        ),
    ),
}
"""Of searches of a collection: since 0.3."""

REMEMBERED: dict[str, Shape] = {
    "remembered": Shape(
        [
            calls(("remember", {"text": "The gate code is 1234"}), ("recall", {"query": "gate"})),
            calls(("forget", {"ids": ["ffffffff"]}), ("remember", {"text": ""})),
            *(calls(("look", {"at": str(number)})) for number in range(3)),
            "Noted.",
        ],
        Agent(
            name="recorded",
            model="scripted/m",
            tools=[look],
            max_repeats=9,
            long_term=LongTerm(HANDBOOK, tools=["remember", "recall", "forget"]),
        ),
        asked="I live in Berlin and I like tea.",
        context={"user": "anna"},
        impatient=True,
        memory="user:anna",
    ),
    "remembered_by_model": Shape(
        {
            "m": ["Noted."],
            "e": [
                {
                    "output": {
                        "memories": [
                            {"text": "It is fine.", "kind": "fact", "about": "", "importance": 1, "replaces": []}
                        ]
                    }
                }
            ],
        },
        Agent(name="recorded", model="scripted/m", long_term=LongTerm(HANDBOOK, extract="scripted/e")),
        asked="It is fine.",
        context={"user": "boris"},
    ),
}
"""Of agents that remember beyond a conversation: since 0.3."""

GIVEN: dict[str, Shape] = {
    "given": Shape(
        {
            "lead": ["-", calls(("helper", {"task": "look"})), "Seen."],
            "helper": [calls(("look", {"at": str(n)})) for n in range(5)] + ["A cat."],
        },
        Team(
            name="recorded",
            model="scripted/lead",
            instructions="You lead for {context.user}.",
            members=[_member("helper", instructions="{context.plan}", tools=[look], max_repeats=9)],
        ),
        asked=[
            Message.user("Hi."),
            Message(role=Role.ASSISTANT, parts=(TextPart(text="Yes?"),)),
            Message.user("Look."),
        ],
        context={"user": "anna", "plan": "pro", "tenant": "acme"},
        impatient=True,
    ),
}
"""Of runs with a context, and with messages from before: since 0.3."""

_DEAR = Model("scripted/model", price=Price(input=1, output=10), max_output_tokens=1_000)
_CHEAP = Model("scripted/cheap", price=Price(input=0.1, output=1), max_output_tokens=1_000)
_USED = {"usage": {"input_tokens": 1_000, "output_tokens": 500}}

BUDGETED: dict[str, Shape] = {
    "budgeted": Shape(
        {
            "model": [
                {"text": "half of it", "dies": True, "faulty_attempts": 1, **calls(("look", {"at": "cat"}))},
                _LOOKS,
            ],
            "cheap": ["", *(calls(("look", {"at": str(n)})) | _USED for n in range(6)), "Seen."],
        },
        Agent(
            name="recorded",
            model=_DEAR,
            tools=[look],
            max_repeats=9,
            budget=Budget(usd=0.025, seconds=600, on_exhausted=[Degrade(_CHEAP), Finish(keep=0.2)]),
        ),
        impatient=True,
    ),
    "budget_shared": Shape(
        [{"text": "Yes.", **_USED}],
        Parallel(
            name="recorded",
            branches=[
                *(Prompt(name=f"p{n}", model=_DEAR, template="{input}") for n in range(3)),
                *(Agent(name=f"a{n}", model=_DEAR, budget=Budget(turns=2, share=0.9)) for n in range(2)),
            ],
            min_completed=2,
            budget=Budget(usd=0.032),
        ),
    ),
    "terminated_within": Shape(
        {
            "lead": [calls(("clerk", {"task": "x"})) | _USED, {"text": "Done.", **_USED}],
            "recorded": [calls(("look", {"at": "cat"}), ("wait", {})) | _USED],
        },
        Agent(
            name="lead",
            model=Model("scripted/lead", price=Price(input=1, output=10), max_output_tokens=1_000),
            tools=[
                Agent(
                    name="clerk",
                    model=Model("scripted/recorded", price=Price(input=1, output=10), max_output_tokens=1_000),
                    tools=[look, wait],
                )
            ],
            budget=Budget(usd=1),
        ),
        cancelled_at="wait",
        cancelled_in="/clerk",
        terminates=True,
    ),
    "topped_up": Shape(
        [*(calls(("look", {"at": str(n)})) for n in range(6)), "Seen."],
        Agent(
            name="recorded",
            model="scripted/model",
            tools=[look],
            max_repeats=9,
            budget=Budget(turns=2, on_exhausted=[Ask(expires=600), Finish()]),
        ),
        impatient=True,
        topped_up=(1, 3, 9),
    ),
    "topped_up_above": Shape(
        [_LOOKS, "Seen."],
        Parallel(
            name="recorded",
            branches=[Agent(name=f"a{n}", model="scripted/model", tools=[look]) for n in range(2)],
            budget=Budget(turns=3, on_exhausted=Ask()),
        ),
        topped_up=(1,),
    ),
    "ledger": Shape(
        {
            "recorded": [
                calls(("clerk", {"task": "x"}), ("other", {"task": "y"})) | _USED,
                *(calls(("look", {"at": str(n)})) | _USED for n in range(3)),
                {"text": "Done.", **_USED},
            ],
            **{name: [_LOOKS | _USED, {"text": "Looked.", **_USED}] for name in ("clerk", "other")},
        },
        Agent(
            name="recorded",
            model=_priced("recorded"),
            tools=[look, *(Agent(name=name, model=_priced(name), tools=[look]) for name in ("clerk", "other"))],
            max_repeats=9,
            budget=Budget(ledger=Ledger("spent/day", turns=10)),
        ),
        impatient=True,
        ledger="spent/day",
    ),
    "ledger_recalled": Shape(
        {
            "lead": [calls(("clerk", {"task": "x"})) | _USED, calls(("other", {"task": "y"})) | _USED, "Done."],
            "recorded": [calls(("look", {"at": "cat"}), ("wait", {})) | _USED],
            "other": [*(calls(("look", {"at": str(n)})) | _USED for n in range(5)), "Looked."],
        },
        Agent(
            name="lead",
            model=_priced("lead"),
            tools=[
                Agent(name="clerk", model=_priced("recorded"), tools=[look, wait], budget=_LACKING),
                Agent(name="other", model=_priced("other"), tools=[look], budget=_LACKING),
            ],
        ),
        cancelled_at="wait",
        cancelled_in="/clerk",
        terminates=True,
        ledger="lacking",
    ),
}
"""Of runs with a budget: since 0.3."""

APPROVED: dict[str, Shape] = {
    "approved": Shape(
        [
            calls(*(("give", {"amount": amount}) for amount in (5, 50, 60, 70)), ("ask_person", {"question": "Why?"})),
            calls(("hurry", {"amount": 1})),
            *(calls(("give", {"amount": 80 + number})) for number in range(3)),
            "All given.",
        ],
        Agent(name="recorded", model="scripted/model", tools=[give, hurry, AskPerson()], max_repeats=9),
        impatient=True,
        decided=("edit", "deny", "answer", "answer", "approve"),
    ),
}
"""Of calls that wait for a person: since 0.3."""

_BOOKS = [calls(("book", {"number": number})) for number in range(4)]

COMPENSATED: dict[str, Shape] = {
    "compensated": Shape(
        {"booker": [*_BOOKS, "Booked."], "last": [calls(("pay", {"amount": 5})), {"error": "AuthenticationFailed"}]},
        Chain(
            name="recorded",
            steps=[_member("booker", tools=[book], max_repeats=9), _member("last", tools=[pay])],
            compensate=True,
        ),
        impatient=True,
        decided=("approve", "deny", "edit", "answer"),
    ),
    "compensated_cancel": Shape(
        [calls(("book", {"number": 1}), ("wait", {}))],
        _member("booker", tools=[book, wait]),
        cancelled_at="wait",
        compensates=True,
        decided=("approve",),
    ),
}
"""Of runs that undo what they did: since 0.3."""

PRICED: dict[str, Shape] = {"code_first_priced": Shape(["Well."], PricedWorkflow)}
"""Of workflows of one's own under a budget of US dollars: since 0.3."""

SLOW: dict[str, Shape] = {
    "slow": Shape(
        [{**calls(("look", {"at": "cat"})), "delay_seconds": 10.5}, calls(("look", {"at": "dog"})), "Both seen."],
        Agent(name="recorded", model="scripted/model", tools=[look]),
    ),
}
"""Of runs that take so long that they tell what they used while they go on: since 0.3."""

SINCE_BUDGETS = {**BUDGETED, **APPROVED, **COMPENSATED, **PRICED, **SLOW}
SHAPES = {**AGENTS, **NESTED, **PACKED, **CONTROLLED, **SEARCHED, **REMEMBERED, **GIVEN, **SINCE_BUDGETS}

SERVERS = {"fake": McpServer(command=sys.executable, args=[str(MCP_SERVER), "stdio"])}
"""What the agents here call by MCP."""
