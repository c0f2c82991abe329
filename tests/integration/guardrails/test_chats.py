"""Chats whose messages and answers are guarded."""

from __future__ import annotations

from sostenuto import Agent, App, Client, Custom, Pii, Prompt, Status
from tests.integration.guardrails.conftest import Serve
from tests.integration.guardrails.said import everything

ANNA = "anna.berg@example.com"
BEN = "ben.okafor@example.org"


def no_prices(text: str) -> str | None:
    """Say whether a text names a price."""
    return "it names a price" if "$" in text else None


async def test_a_chat_keeps_nothing_and_shows_all(serve: Serve) -> None:
    desk = Agent(name="desk", model="scripted/model")
    async with serve(App(desk, guardrails=[Pii()]), [f"Hello {ANNA}", f"Both {ANNA} and {BEN}"]) as stage:
        client = Client(stage.temporal, task_queue=stage.task_queue, redis_url="")
        chat = await client.chat(desk, title="people")
        first = await chat.send(f"I am {ANNA}")
        # Another client, which knows nothing but its id.
        again = await client.chat(id=chat.id)
        items = [item async for item in again.send(f"And {BEN}")]
        second = items[-1]
        assert second.type == "turn.finished"
        history, transcript = await chat.history(), await again.transcript()
        await chat.end()
        events = [event async for event in chat.events()]
        said = await everything(stage, chat.id)
    assert (first.output, second.output) == (f"Hello {ANNA}", f"Both {ANNA} and {BEN}")
    assert [turn.message.text for turn in history] == [f"I am {ANNA}", f"And {BEN}"]
    assert [message.text for message in transcript][-1] == f"Both {ANNA} and {BEN}"
    assert ANNA not in said
    assert BEN not in said
    decided = [event for event in events if event.type == "guardrail.decided"]
    assert [(one.stage, one.verdict) for one in decided] == [
        *(("input", "redacted"), ("output", "redacted"), ("input", "redacted"), ("output", "redacted"))
    ]


async def test_a_runnable_that_runs_anew_for_each_message(serve: Serve) -> None:
    echo = Prompt(name="echo", template="{history} {input}", model="scripted/model", guardrails=[Pii()])
    async with serve(App(echo), [f"Hello {ANNA}"]) as stage:
        client = Client(stage.temporal, task_queue=stage.task_queue, redis_url="")
        chat = await client.chat(echo)
        first = await chat.send(f"I am {ANNA}")
        second = await chat.send("Again")
        said = await everything(stage, chat.id)
    assert (first.output, second.output) == (f"Hello {ANNA}", f"Hello {ANNA}")
    assert ANNA not in said


async def test_a_message_that_is_blocked_ends_its_turn_and_not_the_chat(serve: Serve) -> None:
    desk = Agent(name="desk", model="scripted/model", guardrails=[Pii(on_failure="block", at=["input"])])
    async with serve(App(desk), ["Hello."]) as stage:
        client = Client(stage.temporal, task_queue=stage.task_queue, redis_url="")
        chat = await client.chat(desk, title="people")
        blocked = await chat.send(f"I am {ANNA}")
        answered = await chat.send("Hello?")
        said = await everything(stage, chat.id)
    assert (blocked.status, blocked.reason) == (Status.REFUSED, "the guardrail pii blocked the input: 1 email")
    assert answered.output == "Hello."
    assert ANNA not in said


async def test_a_fork_shows_what_it_begins_with(serve: Serve) -> None:
    desk = Agent(name="desk", model="scripted/model", guardrails=[Pii(), Custom(no_prices)])
    async with serve(App(desk), [f"Hello {ANNA}", f"Still {ANNA}"]) as stage:
        client = Client(stage.temporal, task_queue=stage.task_queue, redis_url="")
        chat = await client.chat(desk)
        await chat.send(f"I am {ANNA}")
        fork = await chat.fork(id=f"{chat.id}-fork")
        answer = await fork.send("Still?")
        transcript = await fork.transcript()
        said = await everything(stage, chat.id)
    assert answer.output == f"Still {ANNA}"
    assert transcript[0].text == f"I am {ANNA}"
    assert ANNA not in said
