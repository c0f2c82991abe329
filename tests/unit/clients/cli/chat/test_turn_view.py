"""What stands on a terminal of a turn, while it goes on and when it is over."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import pytest

from sostenuto import MemoryCompacted, Message, Role, Status, Usage
from sostenuto.clients.cli.chat.screen import Screen
from sostenuto.clients.cli.chat.turn_view import TurnView
from sostenuto.contracts.collection.citation import Attribution, Citation
from sostenuto.contracts.message import TextPart, ToolCallPart
from sostenuto.contracts.wire.chats.chat_event import TurnFinished, TurnStarted
from sostenuto.contracts.wire.event import (
    FallbackUsed,
    MemberFinished,
    MemberStarted,
    ModelRequested,
    ModelResponded,
    ToolRequested,
    ToolResponded,
)
from sostenuto.contracts.wire.live import Partial, Progress, Retract, StreamItem, Token
from tests.unit.clients.cli.test_step_tree import at

ASKED = ModelRequested(**at("anna"), turn=1, model="local/m")
CALL = ToolCallPart(id="c", name="look", arguments={"at": "7"})
BEGAN = TurnStarted(**at("anna"), message_id="m", message=Message.user("How is 7?"))
CALLED = ToolRequested(**at("anna"), turn=1, call_id="c", name="look", arguments={"at": "7"})
LOOKED = ToolResponded(**at("anna"), turn=1, call_id="c", name="look", content="fine", seconds=0)


def said(text: str, *calls: ToolCallPart, path: str = "anna") -> ModelResponded:
    message = Message(role=Role.ASSISTANT, parts=(TextPart(text=text), *calls))
    return ModelResponded(
        **at(path), turn=1, model="local/m", message=message, usage=Usage(), seconds=1, prompt_hash=""
    )


def words(*texts: str, path: str = "anna") -> list[StreamItem]:
    return [Token(path=path, text=text) for text in texts]


def over(output: Any, status: Status = Status.COMPLETED, reason: str = "") -> TurnFinished:
    return TurnFinished(**at("anna"), message_id="m", status=status, output=output, reason=reason)


class Shown:
    """What is shown of turns, in the order in which it comes."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def of(
        self,
        items: Sequence[StreamItem],
        finished: TurnFinished,
        citations: Sequence[Citation] = (),
        *,
        on_terminal: bool = True,
    ) -> tuple[str, str]:
        """All on standard output, and on standard error."""
        screen = Screen()
        screen.shows_words = on_terminal
        view = TurnView(screen, lambda path: path == "anna")
        for item in items:
            view.take(item)
        view.finish(finished, citations)
        out, err = self._capsys.readouterr()
        return out, err

    def on_one(self, items: Sequence[StreamItem], finished: TurnFinished) -> str:
        """All of it on one terminal."""
        self._monkeypatch.setattr(sys, "stderr", sys.stdout)
        self._monkeypatch.setenv("TTY_COMPATIBLE", "1")
        self._monkeypatch.setenv("TERM", "dumb")
        return self.of(items, finished)[0]


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shown:
    return Shown(capsys, monkeypatch)


def test_an_answer_appears_as_it_comes_and_stands_there_once(shown: Shown) -> None:
    items = [BEGAN, ASKED, *words("All ", "fine\n", "here."), said("All fine\nhere.")]
    assert shown.of(items, over("All fine\nhere.")) == ("All fine\nhere.\n", "")


def test_where_it_cannot_be_taken_back_an_answer_comes_whole(shown: Shown) -> None:
    items = [BEGAN, ASKED, *words("one ", "moment"), said("one moment", CALL), CALLED, LOOKED, ASKED, *words("fine")]
    out, err = shown.of(items, over("fine"), on_terminal=False)
    assert out == "fine\n"
    assert err == '     → look(at="7")\n     ↳ look  0.00 s  fine\n'


def test_what_is_said_before_a_tool_call_has_a_line_of_its_own(shown: Shown) -> None:
    items = [BEGAN, ASKED, *words("one ", "moment"), said("one moment", CALL), CALLED, LOOKED, ASKED, *words("fine")]
    told = shown.on_one([*items, said("fine")], over("fine"))
    assert told == 'one moment\n     → look(at="7")\n     ↳ look  0.00 s  fine\nfine\n'


def test_without_a_live_channel_it_comes_with_each_answer_of_the_model(shown: Shown) -> None:
    items: list[StreamItem] = [BEGAN, ASKED, said("one moment", CALL), CALLED, LOOKED, ASKED, said("fine")]
    assert shown.of(items, over("fine"))[0] == "one moment\nfine\n"


