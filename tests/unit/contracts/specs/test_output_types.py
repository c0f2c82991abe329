"""A type checker knows what an answer is; `make check` runs one over this file."""

from __future__ import annotations

from typing import Any, Literal, assert_type

from pydantic import BaseModel
from temporalio import workflow

from sostenuto import Agent, Chain, Chat, Cited, Client, Prompt, Result, Run, Team
from sostenuto.workflows import ask, run


class Decision(BaseModel):
    """What is to be done."""

    refund: bool


DECIDES = Agent(name="decides", model="scripted/m", output=Decision)
TALKS = Agent(name="talks", model="scripted/m", instructions="Be kind.", max_turns=3)
CITES = Prompt(name="cites", template="{input}", model="scripted/m", output=Cited)
LISTS = Prompt(name="lists", template="{input}", model="scripted/m", output=list[str])
CHOOSES = Prompt(name="chooses", template="{input}", model="scripted/m", output=Literal["good", "bad"])
LEADS = Team(name="leads", members=[TALKS], model="scripted/m", output=Decision)
FLOWS = Chain(name="flows", steps=[TALKS])


def test_runnables_know_what_they_answer() -> None:
    assert_type(DECIDES, Agent[Decision])
    assert_type(TALKS, Agent[str])
    assert_type(CITES, Prompt[Cited])
    assert_type(LISTS, Prompt[list[str]])
    # Of a form that is no class, a type checker is told nothing.
    assert_type(CHOOSES, Prompt[Any])
    assert_type(LEADS, Team[Decision])
    assert_type(FLOWS, Chain[Any])


def test_what_is_for_type_checkers_alone_changes_nothing() -> None:
    assert Agent[Decision] is Agent
    assert Result[Decision] is Result
    assert type(DECIDES) is Agent
    read = Agent[Decision].model_validate_json(DECIDES.model_dump_json())
    assert read == DECIDES
    assert Result[str].model_validate_json('{"status": "completed", "output": "x"}').output == "x"


@workflow.defn
class _Own:
    @workflow.run
    async def run(self, order: str) -> Decision:
        assert_type(await run(DECIDES, order), Result[Decision])
        assert_type(await ask("scripted/m", order), Result[str])
        decided = await ask("scripted/m", order, output=Decision)
        assert_type(decided, Result[Decision])
        assert_type(await ask("scripted/m", order, output=Literal["a", "b"]), Result[Any])
        return decided.output


async def _program(client: Client) -> None:
    """Never runs: it is read by the type checker."""
    started = await client.start(DECIDES, "What now?")
    assert_type(started, Run[Decision])
    assert_type((await started.result()).output, Decision)
    _ = (await started.result()).output.refnd  # type: ignore[attr-defined]
    assert_type(await client.get("a", runnable=DECIDES), Run[Decision])
    assert_type(await client.get("a"), Run[Any])
    assert_type(await client.start(_Own.run, "7"), Run[Decision])
    chat = await client.chat(TALKS)
    assert_type(chat, Chat[str])
    assert_type(await chat.send("Hello"), Result[str])
    Agent(name="a", model="scripted/m", max_truns=3)  # type: ignore[call-overload]
