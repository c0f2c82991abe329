"""Every text inside a message is seen, however it is written there, and nothing else is changed."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from sostenuto import FilePart, ImagePart, Message, Role, TextPart
from sostenuto.activities.guardrails.hiding import Hiding
from sostenuto.activities.guardrails.personal.personal_data import personal_data
from sostenuto.activities.guardrails.texts import changed_json, changed_message, changed_said, changed_text
from sostenuto.activities.guardrails.vault.vault import Vault
from sostenuto.contracts.message import CitationPart, OpaquePart, ReasoningPart, ToolCallPart, ToolResultPart

ANNA = "anna.berg@example.com"
CARD = 4111111111111111


def hide(text: str, field: str) -> str:
    """The text without personal data."""
    return Hiding(personal_data, Vault(None, "run").hide).change(text, field)


@pytest.mark.parametrize(
    ("given", "left"),
    [
        (f"Mail {ANNA}.", "Mail <EMAIL>."),
        (json.dumps({"to": ANNA}), '{"to": "<EMAIL>"}'),
        (json.dumps({"to": ANNA}).replace("@", "\\u0040"), '{"to": "<EMAIL>"}'),
        (json.dumps({ANNA: [ANNA, {"card": CARD}]}), '{"<EMAIL>": ["<EMAIL>", {"card": "<CARD>"}]}'),
        (f"{{not JSON {ANNA}", "{not JSON <EMAIL>"),
        ("[1, true, null]", "[1, true, null]"),
        ("", ""),
    ],
)
def test_a_text_is_seen_as_what_it_is(given: str, left: str) -> None:
    assert changed_text(given, hide) == left


def test_json_that_has_nothing_stays_as_it_was_written() -> None:
    written = '{"a":1.50,  "b": "\\u00e4"}'
    assert changed_text(written, hide) is written


@pytest.mark.parametrize("value", [True, None, 7, 1.5, "x", [], {}, {"a": [1, {"b": None}]}])
def test_what_has_nothing_is_the_same(value: Any) -> None:
    assert changed_json(value, hide) == value


def test_every_part_of_a_message() -> None:
    text = base64.b64encode(f"I am {ANNA}".encode()).decode()
    message = Message(
        role=Role.USER,
        parts=(
            TextPart(text=ANNA),
            FilePart(media_type="text/plain", data=text, name=f"{ANNA}.txt"),
            FilePart(media_type="application/pdf", data="JVBERg=="),
            ImagePart(media_type="image/png", url=f"https://pictures.example/?of={ANNA}"),
            ToolCallPart(id="c1", name="write", arguments={"to": ANNA}, malformed=ANNA),
            ToolResultPart(call_id="c1", name="write", content=json.dumps({"to": ANNA})),
            CitationPart(provider="p", data={"cited_text": ANNA}),
            OpaquePart(provider="p", data={"text": [ANNA]}),
            ReasoningPart(provider="p", text=f"It is {ANNA}", data={"signature": "s"}),
            ReasoningPart(provider="p", text="Nothing.", data={"signature": "s"}),
        ),
    )
    left = changed_message(message, hide)
    assert ANNA not in left.model_dump_json()
    file = left.parts[1]
    assert isinstance(file, FilePart)
    assert base64.b64decode(file.data or "").decode() == "I am <EMAIL>"
    # A thought that would have to be changed is left out: its provider takes none that was.
    assert len(left.parts) == len(message.parts) - 1
    assert left.parts[-1] == message.parts[-1]
    assert changed_message(left, hide) is left


def test_what_is_said_beside_calls_is_changed_without_them() -> None:
    call = ToolCallPart(id="c1", name="write", arguments={"to": ANNA})
    message = Message(role=Role.ASSISTANT, parts=(TextPart(text=ANNA), call))
    assert changed_said(message, hide).parts == (TextPart(text="<EMAIL>"), call)


def test_what_redaction_left_is_not_redacted_again() -> None:
    left = "password: <PASSWORD_K7QM2XPD> for <EMAIL>"
    assert changed_text(left, hide) == left
