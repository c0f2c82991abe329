"""The one door to the terminal: an escape code in any field of any event is shown, and obeyed by no terminal."""

from __future__ import annotations

import io
import os
import sys
from contextlib import nullcontext
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from rich.table import Table
from rich.text import Text

from sostenuto.clients.cli import terminal
from sostenuto.clients.cli.step_tree import StepTree
from sostenuto.contracts.wire.event import EVENT, Event
from tests.unit.contracts.examples import EXAMPLES

PLANTED = "\x1b[31mred\x1b]0;title\x07\u202e\x9b2J"
EVENTS = [example for example in EXAMPLES if isinstance(example, get_args(get_args(Event)[0]))]


def _plant(value: Any, name: str = "") -> Any:
    """The value with an escape code in every text that is not one of a few fixed words."""
    if isinstance(value, dict):
        return {f"{key}": _plant(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_plant(item, name) for item in value]
    words = ("type", "kind", "role", "status", "at", "id", "cursor", "stop", "media_type", "strategy", "outcome")
    fixed = name in (*words, "expires", "decision", "then", "until", "stage", "verdict")
    return value if fixed or not isinstance(value, str) else f"{value}{PLANTED}"


def _shown(*printed: Any, **options: Any) -> str:
    console = terminal.open_console(**options)
    console.file = io.StringIO()
    for one in printed:
        console.print(one, markup=False, highlight=False, soft_wrap=True)
    return str(console.file.getvalue())


def _obeyed(text: str) -> str:
    return "".join(sign for sign in text if terminal.harmless(sign) != sign)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_an_escape_code_in_any_field_of_an_event(event: BaseModel) -> None:
    planted = EVENT.validate_python(_plant(event.model_dump(mode="json")))
    tree = StepTree()
    lines = tree.lines(planted)
    assert _obeyed(_shown(*lines)) == ""
    assert _obeyed(tree.waiting()) == ""
    assert "\x1b" not in EVENT.dump_json(planted).decode()


def test_every_event_is_here() -> None:
    assert {type(event) for event in EVENTS} == set(get_args(get_args(Event)[0]))


def test_a_screen_is_given_back_whatever_ends_it(capsys: pytest.CaptureFixture[str]) -> None:
    def fails() -> None:
        with terminal.FullScreen() as screen:
            screen.show([Text(f"one {PLANTED}"), Text("two")])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    shown = capsys.readouterr().out
    assert shown.startswith("\x1b[?1049h")
    assert shown.endswith("\x1b[?7h\x1b[?25h\x1b[?1049l")
    assert "one �[31mred�]0;title��2J" in shown


def test_a_table() -> None:
    table = Table("id", "status")
    table.add_row(PLANTED, f"failed {PLANTED}")
    shown = _shown(table, width=200)
    assert "red" in shown
    assert _obeyed(shown) == ""


def test_a_text_is_shown_as_it_was_written() -> None:
    assert _shown("see :key: and [bold]") == "see :key: and [bold]\n"


@pytest.mark.parametrize("hidden", ["\u200b", "\ufeff", "\u2060", "\U000e0041", "\U000e01f0", "\ufff9"])
def test_what_would_hide_is_shown(hidden: str) -> None:
    assert terminal.harmless(f"a{hidden}b") == "a\N{REPLACEMENT CHARACTER}b"


def test_a_text_that_is_hidden_in_how_signs_are_drawn() -> None:
    assert terminal.harmless("☺\ufe0f\ufe01\U000e0101") == "☺\ufe0f" + "\N{REPLACEMENT CHARACTER}" * 2


@pytest.mark.parametrize(
    "text",
    [
        "👩\u200d🔬 ❤\ufe0f\u200d🔥",
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
        "\u0645\u06cc\u200c\u062e\u0648",
        "葛\U000e0100城",
        "co\u00adop",
    ],
)
def test_what_joins_and_draws_signs_stays(text: str) -> None:
    assert terminal.harmless(text) == text


def _on_terminal(width: int) -> Any:
    console = terminal.open_console(width=width)
    console._force_terminal = True
    return console


def test_a_line_that_is_longer_than_the_terminal_is_wide() -> None:
    line = "1a2b3c4d  fact  The user lives in a house by the sea, 世界世界世界世界, and likes it"
    shown = terminal.hanging(line, _on_terminal(40), 16).split("\n")
    assert shown[0] == "1a2b3c4d  fact  The user lives in a"
    assert all(one.startswith(" " * 16) and one[16] != " " for one in shown[1:])
    assert all(Text(one).cell_len <= 40 for one in shown)
    assert " ".join(one.strip() for one in shown) == line
    assert terminal.hanging(line, terminal.open_console(width=40), 16) == line


def test_lines_of_steps_hang_behind_their_marks() -> None:
    steps = "     ✎ recalled one of many memories\n▕ ░█ ▏  » one two three four five six\nshort"
    assert terminal.step_hanging(steps, _on_terminal(24)).split("\n") == [
        "     ✎ recalled one of",
        "       many memories",
        "▕ ░█ ▏  » one two three",
        "          four five six",
        "short",
    ]


def test_an_error_and_an_answer(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    terminal.say(f"sostenuto: {PLANTED}")
    terminal.answer(PLANTED)
    out, err = capsys.readouterr()
    assert _obeyed(err) == ""
    assert out == f"{PLANTED}\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    terminal.answer(PLANTED)
    assert _obeyed(capsys.readouterr().out) == ""


@pytest.mark.parametrize("stderr", [True, False])
def test_nobody_reads_any_more(stderr: bool) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    console = terminal.open_console(stderr=stderr)
    with io.TextIOWrapper(os.fdopen(writes, "wb", 0), write_through=True) as console.file:
        with nullcontext() if stderr else pytest.raises(BrokenPipeError):
            console.print("steps")
        console.print("and more of them")  # nobody is to be told twice
