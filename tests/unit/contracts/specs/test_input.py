"""What a run is asked: each form that people write it in, and what is said of those that are none."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from sostenuto import ImagePart, Message, Result, SpecError, Status, TextPart
from sostenuto.contracts.specs.input import message_from, question_from

PICTURE = ImagePart(media_type="image/png", url="https://example.com/a.png")


class Lease(BaseModel):
    """A value that is asked about."""

    rent: int


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Hello", "Hello"),
        ({"page": "ü"}, '{"page": "ü"}'),
        ({"lease": Lease(rent=7)}, '{"lease": {"rent": 7}}'),
        (Lease(rent=7), '{"rent": 7}'),
        (["one", "two"], '["one", "two"]'),
        (("one",), '["one"]'),
        ([{"id": 1}, 2, None], '[{"id": 1}, 2, null]'),
        ([], "[]"),
    ],
)
def test_text_and_json(content: Any, text: str) -> None:
    assert message_from(content) == Message.user(text)


def test_texts_and_parts() -> None:
    assert message_from(PICTURE).parts == (PICTURE,)
    assert message_from(["What is this?", PICTURE]).parts == (TextPart(text="What is this?"), PICTURE)
    assert message_from(Message.user("Hello")) == Message.user("Hello")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "the input is empty: pass a text, a message, a list, or a dict of fields"),
        (None, "the input is None, which no run can be asked: pass a text, a message, a list, or a dict of fields"),
        (3, "the input is 3, which no run can be asked: pass a text"),
        (b"x", "the input is b'x', which no run can be asked: pass a text"),
        (Result(status=Status.COMPLETED, output="x"), "which no run can be asked: pass its output"),
        (["text", 3, PICTURE], "the input has 3 beside parts: pass texts and parts, or JSON without parts"),
        ({"lease": object()}, "the input is not JSON: Unable to serialize unknown type: <class 'object'>"),
    ],
)
def test_what_cannot_be_asked(content: Any, problem: str) -> None:
    with pytest.raises(SpecError) as caught:
        message_from(content)
    assert problem in str(caught.value)


@pytest.mark.parametrize("content", [" \n\t", Message.user([" ", TextPart(text="")]), Message.user("\u3000")])
def test_blanks_alone_are_no_question(content: Any) -> None:
    with pytest.raises(SpecError, match="the input is blank"):
        question_from(content)
    assert question_from([" ", PICTURE]).parts[-1] == PICTURE
