"""A guarded answer that is shown as it comes in."""

from __future__ import annotations

from typing import Any

import pytest

from sostenuto import Agent, App, Custom, Pii, Token
from sostenuto.contracts.guardrails.guardrail import Guardrail
from sostenuto.contracts.wire.live import Retract
from sostenuto.workers.stack.valkey_server import ValkeyServer
from tests.integration.live.conftest import Serve

ANNA = "anna.berg@example.com"
ANSWER = (
    f"You are known here. Your address is {ANNA} since May. We write to it on Mondays. That is all there is to say."
)


def no_prices(text: str) -> str | None:
    """Say whether a text names a price."""
    return "it names a price" if "$" in text else None


async def shown(serve: Serve, url: str, text: str, *guardrails: Guardrail) -> tuple[list[Any], list[str], Any]:
    """What a stream tells of an answer: all items, the tokens before the answer was there, and the result."""
    desk = Agent(name="desk", model="scripted/model", guardrails=guardrails)
    async with serve(App(desk), [{"text": text, "seconds_per_word": 0.1}], url) as client:
        run = await client.start(desk, "Who am I?")
        items = [item async for item in run.stream()]
        result = await run.result()
    responded = next(index for index, item in enumerate(items) if item.type == "model.responded")
    before = [item.text for item in items[:responded] if isinstance(item, Token)]
    return items, before, result


async def test_sentences_are_shown_once_they_have_passed(serve: Serve, valkey: ValkeyServer) -> None:
    items, before, result = await shown(serve, valkey.url.get_secret_value(), ANSWER, Pii())
    assert result.output.startswith("You are known here. Your address is <EMAIL>")
    assert "".join(item.text for item in items if isinstance(item, Token)) == result.output
    assert not any(isinstance(item, Retract) for item in items)
    assert ANNA not in repr(items)
    assert len(before) > 1


@pytest.mark.parametrize("guardrail", [Pii(on_failure="block"), Custom(no_prices)])
async def test_nothing_is_shown_that_is_blocked(serve: Serve, valkey: ValkeyServer, guardrail: Guardrail) -> None:
    text = f"It is for {ANNA}. It is $ 5 a month. It is worth it. So it is."
    items, before, result = await shown(serve, valkey.url.get_secret_value(), text, guardrail)
    assert result.status == "refused"
    assert "$" not in repr(items)
    assert ANNA not in repr(items)
    # All at once, by the answer itself.
    assert before in ([], [result.output])


async def test_a_flag_holds_nothing_back(serve: Serve, valkey: ValkeyServer) -> None:
    guardrail = Custom(no_prices, on_failure="flag")
    items, before, result = await shown(serve, valkey.url.get_secret_value(), ANSWER, guardrail)
    assert result.output == ANSWER
    assert len(before) > 5
    assert "".join(item.text for item in items if isinstance(item, Token)) == ANSWER
