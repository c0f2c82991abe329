"""The workflow's transcript: what is new, what is a reference, and what a page holds."""

from __future__ import annotations

import pytest

from sostenuto import ImagePart, Message, Model, Role, TextPart
from sostenuto.contracts.head import Head
from sostenuto.contracts.message import Part, PartRef, ReasoningPart, ToolCallPart, ToolResultPart
from sostenuto.contracts.prompt_hash import part_digest
from sostenuto.contracts.wire.model_call import ModelReply
from sostenuto.contracts.wire.transcript import TranscriptQuery
from sostenuto.workflows.agent.transcript import Transcript

HEAD = Head(agent="a", model=Model("a/b"))


def reply(text: str = "so", id: str = "r1") -> ModelReply:
    """A model's answer."""
    message = Message(role=Role.ASSISTANT, parts=(TextPart(text=text),))
    return ModelReply(id=id, message=message, model="a/b", prompt_hash="")


def result(size: int, call_id: str = "c", *, is_error: bool = False) -> Message:
    """A tool's result of that size."""
    part = ToolResultPart(call_id=call_id, name="t", content="x" * size, is_error=is_error)
    return Message(role=Role.TOOL, parts=(part,))


def kinds(messages: tuple[Message, ...]) -> list[str]:
    """The kind of each part."""
    return [part.kind for message in messages for part in message.parts]


def asked(*messages: Message) -> Transcript:
    """A transcript of a question, an answer, and these messages, which the model has yet to see."""
    transcript = Transcript(HEAD, [Message.user("one")])
    transcript.add_reply(reply())
    for message in messages:
        transcript.add(message)
    return transcript


def test_the_tail_is_what_the_last_reply_does_not_know() -> None:
    transcript = Transcript(HEAD, [Message.user("one")])
    assert (transcript.sent, transcript.after, transcript.tail()) == (0, "", (Message.user("one"),))
    transcript.add_reply(reply(id="r1"))
    assert (transcript.sent, transcript.after, transcript.tail()) == (2, "r1", ())
    transcript.add(result(5))
    assert (transcript.sent, transcript.tail()) == (2, (result(5),))


def test_small_parts_are_sent_as_they_are() -> None:
    assert asked(result(16_000)).tail() == (result(16_000),)


def test_a_large_result_is_a_reference_to_itself() -> None:
    tail = asked(result(5), result(17_000, "big")).tail()
    assert tail[0] == result(5)
    digest = part_digest(result(17_000, "big").parts[0].model_dump_json().encode())
    assert tail[1].parts == (PartRef(message=3, part=0, call_id="big", digest=digest),)
    assert tail[1].role is Role.TOOL


def test_together_they_are_bounded_too() -> None:
    tail = asked(*(result(15_000, f"c{n}") for n in range(6)), result(10, "small")).tail()
    assert kinds(tail) == ["tool_result"] * 4 + ["ref"] * 2 + ["tool_result"]


def test_parts_of_the_question_may_be_references() -> None:
    big = TextPart(text="y" * 20_000)
    question = Message.user(["one", big, ImagePart(media_type="image/png", data="A" * 20_000)])
    transcript = Transcript(HEAD, [question], standing=1)
    assert kinds(transcript.tail()) == ["text", "ref", "ref"]
    ref = transcript.tail()[0].parts[1]
    assert isinstance(ref, PartRef)
    assert (ref.message, ref.part, ref.call_id) == (0, 1, "")


def test_a_question_that_was_rendered_here_is_none() -> None:
    question = Message.user("y" * 20_000)
    assert Transcript(HEAD, [question]).tail() == (question,)


@pytest.mark.parametrize("message", [result(20_000, is_error=True), Message.user("z" * 20_000)])
def test_what_stands_nowhere_else_is_never_a_reference(message: Message) -> None:
    assert asked(message).tail() == (message,)


def test_pages() -> None:
    transcript = asked(*(result(300, f"c{n}") for n in range(8)))
    first = transcript.page(TranscriptQuery(transcript="a", stop=10, max_bytes=1000))
    assert first.head == HEAD
    assert 2 < len(first.messages) < 10
    rest = transcript.page(TranscriptQuery(transcript="a", start=len(first.messages), stop=10))
    assert rest.head is None
    assert [*first.messages, *rest.messages] == transcript.messages


def test_a_page_stops_where_it_was_asked_to() -> None:
    page = asked(result(1), result(2)).page(TranscriptQuery(transcript="a", start=1, stop=3))
    assert kinds(page.messages) == ["text", "tool_result"]


def test_a_page_has_at_least_one_message() -> None:
    page = asked(result(5000), result(5)).page(TranscriptQuery(transcript="a", start=2, stop=4, max_bytes=10))
    assert page.messages == (result(5000),)


def test_a_page_beyond_the_end_is_empty() -> None:
    assert asked().page(TranscriptQuery(transcript="a", start=7, stop=9)).messages == ()


@pytest.mark.parametrize(
    "part",
    [
        TextPart(text="я" * 1000),
        ToolResultPart(call_id="c", name="t", content="я" * 1000),
        ToolCallPart(id="c", name="t", arguments={"text": "x" * 2000}),
        ToolCallPart(id="c", name="t", malformed="x" * 2000),
        ReasoningPart(provider="p", text="x" * 1000, data={"signature": "y" * 1000}),
        ImagePart(media_type="image/png", data="A" * 2000),
    ],
)
def test_the_size_is_about_that_of_the_json(part: Part) -> None:
    """Nothing that grows is left out: the server refuses what is too large, however it came to be."""
    size = Transcript(HEAD, [Message(role=Role.USER, parts=(part,))]).size
    assert size == pytest.approx(len(part.model_dump_json().encode()), rel=0.15)
