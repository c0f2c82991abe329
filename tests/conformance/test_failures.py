"""Every way in which a provider fails becomes the same one of our errors, whichever provider it is."""

from __future__ import annotations

import asyncio
import resource
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from sostenuto.activities.adapters import bounded_http
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter, ScriptedStep
from sostenuto.activities.not_served import NotServedError
from sostenuto.contracts.errors import (
    AuthenticationFailed,
    ContentFiltered,
    ContextOverflow,
    InvalidRequest,
    ModelError,
    Overloaded,
    ProviderUnavailable,
    QuotaExceeded,
    RateLimited,
    Timeout,
    UnreadableAnswer,
)
from sostenuto.contracts.wire.model_call import StopReason
from tests.conformance.subject import KEY, OVER_THE_WIRE, SUBJECTS, on_the_wire, request, wire_adapter
from tests.fakes.wire.server import Fault
from tests.fakes.wire.streams import WireStep
from tests.patience import PATIENCE_SECONDS

OVERFLOW = "context_length_exceeded"
STEP = WireStep(text="An answer that is never heard.")


def _status(status: int, message: str = "", **error: Any) -> Fault:
    """A failed response, in the form that all three protocols share."""
    error = {"type": "some_error", "message": message or f"status {status}", **error}
    return Fault(kind="status", status=status, body={"type": "error", "error": error})


def _event(kind: str, message: str = "in the middle", **error: Any) -> Fault:
    return Fault(kind="error_event", body={"type": "error", "error": {"type": kind, "message": message, **error}})


@dataclass(frozen=True)
class Case:
    name: str
    fault: Fault
    error: type[ModelError]
    seconds: float = 20.0

    @property
    def scripted(self) -> ScriptedStep:
        """The same failure, as the scripted adapter is told of it."""
        kind = self.fault.kind
        return (
            ScriptedStep(text="x", hangs=True)
            if kind in ("hang", "stall")
            else ScriptedStep(text="x", error=self.error.__name__)
        )


CASES = [
    Case("400", _status(400), InvalidRequest),
    Case("401", _status(401), AuthenticationFailed),
    Case("402", _status(402), QuotaExceeded),
    Case("403", _status(403), AuthenticationFailed),
    Case("404", _status(404), InvalidRequest),
    Case("408", _status(408), Timeout),
    Case("409", _status(409), ProviderUnavailable),
    Case("413", _status(413), ContextOverflow),
    Case("422", _status(422), InvalidRequest),
    Case("429", _status(429), RateLimited),
    Case("500", _status(500), ProviderUnavailable),
    Case("501", _status(501), InvalidRequest),
    Case("502", Fault(kind="status", status=502, body="<html>Bad Gateway</html>"), ProviderUnavailable),
    Case("503", _status(503), Overloaded),
    Case("504", _status(504), Timeout),
    Case("529", _status(529), Overloaded),
    Case("418, which nobody has", _status(418), InvalidRequest),
    Case("599, which nobody has", _status(599), ProviderUnavailable),
    Case("quota", _status(429, code="insufficient_quota", type="insufficient_quota"), QuotaExceeded),
    Case("no credit", _status(400, "Your credit balance is too low to access the API."), QuotaExceeded),
    Case(
        "overflow by code",
        _status(400, code="context_length_exceeded", type="context_length_exceeded"),
        ContextOverflow,
    ),
    Case("overflow by type", _status(400, code=400, type="exceed_context_size_error"), ContextOverflow),
    Case("overflow in words", _status(400, "prompt is too long: 210000 tokens > 200000 maximum"), ContextOverflow),
    Case("filtered input", _status(400, "Output blocked by content filtering policy"), ContentFiltered),
    Case("reset", Fault(kind="reset"), ProviderUnavailable),
    Case("dies half way", Fault(kind="die"), ProviderUnavailable),
    Case("ends half way", Fault(kind="end"), UnreadableAnswer),
    Case("garbage half way", Fault(kind="garbage"), UnreadableAnswer),
    Case("overloaded half way", _event("overloaded_error", code="overloaded_error"), Overloaded),
    Case("rate limit half way", _event("rate_limit_error", code="rate_limit_exceeded"), RateLimited),
    Case("refused half way", _event("invalid_request_error", "prompt is too long: 9 > 8"), ContextOverflow),
    Case("invalid half way", _event("invalid_request_error"), InvalidRequest),
    Case("something half way", _event("who_knows"), ProviderUnavailable),
    Case("never answers", Fault(kind="hang"), Timeout, seconds=0.3),
    Case("falls silent half way", Fault(kind="stall"), Timeout, seconds=0.3),
]


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_failure_means_the_same_from_every_provider(subject: str, case: Case) -> None:
    asked = request(subject, timeout=timedelta(seconds=case.seconds))
    if subject == "scripted":
        with pytest.raises(case.error):
            await ScriptedAdapter([case.scripted]).complete(asked)
        return
    async with on_the_wire(subject, STEP, faults=(case.fault,)) as (adapter, server):
        with pytest.raises(ModelError) as caught:
            await adapter.complete(asked)
        assert type(caught.value) is case.error
        assert str(caught.value)
        assert caught.value.__cause__ is None, "the SDK's error, which holds the raw reply, must not get out"
        assert len(server.requests) == 1, "the SDK retried on its own"
        assert (await adapter.complete(request(subject))).message.text == STEP.text