def test_what_an_attempt_said_that_failed_is_told_to_be_void(shown: Shown) -> None:
    fallback = FallbackUsed(**at("anna"), turn=1, failed="a/x", model="b/y", reason="Overloaded")
    items = [ASKED, *words("All f"), fallback, Retract(path="anna"), ASKED, *words("Well."), said("Well.")]
    told = shown.on_one(items, over("Well."))
    assert told == "All f\n     ⚠ a/x failed, b/y takes over: Overloaded\n(that is void)\nWell.\n"


def test_an_answer_that_was_asked_for_again_is_void(shown: Shown) -> None:
    items = [ASKED, *words("bad"), said("bad"), ASKED, *words("good"), said("good")]
    assert shown.on_one(items, over("good")) == "bad\n(that is void)\ngood\n"


def test_what_others_say_is_not_mixed_up_with_the_answer(shown: Shown) -> None:
    inner = [
        MemberStarted(**at("anna/bob"), member="bob", run_id="r/bob", message=Message.user("Look.")),
        *words("I ", "look.", path="anna/bob"),
        said("I look.", path="anna/bob"),
        MemberFinished(**at("anna/bob"), member="bob", run_id="r/bob", status=Status.COMPLETED),
    ]
    out, err = shown.of([BEGAN, *inner, ASKED, *words("fine"), said("fine")], over("fine"))
    assert (out, err) == ("fine\n", "▷ bob: Look.\n")


def test_that_a_member_did_not_complete_is_told(shown: Shown) -> None:
    failed = MemberFinished(**at("anna/bob"), member="bob", run_id="r", status=Status.FAILED, reason="broken")
    assert "□ bob failed: broken" in shown.of([failed], over("fine"))[1]


def test_reasoning_progress_and_values_that_grow_are_no_answer(shown: Shown) -> None:
    items = [
        ASKED,
        Token(path="anna", text="hm", kind="reasoning"),
        Partial(path="anna", value={"at": "7"}, tool="look"),
        Progress(path="anna", text="looking", call_id="c"),
        *words("fine"),
    ]
    assert shown.of(items, over("fine")) == ("fine\n", "")


def test_an_output_that_is_not_what_was_said_is_shown_once(shown: Shown) -> None:
    told = shown.on_one([ASKED, *words("fine"), said("fine")], over({"fine": True, "of": ["ä"]}))
    assert told == 'fine\n(that is void)\n{\n  "fine": true,\n  "of": [\n    "ä"\n  ]\n}\n'
    assert shown.of([], over("from elsewhere"))[0] == "from elsewhere\n"


def test_a_turn_that_did_not_complete_says_how_and_why(shown: Shown) -> None:
    items = [ASKED, *words("All f"), said("All f")]
    out, err = shown.of(items, over("All f", Status.CANCELLED, "somebody came"))
    assert (out, err) == ("All f\n", "□ cancelled: somebody came  0 turns  0→0 tok\n")
    assert shown.of([ASKED], over(None, Status.FAILED, "no key")) == ("", "□ failed: no key  0 turns  0→0 tok\n")
    assert shown.of([], over("cut", reason="it was cut"))[1] == "□ completed: it was cut  0 turns  0→0 tok\n"


def test_last_words_that_stand_there_are_not_said_again(shown: Shown) -> None:
    items = [ASKED, *words("one moment"), said("one moment", CALL), CALLED]
    assert shown.of(items, over("one moment", Status.CANCELLED))[0] == "one moment\n"


def test_what_it_rests_on_stands_below_it(shown: Shown) -> None:
    place = {"passage": "p", "source": "file:///a.md", "start": 0, "end": 6}
    citation = Citation(claim="it is", quote="It is.", attribution=Attribution.MODEL, **place)
    out, _ = shown.of([ASKED, *words("fine"), said("fine")], over("fine"), [citation])
    assert out == "fine\n\n[1] it is\n    /a.md\n    “It is.”\n"
    out, _ = shown.of([], over({"answer": "it is"}), [citation])
    assert out == "it is [1]\n\n[1] /a.md\n    “It is.”\n"


def test_an_escape_code_is_shown_and_not_obeyed(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    out, _ = shown.of([ASKED, *words("\x1b[31m", "red"), said("\x1b[31mred")], over("\x1b[31mred"))
    assert out == "�[31mred\n"


def test_a_summary_is_no_part_of_the_answer(shown: Shown) -> None:
    asks = ASKED.model_copy(update={"path": "anna/summary", "summary": True})
    summed = said("They spoke.", path="anna/summary").model_copy(update={"summary": True})
    compacted = MemoryCompacted(**at("anna"), turn=1, strategy="summary", before=900, after=300, messages=4)
    out, err = shown.of([BEGAN, asks, summed, compacted, ASKED, *words("Fine."), said("Fine.")], over("Fine."))
    assert out == "Fine.\n"
    assert err == "     ✂ 4 messages left the prompt for a summary · about 900 → 300 tok\n"
