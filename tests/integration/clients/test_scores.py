"""Scores on the command line: stored without a worker, shown with the trace, and sent by a worker that comes later."""

from __future__ import annotations

import asyncio
import json
import signal

import pytest

from sostenuto import Score
from tests.fakes.score_tools import ScoreTools
from tests.integration.agent.stage import eventually
from tests.integration.clients.shell import Shell, ended


async def test_a_score_from_the_command_to_the_tool(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    id_ = f"cli-{shell.queue}"
    assert (await shell.run("run", "shop:app", "support", "How is 7?", "--id", id_)).status == 0
    # The worker of `run` had a queue of its own, and is gone.
    there = ("--task-queue", shell.queue)
    scored = await shell.run("score", id_, "helpful", "0.5", "--comment", "Short,\nand right.", "--by", "anna", *there)
    assert (scored.status, scored.out) == (0, "")
    assert scored.err == f"{id_} scored helpful 0.5 by anna: Short, and right.\n"
    printed = await shell.run("score", id_, "polite", "true", "--json", *there)
    score = Score.model_validate(json.loads(printed.out))
    assert (score.name, score.value, score.comment, score.by) == ("polite", True, "", "")

    async def shows(*lines: str) -> bool:
        return (await shell.run("trace", id_)).out.splitlines()[-len(lines) :] == list(lines)

    lines = ("scored helpful 0.5 by anna: Short, and right.", "scored polite true")
    await eventually(lambda: shows(*lines))
    assert "scored" not in (await shell.run("trace", id_, "--json")).out

    async with ScoreTools() as tools:
        tools.name(monkeypatch)
        shell.set("SOSTENUTO_TELEMETRY", "langfuse")
        for name in ("HOST", "PUBLIC_KEY", "SECRET_KEY"):
            shell.set(f"LANGFUSE_{name}", {"HOST": f"{tools.server.url}/langfuse"}.get(name, "key-of-it"))
        worker = await shell.start("worker", "shop:app")
        try:
            await eventually(lambda: shows(*(f"{line} (langfuse: sent)" for line in lines)))
        finally:
            worker.send_signal(signal.SIGINT)
            await ended(worker)
    assert {one["value"] for one in tools.all("langfuse")} == {0.5, 1}


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("nobody", "helpful", "1"), "run 'nobody': there is no such run"),
        (("{id}", "helpful", "nan"), "score: value=nan is none: pass a finite number, True or False, or a label"),
        (("{id}", "", "1"), "score: name='' is none: it has 1 to 100 printable characters"),
        (("{id}", "helpful", "1", "--turn", "m1"), "is a run, and has no turns"),
    ],
)
async def test_what_is_no_score(shell: Shell, words: tuple[str, ...], problem: str) -> None:
    id_ = f"cli-{shell.queue}"
    await shell.run("run", "shop:app", "support", "How is 7?", "--id", id_)
    refused = await shell.run("score", *(word.format(id=id_) for word in words))
    assert (refused.status, len(refused.err.splitlines())) == (2, 1)
    assert problem in refused.err


async def test_a_turn_of_a_chat(shell: Shell) -> None:
    shell.script({"text": "One."}, {"text": "Two."})
    id_ = f"cli-{shell.queue}"
    chat = await shell.start("chat", "shop:app", "support", "--id", id_, stdin=asyncio.subprocess.PIPE)
    assert (await ended(chat, b"First?\nSecond?\n")).status == 0
    scored = await shell.run("score", id_, "helpful", "-1", "--json")
    assert Score.model_validate(json.loads(scored.out)).value == -1.0
    assert Score.model_validate(json.loads(scored.out)).turn
