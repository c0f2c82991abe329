"""The page is one file that loads nothing, and in which texts stay texts."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from datetime import timedelta
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from sostenuto.history.trace.page.document import trace_page
from sostenuto.history.trace.step import Trace
from tests.unit.history.trace.made import BEGIN, HOSTILE, hostile_run, long_run, whole_run

NOW = BEGIN + timedelta(seconds=14)


class _Elements(HTMLParser):
    """What a browser makes of a page: its elements, and the texts of those that are not shown."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._open.append(dict(attrs).get("id") or tag)

    def handle_endtag(self, tag: str) -> None:
        self._open.append("")

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self._open[-1] if self._open else "", []).append(data)

    def text(self, name: str) -> str:
        return "".join(self.texts[name])


def _shape(page: str) -> list[str]:
    return [tag for tag, _ in _Elements(page).found]


@pytest.mark.parametrize("trace", [hostile_run(), whole_run(), long_run(20)], ids=["hostile", "whole", "long"])
def test_no_text_of_a_run_is_an_element(trace: Trace) -> None:
    page = trace_page(trace, NOW)
    assert page.isascii()
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", page)
    assert _shape(page) == _shape(trace_page(Trace(run=trace.run.model_copy(update={"name": "r", "steps": ()})), NOW))
    content = _Elements(page).text("content")
    assert not re.search(r"[<>&\u2028\u2029]", content)
    steps = json.loads(content)["steps"]
    assert [step["name"] for step in steps] == [step.name for step in trace.run.walk()]


def test_every_hostile_text_is_told_as_it_is() -> None:
    steps = json.loads(_Elements(trace_page(hostile_run(), NOW)).text("content"))["steps"]
    assert [step["answered"] for step in steps[1:5]] == list(HOSTILE[:4])
    assert [step["told"][0]["parts"][0]["text"] for step in steps[1:5]] == list(HOSTILE[:4])
    assert json.loads(steps[7]["asked"]["json"]) == {HOSTILE[2]: HOSTILE[2]}


def test_its_policy_allows_its_own_script_and_style_alone() -> None:
    page = trace_page(whole_run(), NOW)
    elements = _Elements(page)
    policies = [a["content"] for tag, a in elements.found if a.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in str(policies[0]).split(";"))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in str(policies[0])
    for name, rule in (("script", "script-src"), ("style", "style-src")):
        digest = b64encode(sha256(elements.text(name).encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    # What stands before the policy is not under it.
    assert page.index("Content-Security-Policy") < min(page.index("<style>"), page.index("<script"))


def test_it_refers_to_nothing_outside() -> None:
    page = trace_page(whole_run(), NOW)
    content = _Elements(page).text("content")
    own = page.replace(content, "")
    assert not re.search(r"https?://|//[a-z]+\.|@import|url\(|\bfetch\(|XMLHttpRequest|WebSocket|sendBeacon", own)
    assert not [a for _, a in _Elements(page).found if {"src", "href", "style", "action"} & a.keys()]
    # The only way from data to the page is as text.
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc", own)


def test_numbers_are_told_digit_for_digit() -> None:
    content = json.loads(_Elements(trace_page(whole_run(), NOW)).text("content"))
    [asked] = [step["asked"] for step in content["steps"] if step["name"] == "search_handbook"]
    assert asked == {"json": '{"query": "refund of a late order", "order": 9007199254740993}'}


def test_a_thousand_turns_are_told_once_each() -> None:
    """Each turn adds to the file what it adds to the history, and not the whole prompt again."""
    short, long = (len(trace_page(long_run(turns), NOW)) for turns in (100, 1000))
    grown = (long - short) / 900
    assert grown < 2.2 * (short - len(trace_page(long_run(1), NOW))) / 99
    assert long < 3_000_000


def test_where_the_time_went_and_what_is_under_way() -> None:
    content = json.loads(_Elements(trace_page(whole_run(), NOW, "Read from a file.")).text("content"))
    assert content["now"] == 14.0
    assert content["source"] == "Read from a file."
    assert "seconds" not in content["steps"][0]
    assert sum(share["percent"] for share in content["shares"]) == pytest.approx(100, abs=2)
    assert [content["steps"][index]["kind"] for index, *_ in content["path"]] == [
        *("run", "model", "retrieval", "model", "model")
    ]
    for _, begin, working, end in content["path"]:
        assert 0 <= begin <= working <= end <= 14


def test_the_title_is_a_text_too() -> None:
    title = _Elements(trace_page(hostile_run(), NOW)).text("title")
    assert title.startswith("</script><script>document.title='harm'</script>")
    assert _Elements(trace_page(whole_run(), NOW)).text("title") == "desk - ticket-812"


def test_every_mark_of_a_step_knows_what_is_in_order() -> None:
    page = trace_page(whole_run(), NOW)
    assert page.count("KINDS[step.kind].mark") == 1
    assert page.count("markOf(step)") == 4
