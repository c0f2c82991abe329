"""Prompts that tell what was recalled are proven, whatever stood at the end of what the last reply knows."""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Client, Collection, LongTerm, Memory, Status
from sostenuto.workers.worker import build_worker
from tests.fakes.counting_model import Answer, CountingModel, Sent
from tests.fakes.knowledge import WORDS, knowledge
from tests.integration.memory.test_after_failed_questions import Waiting, answers, proven, said, until_it_continues

RECALLED = "What is"


class Interrupted(Waiting):
    """Answers, too."""

    def __init__(self) -> None:
        super().__init__()
        self._answer = self._answers

    def _answers(self, sent: Sent) -> Answer:
        return answers(sent)


@pytest.mark.parametrize("case", ["left", "fork", "continued"])
async def test_what_is_recalled_stands_before_what_is_asked(
    impatient: TemporalClient, task_queue: str, tmp_path: Path, case: str
) -> None:
    """All replies have left the prompt, or there is none, and a message that nobody answered stands before it."""
    people, model = Collection(task_queue, embedding=WORDS), Interrupted()
    memory = Memory(window=2_000, strategy="window") if case == "left" else None
    wants = LongTerm(people, scope="user:anna")
    agent = Agent(name="w", model="scripted/m", memory=memory, long_term=wants)
    scripted: dict[str, CountingModel] = {"scripted": model}
    async with (
        knowledge(tmp_path / "store", adapters=scripted) as services,
        build_worker(impatient, App(agent), scripted, lambda *_: 0.001, task_queue=task_queue, services=services),
    ):
        client = Client(impatient, task_queue=task_queue, redis_url="")
        chat = await client.chat(agent, id=task_queue)
        if case == "left":
            texts = ["Hello", "So?"]
            for text in texts:
                await chat.send(f"{text} {'word ' * 60}")
            await until_it_continues(impatient, chat, lambda _: "LARGE " + "word " * 1_100)
        else:
            texts = ["wait 0"]
            await model.interrupted(chat, "wait 0\n" + "lorem " * 4_000, "w0")
        if case == "continued":
            await until_it_continues(impatient, chat, lambda _: "FAIL")
        await client.memory(people, "user:anna").remember("The user likes figs.")
        chat = await chat.fork() if case == "fork" else chat
        assert (await chat.send("Do I like figs?")).status is Status.COMPLETED
        assert "The user likes figs." in model.sent[-1].messages[-2].text
        assert await proven(impatient, chat) > 0
        begins = [text.split()[0] for text in await said(chat)]
        assert begins == [*(text.split()[0] for text in texts), "What", "Do"]
