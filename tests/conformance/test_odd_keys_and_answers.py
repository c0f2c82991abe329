"""Keys that cannot be sent, and answers in which something is of another type than agreed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sostenuto.activities.answer.said_message import writable
from sostenuto.contracts.errors import InvalidRequest, ModelError, Overloaded, RateLimited, Timeout, UnreadableAnswer
from sostenuto.contracts.message import Message, OpaquePart, Role, TextPart, ToolCallPart
from tests.conformance.subject import KEY, OVER_THE_WIRE, on_the_wire, request, wire_adapter
from tests.fakes.wire.server import Fault
from tests.fakes.wire.streams import WireStep

every_protocol = pytest.mark.parametrize("protocol", OVER_THE_WIRE)
STEP = WireStep(text="So.")
_TIMEOUT = timedelta(seconds=3)


@every_protocol
@pytest.mark.parametrize("key", ["sk-SECRET1\nSECRET2", "sk-SECRET1\r\nSECRET2", "sk-SECRET1\0SECRET2"])
async def test_a_key_that_cannot_be_sent_is_not_quoted(protocol: str, key: str) -> None:
    async with on_the_wire(protocol, STEP) as (_, server):
        adapter = wire_adapter(protocol, server.base_url(protocol), key=key)
        with pytest.raises(InvalidRequest) as caught:
            await adapter.complete(request(protocol))
        await adapter.close()
    assert "SECRET" not in str(caught.value)


async def test_what_the_environment_says_for_openai_goes_to_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer GATEWAY\nX-Gateway: GATEWAY\nAccept: */*")
    async with on_the_wire("compatible", STEP) as (adapter, server):
        await adapter.complete(request("compatible"))
    headers = server.requests[0].headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert "GATEWAY" not in str(headers)


@pytest.mark.parametrize("said", [17, None, "", ["x"], {"a": 1}])
async def test_an_id_that_is_no_text_costs_nothing(said: Any) -> None:
    event = {"id": said, "model": said, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    async with on_the_wire("compatible", WireStep(text="So.", events=(event,))) as (adapter, _):
        completion = await adapter.complete(request("compatible"))
    assert completion.message.text == "So."
    assert isinstance(completion.request_id, str)
    assert isinstance(completion.model, str)


async def test_a_second_answer_is_not_mixed_into_the_first() -> None:
    event = {"id": "i", "model": "m", "choices": [{"index": 1, "delta": {"content": "No."}, "finish_reason": "stop"}]}
    async with on_the_wire("compatible", WireStep(text="So.", events=(event,))) as (adapter, _):
        completion = await adapter.complete(request("compatible"))
    assert completion.message.text == "So."


@every_protocol
@pytest.mark.parametrize("words", [{"text": "busy"}, ["busy"], None, 7])
@pytest.mark.parametrize(("status", "kind"), [(429, RateLimited), (529, Overloaded)])
async def test_words_of_an_error_that_are_no_text(
    protocol: str, words: Any, status: int, kind: type[ModelError]
) -> None:
    fault = Fault(kind="status", status=status, body={"type": "error", "error": {"message": words}})
    async with on_the_wire(protocol, STEP, faults=(fault,)) as (adapter, _):
        with pytest.raises(kind):
            await adapter.complete(request(protocol))


@every_protocol
@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/json"])
async def test_what_is_no_stream_is_named(protocol: str, kind: str) -> None:
    fault = Fault(kind="status", status=200, headers={"content-type": kind}, body="<html>Welcome</html>")
    async with on_the_wire(protocol, STEP, faults=(fault,)) as (adapter, _):
        with pytest.raises(
            UnreadableAnswer, match=r"answered 200 with \w+/\w+ in place of a stream: check the base URL"
        ):
            await adapter.complete(request(protocol))


@every_protocol
@pytest.mark.parametrize(("kind", "paid"), [("die", True), ("stall", True), ("hang", False), ("reset", False)])
async def test_an_answer_that_breaks_off_is_told_as_paid(protocol: str, kind: Any, paid: bool) -> None:
    fault = Fault(kind=kind)
    async with on_the_wire(protocol, WireStep(text="So " * 50), faults=(fault,)) as (adapter, _):
        with pytest.raises(ModelError) as caught:
            await adapter.complete(request(protocol, timeout=_TIMEOUT))
    assert caught.value.paid is paid
    assert isinstance(caught.value, Timeout) is (kind in ("stall", "hang"))


@pytest.mark.parametrize("container", [{"expires_at": "2099-01-01T00:00:00Z"}, {"id": 7}, {"id": None}, "c"])
async def test_a_container_without_an_id_is_none(container: Any) -> None:
    event = {"type": "message_delta", "delta": {"container": container}, "usage": {"output_tokens": 1}}
    async with on_the_wire("anthropic", WireStep(text="So.", events=(event,)), STEP) as (adapter, server):
        completion = await adapter.complete(request("anthropic"))
        kept = OpaquePart(provider="anthropic", data={"type": "container", "expires_at": "2099-01-01T00:00:00Z"})
        said = (
            Message.user("Hello?"),
            completion.message.model_copy(update={"parts": (*completion.message.parts, kept)}),
        )
        await adapter.complete(request("anthropic", *said, Message.user("And?")))
    assert "container" not in server.requests[1].body


@pytest.mark.parametrize("status", [429, 529, 500])
async def test_an_error_in_a_pause_is_the_errors_own(status: int) -> None:
    pausing = WireStep(text="I will look.", wire_stop="pause_turn")
    faults = (None, Fault(kind="status", status=status))
    async with on_the_wire("anthropic", pausing, STEP, faults=faults) as (adapter, server):
        with pytest.raises(ModelError) as caught:
            await adapter.complete(request("anthropic"))
    assert (caught.value.retryable, caught.value.paid, len(server.requests)) == (True, True, 2)


@pytest.mark.parametrize("place", ["key", "value", "name", "text"])
def test_what_is_no_unicode_can_be_written_and_read(place: str) -> None:
    half = "\ud800"
    call = ToolCallPart(
        id="c",
        name=f"look{half}" if place == "name" else "look",
        arguments={half if place == "key" else "at": half if place == "value" else "x"},
    )
    message = writable(Message(role=Role.ASSISTANT, parts=(TextPart(text=half if place == "text" else "t"), call)))
    assert Message.model_validate_json(message.model_dump_json()) == message
    assert "?" in message.model_dump_json()
