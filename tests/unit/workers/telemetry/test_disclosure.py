"""What people and models say leaves as far as it may: not at all, whole, or redacted, and never a secret."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from sostenuto import Message
from sostenuto.contracts.message import FilePart, ImagePart, ReasoningPart, Role, TextPart, ToolCallPart
from sostenuto.contracts.wire.event import RetrievedPassage, RouteChosen, RunStalled
from sostenuto.contracts.wire.run import Status
from sostenuto.workers.telemetry.disclosure import MOST_CHARS, Disclosure
from sostenuto.workers.telemetry.sending.forms import (
    SpanForm,
    langfuse_form,
    langsmith_form,
    openinference_form,
    plain_form,
)
from sostenuto.workers.telemetry.sending.otlp import otlp_batch, resource_of
from sostenuto.workers.telemetry.span import StepSpan
from tests.fakes.otlp_receiver import attributes
from tests.fakes.step_spans import (
    failed_model_span,
    made,
    model_span,
    result,
    retrieval_span,
    run_span,
    saying,
    sent,
    tool_span,
)

FORMS = (plain_form, openinference_form, langfuse_form, langsmith_form)
SAID = "lighthouse"
"""Stands in everything that anybody says here."""


def _spans(disclosure: Disclosure, said: str = SAID) -> Iterator[StepSpan]:
    call = ToolCallPart(id="call_1_0", name="look", arguments={"at": said, said: [said, {"deep": said}]})
    asked = sent(Message.user(said), saying(said, call), result("call_1_0", said), instructions=said)
    yield model_span(disclosure, asked, saying(said, call))
    yield failed_model_span(disclosure, f"QuotaExceeded: {said}")
    yield tool_span(disclosure, asked={"at": said}, answered={"is": said})
    yield tool_span(disclosure, asked={"at": said}, answered=said, status="failed")
    found = (RetrievedPassage(id="p1", source=f"file:///{said}.md"),)
    yield retrieval_span(disclosure, asked=said, answered=[found[0].model_dump(mode="json")], passages=found)
    for status in Status:
        yield run_span(disclosure, status, asked=said, answered=said, reason=said)
    yield made(disclosure, "route", RouteChosen, name="sales", asked="model", reason=said)
    yield made(disclosure, "notice", RunStalled, name="its code failed", reason=said)


def _written(span: StepSpan, form: SpanForm) -> str:
    return str(otlp_batch([span], resource_of({}), form))


@pytest.mark.parametrize("form", FORMS)
def test_off_says_nothing_of_what_was_said(form: SpanForm) -> None:
    """Not in an attribute, the status or an event. Else everything says it: the set-up is right."""
    for span in _spans(Disclosure()):
        assert SAID not in _written(span, form), span.name
    for span in _spans(Disclosure("on")):
        assert SAID in _written(span, form), span.name


@pytest.mark.parametrize(("form", "capture"), [*product(FORMS, ("off", "on", "redacted"))])
def test_no_secret_leaves(form: SpanForm, capture: Any) -> None:
    for secret in ('quo"te\\d-ké:y', "plain-secret-value"):
        disclosure = Disclosure(capture, [secret])
        for said in (secret, f"before {secret} after", json.dumps({"env": secret}), json.dumps([json.dumps([secret])])):
            for span in _spans(disclosure, said):
                batch = otlp_batch([span], resource_of({}), form)
                [sending] = batch.resource_spans[0].scope_spans[0].spans
                texts = [*map(str, attributes(sending).values()), sending.status.message]
                for quoted in (secret, json.dumps(secret)[1:-1], json.dumps(json.dumps(secret))[3:-3]):
                    assert not any(quoted in text for text in texts), (span.name, texts)


def test_the_longer_secret_goes_first_and_a_short_one_is_none() -> None:
    disclosure = Disclosure("on", ["secret-1", "secret-1-longer", "abc", ""])
    assert disclosure.safe("secret-1-longer secret-1 abc") == "[secret] [secret] abc"


def test_redacted_masks_what_is_said_and_keeps_the_rest() -> None:
    mail = "ada@example.org"
    for span in _spans(Disclosure("redacted"), f"{mail} {SAID}"):
        written = _written(span, plain_form)
        assert mail not in written
        assert SAID in written, span.name
        assert "[e-mail]" in written, span.name


def test_arguments_stay_json_whatever_is_masked() -> None:
    """A number that is masked becomes a text: as JSON text with a mask in it they could not be read again."""
    disclosure = Disclosure("redacted", ["654321"])
    arguments: dict[str, Any] = {
        "card": 4111111111111111,
        "cards": [4111111111111111, {"ada@example.org": "ada@example.org"}],
        "code": 654321,
        "price": 12.5,
        "none": None,
        "yes": True,
        "endless": float("inf"),
    }
    [message] = json.loads(disclosure.messages([saying("", ToolCallPart(id="c", name="pay", arguments=arguments))]))
    assert message["parts"][0]["arguments"] == {
        "card": "[card]",
        "cards": ["[card]", {"[e-mail]": "[e-mail]"}],
        "code": "[secret]",
        "price": 12.5,
        "none": None,
        "yes": True,
        "endless": "inf",
    }
    assert json.loads(disclosure.value(arguments)) == message["parts"][0]["arguments"]


def test_values_are_json_and_texts_are_texts() -> None:
    disclosure = Disclosure("on")
    values: list[Any] = [None, "a", {"b": [1.5, False]}, 0, ""]
    assert [disclosure.value(value) for value in values] == [
        "",
        "a",
        '{"b":[1.5,false]}',
        "0",
        "",
    ]


@pytest.mark.parametrize("capture", ["on", "redacted"])
def test_what_is_long_is_cut(capture: Any) -> None:
    disclosure = Disclosure(capture)
    short = disclosure.safe("x" * MOST_CHARS)
    assert short == "x" * MOST_CHARS
    for long in ("x" * (MOST_CHARS + 1), "ä" * 1_000_000):
        cut = disclosure.safe(long)
        assert len(cut) < MOST_CHARS + 100
        assert cut.endswith(f"… ({len(long) - MOST_CHARS:,} more characters)")
    assert len(disclosure.value({"a": ["y" * 50_000] * 20})) < MOST_CHARS + 100
    assert len(disclosure.value(["y"] * 500_000)) < MOST_CHARS + 100


def test_nothing_is_cut_before_it_is_known() -> None:
    """A secret at the place of the cut leaves no part of itself."""
    secret = "s" + "0123456789" * 20
    disclosure = Disclosure("redacted", [secret])
    for before in range(MOST_CHARS - 250, MOST_CHARS + 10, 7):
        cut = disclosure.safe("-" * before + secret + "-" * 10_000)
        assert "0123" not in cut
    token = "eyJ" + "a" * 6_000 + "." + "b" * 60_000
    assert "aaa" not in disclosure.safe("-" * (MOST_CHARS - 6_500) + " " + token)[MOST_CHARS - 6_400 :]


def test_of_long_conversations_the_oldest_messages_go() -> None:
    told = [Message.user(f"{number} " + "x" * 20_000) for number in range(10)]
    kept = json.loads(Disclosure("on").messages(told))
    assert [message["parts"][0]["content"][:2] for message in kept] == ["8 ", "9 "]


def test_of_a_long_message_the_first_parts_stay() -> None:
    parts = tuple(TextPart(text="y" * 7_000) for _ in range(1_000))
    written = Disclosure("on").messages([Message(role=Role.USER, parts=parts)])
    assert len(written) < 2 * MOST_CHARS
    [message] = json.loads(written)
    assert message["parts"][-1]["content"].endswith("more parts)")


def test_each_result_of_a_tool_is_a_message() -> None:
    both = Message(role=Role.TOOL, parts=(*result("a", "one").parts, *result("b", "two").parts))
    kept = json.loads(Disclosure("on").messages([both]))
    assert kept == [
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "a", "response": "one"}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "b", "response": "two"}]},
    ]


def test_pictures_and_files_are_named_and_not_sent() -> None:
    parts = (
        ImagePart(media_type="image/png", data="aGVsbG8="),
        ImagePart(media_type="image/png", url="https://example.org/a.png"),
        FilePart(media_type="application/pdf", url="https://example.org/a.pdf"),
        ReasoningPart(provider="openai", text="Hm."),
    )
    [message] = json.loads(Disclosure("on").messages([Message(role=Role.USER, parts=parts)]))
    assert message["parts"] == [
        {"type": "text", "content": "(image/png, left out)"},
        {"type": "uri", "modality": "image", "mime_type": "image/png", "uri": "https://example.org/a.png"},
        {"type": "uri", "modality": "document", "mime_type": "application/pdf", "uri": "https://example.org/a.pdf"},
        {"type": "reasoning", "content": "Hm."},
    ]


@pytest.mark.parametrize("form", FORMS)
def test_what_is_no_text_can_be_sent(form: SpanForm) -> None:
    """Half of an emoji and zero characters reach no backend as they are: PostgreSQL takes no zero."""
    for span in _spans(Disclosure("redacted"), "half \ud83d and \0 zero"):
        batch = otlp_batch([span], resource_of({}), form)
        [sending] = batch.resource_spans[0].scope_spans[0].spans
        assert "half ? and \N{REPLACEMENT CHARACTER} zero" in str(attributes(sending)) + sending.status.message
        assert batch.SerializeToString()


def test_random_values_keep_their_shape() -> None:
    dice = random.Random(42)

    def value(depth: int) -> Any:
        kinds = ["text", "number", "nothing", "list", "object"][: 5 if depth else 3]
        match dice.choice(kinds):
            case "text":
                return "".join(dice.choices('ab@.\\"\n+49 01é\0{}[]:', k=dice.randrange(30)))
            case "number":
                return dice.choice([dice.randrange(10**17), dice.random()])
            case "list":
                return [value(depth - 1) for _ in range(dice.randrange(4))]
            case "object":
                return {f"k{number}": value(depth - 1) for number in range(dice.randrange(4))}
            case _:
                return None

    disclosure = Disclosure("redacted", ["ab@."])
    for _ in range(1_000):
        given = {"all": value(4)}
        assert _shape(json.loads(disclosure.value(given))) == _shape(given)


def _shape(value: Any) -> Any:
    match value:
        case list():
            return [_shape(one) for one in value]
        case dict():
            return {key: _shape(one) for key, one in value.items()}
        case _:
            return value is None
