"""A nested run explains itself in the Temporal UI: as a tree of what ran, with the runs to go on to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client as TemporalClient

from sostenuto import App, Chain, Parallel, Route, Router, Rule
from tests.fakes.cast import turn
from tests.integration.agent.stage import calls
from tests.integration.patterns.conftest import agent, prompt

if TYPE_CHECKING:
    from tests.integration.patterns.conftest import Serve

FAILS = {"error": "QuotaExceeded", "text": "![](http://127.0.0.1/spy.png)"}


async def _details(client: TemporalClient, workflow_id: str) -> str:
    handle = client.get_workflow_handle(workflow_id)
    metadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return str(metadata.current_details)


async def test_a_tree(serve: Serve, temporal: TemporalClient) -> None:
    chain = Chain(
        name="c",
        steps=[
            prompt("p"),
            Router(name="r", strategy="rules", routes=[Route(agent("a", tools=[agent("low")]), when=Rule())]),
            Parallel(name="m", each=prompt("x"), over="list", min_completed=1),
        ],
        inputs=["list"],
    )
    cast = {
        "a": lambda request: calls(("low", {"task": "dig"})) if turn(request) == 0 else "top",
        "x": lambda request: FAILS if request.messages[0].text == "2" else "ok",
    }
    async with serve(App(), cast) as stage:
        outcome = await stage.ask(chain, {"list": [1, 2]})
        details = await _details(temporal, outcome.run.id)
        below = await _details(temporal, f"{outcome.run.id}/r/a")
    head, tree, *entries = details.split("\n\n")
    assert head == "**c** · 5 turns · 50→25 tok · $0.0050"
    failed = "failed: QuotaExceeded: scripted/x: scripted QuotaExceeded: ![](http://127.0.0.1/spy.png)"
    assert tree.splitlines() == [
        "    ✓ p · 15 tok",
        "    ✓ r · 45 tok",
        f"      ✓ a · run {outcome.run.id}/r/a · 45 tok",
        "    ✓ m · 15 tok",
        "      ✓ x[0] · 15 tok",
        f"      ✗ x[1] · {failed}",
    ]
    assert entries[0] == "**user** · p"
    assert below.startswith("**a** · 3 turns · 30→15 tok · $0.0030\n\n")
    assert f"    ✓ low · run {outcome.run.id}/r/a/low · 15 tok" in below


async def test_a_wide_tree_is_bounded(serve: Serve, temporal: TemporalClient) -> None:
    wide = Parallel(name="wide", each=prompt("x"))
    async with serve(App(), {}) as stage:
        outcome = await stage.ask(wide, str(list(range(60))))
        details = await _details(temporal, outcome.run.id)
    head, tree, *entries = details.split("\n\n")
    assert head.startswith("**wide** · 60 turns")
    lines = tree.splitlines()
    assert lines[0] == "    … 20 before"
    assert len(lines) == 1 + 40
    assert len(entries) == 2 * 20
    assert len(details) < 10_000


async def test_what_a_nested_run_is_for_stands_beside_it(serve: Serve, temporal: TemporalClient) -> None:
    async with serve(App(), {}) as stage:
        outcome = await stage.ask(Chain(name="c", steps=[prompt("p"), agent("a")]), "why?\nAnd how?")
        description = await temporal.get_workflow_handle(f"{outcome.run.id}/a").describe()
    assert await description.static_summary() == "a: p<why?"
