"""Every pattern once, replayed at each step and as in production: what it comes to, and its totals."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client as TemporalClient

from sostenuto import App, Chain, Parallel, Route, Router, Rule, Status, Step, Team
from sostenuto.contracts.specs.runnable import Runnable
from sostenuto.workers.worker import replayer
from tests.fakes.cast import Part, last_told, turn
from tests.integration.agent.recorded import Recorded
from tests.integration.agent.stage import PRICE_USD, calls
from tests.integration.patterns.conftest import agent, prompt

if TYPE_CHECKING:
    from sostenuto.activities.model_adapter import ModelRequest
    from tests.integration.patterns.conftest import Serve


@dataclass(frozen=True)
class Case:
    """A runnable, the parts of its models, and what it comes to."""

    runnable: Runnable
    output: Any
    turns: int
    """Of all models together."""
    children: tuple[str, ...] = ()
    """Paths below the root of the runs that it starts itself, in their order."""
    parts: dict[str, Part] = field(default_factory=dict)
    message: Any = "go"


def _leads(request: ModelRequest) -> Any:
    if turn(request) == 0:
        return calls(("writer", {"task": "a"}), ("writer", {"task": "b"}))
    told = [part.content for message in request.messages for part in message.parts if part.kind == "tool_result"]
    return " & ".join(told)


def _plans(request: ModelRequest) -> str:
    tasks = [
        {"member": "a", "task": "find x", "needs": []},
        {"member": "b", "task": "find y", "needs": []},
        {"member": "a", "task": "join", "needs": [1, 2]},
    ]
    if turn(request) == 0:
        return json.dumps({"tasks": tasks, "answer": ""})
    return json.dumps({"tasks": [], "answer": last_told(request).splitlines()[0]})


def _route(name: str) -> str:
    return json.dumps({"reason": "it is", "route": name, "confidence": 0.9})


CASES = {
    "prompt": Case(prompt("p", "Say {word}!"), "p<Say hi!>", 1, message={"word": "hi"}),
    "prompt of a choice": Case(prompt("p", output=Literal["yes", "no"]), "yes", 1, parts={"p": '{"value": "yes"}'}),
    "chain": Case(
        Chain(name="c", steps=[prompt("p"), agent("a"), prompt("q", "{p}+{a}+{input}")]),
        "q<p<go>+a<p<go>>+go>",
        3,
        ("a",),
    ),
    "router, model": Case(
        Router(name="r", routes=[prompt("p"), agent("a")], model="scripted/r"), "a<go>", 2, ("a",), {"r": _route("a")}
    ),
    "router, rules": Case(
        Router(name="r", strategy="rules", routes=[Route(prompt("p"), when=Rule(pattern="go"))]), "p<go>", 1
    ),
    "parallel": Case(Parallel(name="p", branches=[prompt("x"), agent("y")]), {"x": "x<go>", "y": "y<go>"}, 2, ("y",)),
    "map of prompts": Case(
        Parallel(name="m", each=prompt("x"), limit=2), ["x<1>", "x<b>", 'x<{"c": 3}>'], 3, message='[1, "b", {"c": 3}]'
    ),
    "map of agents": Case(
        Parallel(name="m", each=agent("x"), limit=2), ["x<1>", "x<2>"], 2, ("x[0]", "x[1]"), message="[1, 2]"
    ),
    "first": Case(
        Parallel(name="f", branches=[prompt("x"), agent("y")], join="first"),
        "x<go>",
        1,
        ("y",),
        {"y": {"hangs": True, "text": "."}},
    ),
    "vote": Case(
        Parallel(name="v", branches=[prompt("x"), prompt("y"), agent("z")], join="vote"),
        "Yes",
        3,
        ("z",),
        {"x": "Yes", "y": "no", "z": "yes "},
    ),
    "reduce": Case(
        Parallel(name="p", branches=[prompt("x"), prompt("y")], reducer=prompt("sum", "Sum {input}")),
        'sum<Sum {"x": "x<go>", "y": "y<go>"}>',
        3,
    ),
    "delegate": Case(
        Team(name="t", members=[agent("writer")], model="scripted/lead"),
        "writer<a> & writer<b>",
        4,
        ("writer", "writer#2"),
        {"lead": _leads},
    ),
    "handoff": Case(
        Team(name="t", members=[agent("triage"), agent("billing")], style="handoff"),
        "billing<The conversation is handed over to billing.>",
        2,
        ("triage", "billing"),
        {"triage": calls(("transfer_to_billing", {"reason": "money"}))},
    ),
    "debate": Case(
        Team(name="t", members=[agent("x"), agent("y")], style="debate", model="scripted/judge", max_rounds=2),
        "settled",
        5,
        ("x", "y", "x#2", "y#2"),
        {"judge": "settled"},
    ),
    "plan": Case(
        Team(name="t", members=[agent("a"), agent("b")], style="plan", model="scripted/plan"),
        "## Task 1, a: find x",
        5,
        ("a", "b", "a#2"),
        {"plan": _plans},
    ),
    "agent with an agent with a chain": Case(
        agent(
            "lead",
            tools=[agent("mid", tools=[Chain(name="deep", inputs=["x"], steps=[prompt("q", "{x}"), agent("low")])])],
        ),
        "top: mid: low<q<7>>",
        6,
        ("mid",),
        {
            "lead": lambda r: calls(("mid", {"task": "dig"})) if turn(r) == 0 else f"top: {last_told(r)}",
            "mid": lambda r: calls(("deep", {"x": 7})) if turn(r) == 0 else f"mid: {last_told(r)}",
        },
    ),
    "router, team, chain, parallel": Case(
        Router(
            name="r",
            strategy="rules",
            routes=[
                Route(
                    Team(
                        name="t",
                        model="scripted/lead",
                        members=[
                            Chain(
                                name="writer",
                                steps=[
                                    prompt("s"),
                                    Parallel(name="pp", branches=[prompt("x"), agent("y")]),
                                    Step(agent("w"), input="{s} {pp}"),
                                ],
                            )
                        ],
                    ),
                    when=Rule(),
                )
            ],
        ),
        'w<s<a> {"x": "x<s<a>>", "y": "y<s<a>>"}> & w<s<b> {"x": "x<s<b>>", "y": "y<s<b>>"}>',
        10,
        ("t",),
        {"lead": _leads},
    ),
}


@pytest.mark.parametrize("cached_runs", [0, 100], ids=["replayed", "cached"], indirect=True)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_it_comes_to(serve: Serve, temporal: TemporalClient, case: Case) -> None:
    async with serve(App(case.runnable), case.parts) as stage:
        outcome = await stage.ask(case.runnable, case.message)
    result, history = outcome.result, outcome.history
    assert (result.status, result.output) == (Status.COMPLETED, case.output)
    assert result.turns == case.turns
    assert result.usage.total_tokens == 15 * case.turns
    assert result.cost_usd == pytest.approx(case.turns * PRICE_USD)
    assert history.failed_tasks == []
    started = history.attributes("start_child_workflow_execution_initiated")
    assert [child.workflow_id.removeprefix(f"{outcome.run.id}/") for child in started] == list(case.children)
    for workflow_id in (outcome.run.id, *(child.workflow_id for child in started)):
        await _replays(temporal, workflow_id)


async def _replays(temporal: TemporalClient, workflow_id: str) -> None:
    recorded = await Recorded.of(temporal, workflow_id)
    assert recorded.events[-1].event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED
    replayed = await replayer().replay_workflow(recorded.history)
    assert replayed.replay_failure is None
