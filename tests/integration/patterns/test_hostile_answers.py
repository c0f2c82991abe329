"""What models and users may say: it breaks no form, reaches no reader as markup, and loses nothing paid for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, field_validator
from temporalio.api.sdk.v1 import WorkflowMetadata

from sostenuto import App, Chain, Parallel, Status, Team
from sostenuto.activities.model_adapter import ModelRequest
from sostenuto.contracts.message import Message
from sostenuto.contracts.wire.run import RunInput
from tests.fakes.cast import turn
from tests.integration.agent.stage import calls
from tests.integration.patterns.conftest import agent, prompt

if TYPE_CHECKING:
    from tests.integration.patterns.conftest import Play, Serve

HALF = "\\ud83d"
"""Half of an emoji, as JSON writes it."""
SPY = "![x](http://127.0.0.1/spy.png)"


class Verdict(BaseModel):
    winner: str
    share: float = 0

    @field_validator("winner")
    @classmethod
    def somebody(cls, winner: str) -> str:
        if winner == "nobody":
            raise ValueError("nobody is no winner")
        return winner


class Numbers(BaseModel):
    numbers: list[int]


@pytest.mark.parametrize(
    ("style", "said"), [("debate", []), ("plan", ['{"tasks": [], "answer": "x"}'])], ids=["debate", "plan"]
)
async def test_a_team_holds_its_answer_to_its_type(play: Play, style: Any, said: list[str]) -> None:
    """And not to the schema of the type alone, whoever of the team gives the answer."""
    answers = iter([*said, '{"winner": "nobody"}', '{"winner": "x"}'])
    team = Team(name="t", members=[agent("x"), agent("y")], style=style, model="scripted/m", output=Verdict)
    outcome = await play(team, {"m": lambda _: next(answers)})
    assert outcome.result.output == {"winner": "x"}
    (step,) = [step for step in outcome.result.steps.values() if step.rejected]
    assert step.rejected[0].reasons == ("winner: Value error, nobody is no winner",)


@pytest.mark.parametrize("share", ["NaN", "Infinity", "1e999"])
async def test_numbers_that_no_history_holds(play: Play, share: str) -> None:
    """They would come back as null, which is of no such type."""
    outcome = await play(
        prompt("p", output=Verdict), {"p": [f'{{"winner": "x", "share": {share}}}', '{"winner": "x"}']}
    )
    assert (outcome.result.output, len(outcome.result.rejected)) == ({"winner": "x"}, 1)


async def test_an_answer_with_thousands_of_mistakes(play: Play) -> None:
    """It is paid for: told all of them it would be too large to be sent, and the run would end."""
    wrong = json.dumps({"numbers": ["no number"] * 20_000})
    outcome = await play(prompt("p", output=Numbers), {"p": [wrong, '{"numbers": [1]}']})
    assert outcome.result.output == {"numbers": [1]}
    assert len(outcome.result.rejected[0].reasons) == 20


async def test_half_an_emoji_in_a_list(play: Play) -> None:
    chain = Chain(name="c", steps=[prompt("items"), Parallel(name="m", each=agent("x"), over="items")])
    outcome = await play(chain, {"items": f'["a", "{HALF}"]'})
    assert outcome.result.reason == "step 'm': over: {items} is not a list of items"
    assert outcome.result.turns == 1


async def test_what_breaks_loses_nothing_that_came_before(serve: Serve) -> None:
    """A run that no client of ours started may lack what its templates want."""
    chain = Chain(name="c", steps=[prompt("first"), prompt("second", "{a}")], inputs=["a"])
    async with serve(App(chain), {}) as stage:
        run = RunInput(runnable=chain, message=Message.user(f'{{"a": "{HALF}"}}'))
        handle = await stage.temporal.start_workflow(
            "SostenutoRun", run, id=stage.task_queue, task_queue=stage.task_queue
        )
        with pytest.raises(Exception, match="Workflow execution failed") as failed:
            await handle.result()
    (partial,) = failed.value.__cause__.details  # type: ignore[union-attr]
    assert (partial["turns"], list(partial["steps"])) == (1, ["first", "second"])


@pytest.mark.parametrize("cached_runs", [1000], indirect=True)  # reading it anew at every step is tested elsewhere
async def test_a_planner_has_turns_for_all_of_its_plans(play: Play) -> None:
    """Also where each of them is asked for again as often as may be."""

    def plan(request: ModelRequest) -> str:
        if turn(request) == 51:
            return '{"tasks": [], "answer": "done"}'
        needs = [] if turn(request) % 3 == 2 else [99]
        return json.dumps({"tasks": [{"member": "x", "task": "go on", "needs": needs}], "answer": ""})

    team = Team(name="t", members=[prompt("x")], style="plan", model="scripted/m", max_rounds=17)
    outcome = await play(team, {"m": plan})
    assert (outcome.result.status, outcome.result.output) == (Status.COMPLETED, "done")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (calls((f"x {SPY}\r\n# H", {})), "→ **x !\\[x](http://127.0.0.1/spy.png)**"),
        (f"\\<img src=x>\r# H\n{SPY}", "\\&lt;img src=x>\n\\# H\n!\\[x]"),
        (f'{{"a": "{HALF}"}}', f'{{"a": "{HALF}"}}'),
        ({"text": f"no\r\r{SPY}", "stop": "refusal"}, "✗ x · run {run}/x · 15 tok · refused: no\n\n"),
    ],
    ids=["a tool's name", "a text", "half an emoji", "a reason"],
)
async def test_the_details_are_no_markup(serve: Serve, said: Any, shown: str) -> None:
    team = Team(name="t", members=[agent("x", max_turns=1)], model="scripted/lead")
    runnable = agent("x", max_turns=1) if "{run}" not in shown else team
    cast = {"x": said, "lead": [calls(("x", {"task": "go"})), "end"]}
    async with serve(App(runnable), cast) as stage:
        outcome = await stage.ask(runnable)
        handle = stage.temporal.get_workflow_handle(outcome.run.id)
        metadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    assert shown.replace("{run}", outcome.run.id) in metadata.current_details
    assert all(line.startswith("    ") for line in metadata.current_details.splitlines() if SPY in line)
