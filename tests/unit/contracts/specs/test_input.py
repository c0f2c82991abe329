"""What a run is asked: each form that people write it in, and what is said of those that are none."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from sostenuto import ImagePart, Message, Result, Role, SpecError, Status, TextPart
from sostenuto.contracts.message import OpaquePart, Part, PartRef, ToolCallPart, ToolResultPart
from sostenuto.contracts.specs.input import message_from, question_from, question_with_history

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


def _assistant(*parts: Part) -> Message:
    return Message(role=Role.ASSISTANT, parts=parts)


def _results(*parts: Part) -> Message:
    return Message(role=Role.TOOL, parts=parts)


def _call(id: str = "x", name: str = "look", **arguments: Any) -> ToolCallPart:
    return ToolCallPart(id=id, name=name, arguments=arguments)


def _result(name: str = "look") -> ToolResultPart:
    return ToolResultPart(call_id="x", name=name)


ASKED = Message.user("?")


@pytest.mark.parametrize(
    ("messages", "problem"),
    [
        ([_assistant(_call(), _call()), ASKED], "message 0, part 1: two tool calls of this message have the id 'x'"),
        ([Message.user(_call()), ASKED], "message 0, part 0: a tool call stands in a message of role 'assistant'"),
        (
            [_assistant(_call(), _result()), ASKED],
            "message 0, part 1: a tool's result stands in a message of role 'tool'",
        ),
        ([_assistant(_call()), _assistant(TextPart(text="k"))], "the last message is of role 'assistant'"),
        (
            [_assistant(_call()), _assistant(), _results(_result()), ASKED],
            "message 1: the tool call 'x' before it has no",
        ),
        (
            [_assistant(_call()), _results(_result("other")), ASKED],
            "it is a result of 'other', and the call 'x' is of 'look'",
        ),
        ([_assistant(_call(name="no name")), ASKED], "'no name' is no name of a tool: providers take"),
        ([_assistant(_call(a=float("nan"))), ASKED], "an argument of the call is NaN or infinite"),
        ([Message.user("\ud800"), ASKED], "message 0: a text in it is not Unicode"),
        (
            [_assistant(OpaquePart(provider="p", data={"a": object()})), ASKED],
            "message 0: it cannot be written as JSON",
        ),
        ([_assistant(_call()), Message.user([_result(), "?"])], "what it is asked, part 0: a tool's result stands in"),
        ([ASKED, Message.user([_call(), "?"])], "what it is asked, part 0: a tool call stands in"),
        ([ASKED, Message.user(PartRef(message=0, part=0))], "what it is asked, part 0: it stands for another one"),
        (Message.user(PartRef(message=0, part=0)), "what it is asked, part 0: it stands for another one"),
    ],
)
def test_what_a_provider_would_refuse(messages: Any, problem: str) -> None:
    with pytest.raises(SpecError) as caught:
        question_with_history(messages)
    assert problem in str(caught.value)


def test_an_id_may_come_again_when_its_call_was_answered() -> None:
    turn = [_assistant(_call()), _results(_result())]
    before = question_with_history([*turn, *turn, ASKED]).before
    assert [part.id for message in before for part in message.tool_calls] == ["call_0_0", "call_2_0"]
