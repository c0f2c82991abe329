"""What is redacted stands in no history, and in the answer that is shown."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from pydantic import BaseModel

from sostenuto import Agent, App, Chain, FilePart, Pii, Prompt, Secrets, Status, TextPart, ToolError, tool
from tests.integration.agent.stage import calls
from tests.integration.guardrails.conftest import Serve
from tests.integration.guardrails.said import everything

ANNA = "anna.berg@example.com"
IBAN = "DE89 3704 0044 0532 0130 00"
CARD = "4111 1111 1111 1111"
PHONE = "+49 30 901820"
KEY = "sk-proj-" + "Zq7Lm2Xc9Vb4Nn6Mm8Kj3Hg5Fd1Sa0Po"


class Customer(BaseModel):
    """A customer."""

    email: str
    card: str


@tool(effect="read")
async def customer(name: str) -> Customer:
    """Look a customer up."""
    return Customer(email=ANNA, card=CARD)


@tool(effect="read")
async def failing() -> str:
    """Fail."""
    raise ToolError(f"no account {IBAN}")


@tool(effect="read")
async def crashing() -> str:
    """Crash."""
    raise RuntimeError(f"cannot reach {PHONE} with {KEY}")


MAILED: list[str] = []


@tool(effect="once", pii=True)
async def mail(to: str, text: str) -> str:
    """Send a mail."""
    MAILED.append(to)
    return f"sent to {to}"


def agent(*tools: Any, **fields: Any) -> Agent:
    return Agent(name="desk", model="scripted/model", tools=tools, **fields)


async def test_nothing_rests_in_a_history_and_the_answer_has_it(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    desk = agent(customer, failing, crashing)
    app = App(desk, guardrails=[Pii(), Secrets()])
    script = [
        calls(("customer", {"name": "Anna"}), ("failing", {}), ("crashing", {})),
        f"Mail {ANNA} about {CARD}, or call {PHONE}. The key is {KEY}.",
    ]
    with caplog.at_level(logging.DEBUG):
        async with serve(app, script) as stage:
            file = FilePart(media_type="text/plain", data="QW5uYTogYW5uYS5iZXJnQGV4YW1wbGUuY29t", name=f"{ANNA}.txt")
            run = await stage.start(desk, [f"I am {ANNA}, {PHONE}.", file])
            result = await run.result()
            said = await everything(stage, run.id)
    assert result.status is Status.COMPLETED
    # A secret is gone for good, whoever has the keys.
    assert result.output.startswith(f"Mail {ANNA} about {CARD}, or call {PHONE}. The key is <")
    assert KEY not in result.output
    for value in (ANNA, CARD, IBAN, PHONE, KEY, "QW5uYTogYW5uYS5iZXJnQGV4YW1wbGUuY29t"):
        assert value not in said, value
        assert value not in caplog.text, value
    first, *_ = result.messages
    assert isinstance(first.parts[0], TextPart)
    assert first.parts[0].text == f"I am {ANNA}, {PHONE}."
    results = [part for message in result.messages for part in message.parts if part.kind == "tool_result"]
    assert [ANNA in one.content for one in results] == [True, False, False]
    assert IBAN in results[1].content


async def test_without_guardrails_it_does(serve: Serve) -> None:
    desk = agent(customer, failing, crashing)
    script = [calls(("customer", {"name": "Anna"}), ("failing", {}), ("crashing", {})), f"Mail {ANNA}."]
    async with serve(App(desk), script) as stage:
        run = await stage.start(desk, f"I am {ANNA}, {PHONE}.")
        await run.result()
        said = await everything(stage, run.id)
    assert all(value in said for value in (ANNA, IBAN, PHONE))


async def test_the_model_is_told_placeholders_and_a_tool_the_original(serve: Serve) -> None:
    MAILED.clear()
    desk = agent(mail, guardrails=[Pii()])
    told: list[str] = []

    class Echo:
        """Mails whomever it reads of."""

        async def complete(self, request: Any, on_delta: Any = None) -> Any:
            from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter  # noqa: PLC0415

            told.append(request.messages[-1].text)
            text = request.messages[0].text
            to = text.removeprefix("Write to ").removesuffix(".")
            script: list[Any] = [calls(("mail", {"to": to, "text": "Hello"})), f"Done: {to}"]
            return await ScriptedAdapter(script).complete(request, on_delta)

    async with serve(App(desk), Echo()) as stage:
        run = await stage.start(desk, f"Write to {ANNA}.")
        result = await run.result()
        said = await everything(stage, run.id)
    assert told[0].startswith("Write to <EMAIL_")
    assert MAILED == [ANNA]
    assert result.output == f"Done: {ANNA}"
    assert ANNA not in said


async def test_what_is_nested_is_guarded_too(serve: Serve) -> None:
    inner = Agent(name="inner", model="scripted/inner", tools=[customer], instructions="inner")
    steps = Chain(
        name="steps",
        steps=[inner, Prompt(name="last", template="Repeat {inner}", model="scripted/last")],
        guardrails=[Pii()],
    )
    script = {
        "inner": [calls(("customer", {"name": "Anna"})), f"It is {ANNA}"],
        "last": [f"It is {ANNA} indeed"],
    }
    async with serve(App(steps), script) as stage:
        run = await stage.start(steps, "Who?")
        result = await run.result()
        said = await everything(stage, run.id)
    assert result.output == f"It is {ANNA} indeed"
    assert ANNA not in said
    assert CARD not in said


async def test_without_keys_it_is_for_good(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOSTENUTO_VAULT_KEYS")
    desk = agent(guardrails=[Pii()])
    async with serve(App(desk), [f"Mail {ANNA}."]) as stage:
        run = await stage.start(desk, "Go.")
        result = await run.result()
        events = [event async for event in run.events()]
    assert result.output == "Mail <EMAIL>."
    decided = [event for event in events if event.type == "guardrail.decided"]
    assert [(one.stage, one.verdict, one.reason) for one in decided] == [
        ("input", "passed", ""),
        ("output", "redacted", "1 email; for good, as there are no vault keys"),
    ]