@pytest.mark.parametrize("subject", OVER_THE_WIRE)
async def test_the_delay_that_the_provider_asks_for_comes_with_the_error(subject: str) -> None:
    for status, error in ((429, RateLimited), (529, Overloaded), (503, Overloaded)):
        fault = Fault(kind="status", status=status, headers={"retry-after": "7"})
        async with on_the_wire(subject, STEP, faults=(fault,)) as (adapter, _):
            with pytest.raises(error) as caught:
                await adapter.complete(request(subject))
            assert caught.value.retry_after == timedelta(seconds=7)


@pytest.mark.parametrize("subject", OVER_THE_WIRE)
async def test_a_server_that_is_not_there_is_unavailable(subject: str) -> None:
    async with on_the_wire(subject, STEP) as (_, server):
        base_url = server.base_url(subject)
    adapter = wire_adapter(subject, base_url)
    with pytest.raises(ProviderUnavailable, match=r"connection to the provider failed.*(refused|connect)"):
        await adapter.complete(request(subject))
    await adapter.close()


@pytest.mark.parametrize("subject", OVER_THE_WIRE)
async def test_a_cancelled_call_gives_up_its_http_request(subject: str) -> None:
    async with on_the_wire(subject, STEP, faults=(Fault(kind="stall"),)) as (adapter, server):
        call = asyncio.create_task(adapter.complete(request(subject)))
        await _eventually(lambda: len(server.requests) == 1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await _eventually(lambda: server.disconnects == 1)


@pytest.mark.parametrize("subject", OVER_THE_WIRE)
async def test_a_missing_key_is_named_before_anything_is_sent(subject: str) -> None:
    adapter = wire_adapter(subject, "http://127.0.0.1:1", key=None)
    with pytest.raises(NotServedError, match=f"set {subject.upper()}_API_KEY"):
        await adapter.complete(request(subject))


@pytest.mark.parametrize("subject", OVER_THE_WIRE)
async def test_a_refused_key_is_not_repeated(subject: str) -> None:
    fault = _status(401, f"Incorrect API key provided: {KEY}.")
    async with on_the_wire(subject, STEP, faults=(fault,)) as (adapter, _):
        with pytest.raises(AuthenticationFailed, match=f"check the key in {subject.upper()}_API_KEY") as caught:
            await adapter.complete(request(subject))
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("subject", OVER_THE_WIRE)
async def test_a_model_that_does_not_exist_is_named(subject: str) -> None:
    async with on_the_wire(subject, STEP, faults=(_status(404),)) as (adapter, _):
        with pytest.raises(InvalidRequest, match="a model named 'test-model'"):
            await adapter.complete(request(subject))


@pytest.mark.parametrize("subject", OVER_THE_WIRE)
async def test_an_unknown_stop_reason_is_an_end_and_named(subject: str) -> None:
    async with on_the_wire(subject, WireStep(text="So.", wire_stop="because")) as (adapter, _):
        completion = await adapter.complete(request(subject))
    assert (completion.message.text, completion.stop) == ("So.", StopReason.END)
    assert "unknown stop reason, 'because'" in completion.note


@pytest.mark.parametrize("subject", ["openai", "compatible"])
async def test_an_answer_that_the_filter_broke_off_is_filtered(subject: str) -> None:
    async with on_the_wire(subject, WireStep(text="So.", wire_stop="content_filter")) as (adapter, _):
        with pytest.raises(ContentFiltered):
            await adapter.complete(request(subject))


OPENAI_EVENTS = [
    ({"type": "error", "code": "rate_limit_exceeded", "message": "slow down", "param": None}, RateLimited),
    ({"type": "response.failed", "response": {"error": {"code": "server_error", "message": "m"}}}, ProviderUnavailable),
    ({"type": "response.failed", "response": {"error": {"code": "bio_policy", "message": "m"}}}, ContentFiltered),
    ({"type": "response.failed", "response": {"error": {"code": "invalid_image", "message": "m"}}}, InvalidRequest),
    ({"type": "response.failed", "response": {"error": None}}, ProviderUnavailable),
]


@pytest.mark.parametrize(("event", "error"), OPENAI_EVENTS)
async def test_openai_says_in_the_stream_that_a_response_failed(event: dict[str, Any], error: type[ModelError]) -> None:
    async with on_the_wire("openai", WireStep(text="So", events=(event,))) as (adapter, _):
        with pytest.raises(ModelError) as caught:
            await adapter.complete(request("openai"))
    assert type(caught.value) is error


async def test_a_status_in_the_place_of_a_code_is_understood() -> None:
    """Some compatible servers write the HTTP status into an error event."""
    event = {"error": {"message": "upstream", "code": 429}}
    async with on_the_wire("compatible", WireStep(text="So", events=(event,))) as (adapter, _):
        with pytest.raises(RateLimited):
            await adapter.complete(request("compatible"))


@pytest.mark.parametrize("subject", OVER_THE_WIRE)
@pytest.mark.parametrize("kind", ["bomb", "flood"])
async def test_an_answer_without_end_is_given_up_on_while_it_comes_in(
    subject: str, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_http, "MAX_RESPONSE_BYTES", 2_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with on_the_wire(subject, STEP, faults=(Fault(kind=kind),)) as (adapter, _):
        with pytest.raises(UnreadableAnswer, match=r"2,000,000 bytes|compressed"):
            await adapter.complete(request(subject))
        assert (await adapter.complete(request(subject))).message.text == STEP.text
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    # The fake itself packs a hundred megabytes once.
    assert grown < 150_000, f"{grown:,} KB more"


LEFT_OUT = [
    ("anthropic", {"type": "content_block_delta", "index": 0, "delta": {"type": "smell_delta"}}, "smell_delta"),
    ("compatible", {"choices": [{"index": 0, "delta": {"audio": {"id": "x"}}}], "model": "m", "id": "i"}, "audio"),
]


@pytest.mark.parametrize(("subject", "event", "words"), LEFT_OUT)
async def test_what_is_unknown_in_a_stream_is_left_out_and_named(
    subject: str, event: dict[str, Any], words: str
) -> None:
    async with on_the_wire(subject, WireStep(text="So", events=(event,))) as (adapter, _):
        completion = await adapter.complete(request(subject))
    assert completion.message.text == "So"
    assert words in completion.note


UNKNOWN = [
    ("compatible", {"choices": "none", "model": "m", "id": "i"}, "cannot be read"),
    ("anthropic", {"type": "content_block_delta", "index": 7, "delta": {"type": "text_delta"}}, "cannot be read"),
]


@pytest.mark.parametrize(("subject", "event", "words"), UNKNOWN)
async def test_what_cannot_be_read_in_a_stream_is_named(subject: str, event: dict[str, Any], words: str) -> None:
    async with on_the_wire(subject, WireStep(text="So", events=(event,))) as (adapter, _):
        with pytest.raises(UnreadableAnswer, match=words):
            await adapter.complete(request(subject))


@pytest.mark.parametrize("subject", OVER_THE_WIRE)
@pytest.mark.parametrize("usage", [None, {}, "a lot", {"input_tokens": -5, "prompt_tokens": -5}, {"input_tokens": "x"}])
async def test_a_usage_that_cannot_be_is_unknown(subject: str, usage: Any) -> None:
    async with on_the_wire(subject, WireStep(text="So.", wire_usage=(usage,))) as (adapter, _):
        completion = await adapter.complete(request(subject))
    assert completion.message.text == "So."
    assert not completion.usage_known or usage == {"input_tokens": "x"}


async def test_content_that_is_not_understood_in_an_answer_is_named() -> None:
    item = {"id": "m", "type": "message", "role": "assistant", "status": "completed", "content": [{"type": "smell"}]}
    async with on_the_wire("openai", WireStep(blocks=(item,))) as (adapter, _):
        completion = await adapter.complete(request("openai"))
    assert "'smell', which is left out" in completion.note


async def _eventually(condition: Any) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, "it never came true"
        await asyncio.sleep(0.005)
