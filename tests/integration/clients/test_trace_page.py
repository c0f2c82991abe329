"""The page of a run in a real browser: everything is there, nothing is loaded, no text is obeyed."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sostenuto import Message
from sostenuto.history.trace.page.document import trace_page
from sostenuto.history.trace.step import Trace
from tests.chromium import PROGRAM, Tab, chromium
from tests.unit.history.trace.made import BEGIN, PICTURE, hostile_run, long_run, step, trace_of, whole_run

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="there is no chromium here")


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    with chromium() as tab:
        yield tab


class Opened:
    """A page that is open in the browser."""

    def __init__(self, tab: Tab, file: Path, trace: Trace) -> None:
        file.write_text(trace_page(trace, BEGIN + timedelta(seconds=14)))
        self.tab = tab
        self.address = file.as_uri()
        tab.size(1400, 900)
        self.open()

    def open(self, fragment: str = "") -> None:
        self.tab.open(self.address + fragment)
        self.tab.settle()

    def texts(self, selector: str) -> list[str]:
        found: list[str] = self.tab.value(f"[...document.querySelectorAll({selector!r})].map((one) => one.innerText)")
        return found

    def text(self, selector: str) -> str:
        return "\n".join(self.texts(selector))

    def click(self, selector: str) -> None:
        self.tab.value(f"document.querySelector({selector!r}).click()")
        self.tab.settle()

    def search(self, text: str) -> None:
        self.tab.value(
            f"(() => {{ const box = document.querySelector('input'); box.value = {text!r};"
            "box.dispatchEvent(new Event('input')); })()"
        )
        self.tab.settle()

    def steps(self) -> list[int]:
        found: list[int] = self.tab.value(
            "[...document.querySelectorAll('[role=treeitem]')].map((row) => Number(row.dataset.step))"
        )
        return found


@pytest.fixture
def opened(tab: Tab, tmp_path: Path) -> Any:
    yield lambda trace: Opened(tab, tmp_path / "run.html", trace)
    assert tab.problems == []
    # Pictures of a prompt stand in the page itself.
    assert [one for one in tab.requested if not one.startswith(("file://", "data:"))] == []


def test_it_shows_every_step_and_where_the_time_went(opened: Any) -> None:
    trace = whole_run()
    page = opened(trace)
    assert page.steps() == [*range(len([*trace.run.walk()]))]
    summary = page.text("#summary")
    for words in (
        *(
            "desk",
            "under way",
            "ticket-812",
            "14.0 s so far",
            "2 model calls",
            "3,680 \u2192 192 tokens",
            "2 prompts proven",
        ),
        *("Under way when this was written, 2026-11-29 09:30:14 UTC.", "55 % waiting for models"),
        "What happened inside 1 nested run is not told here: it is past the retention.",
    ):
        assert words in summary
    on_path = page.tab.value("[...document.querySelectorAll('.row.on-path')].map((row) => Number(row.dataset.step))")
    assert on_path == [4, 5, 7, 8, 9]
    assert page.text(".row.failed, .row.bad").count("QuotaExceeded: no credit") == 1


def test_a_step_tells_everything(opened: Any) -> None:
    page = opened(whole_run())
    page.click('[data-step="6"] .title')
    assert page.tab.value("location.hash") == "#step-6"
    assert '"order": 9007199254740993' in page.text("#details")
    for words in ("of it waiting for a person\n0.15 s", "of it waiting\n50 ms", "undoes\ndesk/clerk:call_0"):
        assert words in page.text(".facts")
    page.click('[data-step="7"] .title')
    assert page.texts("#details th") == ["#", "passage", "dense", "fused"]
    assert page.texts("#details td.number")[:2] == ["0.789", "0.500"]
    page.click('[data-step="4"] .title')
    assert "The same as the model that took over" in page.text("#details")
    page.click("#details a.step")
    facts = page.text(".facts")
    for words in (
        "attempt\n2",
        "of it waiting\n1.60 s",
        "of them cached\n1,200",
        "of them reasoning\n40",
        "cost\n$0.0123",
    ):
        assert words in facts


def test_what_waits_for_a_person_is_said_at_the_top_and_at_its_step(opened: Any) -> None:
    call = step("tool", "refund", 1.0, None, "desk").model_copy(update={"awaits": "a yes of finance"})
    page = opened(trace_of(step("run", "desk", 0, None, steps=(call,))))
    assert "refund waits for a yes of finance:" in page.text("#summary")
    assert "waits for a person" in page.text("#summary .chip")
    page.click("#summary a.step")
    assert "waits for\na yes of finance" in page.text(".facts")


def test_a_prompt_is_whole_and_what_is_new_in_it_is_marked(opened: Any) -> None:
    page = opened(whole_run())
    page.open("#step-8")
    assert "Proven" in page.text("#details .proof")
    assert page.texts("#details .who") == ["2\nassistant\nnew", "3\ntool\nnew"]
    page.click(".modes button:last-child")
    assert page.texts("#details .who") == ["instructions", "1\nuser", "2\nassistant\nnew", "3\ntool\nnew"]
    assert "Where is order 7, and can I have my money back?" in page.text("#details .message.user")
    assert "The customer asks for a refund." in page.text("#details .thinking")
    assert page.tab.value("document.querySelector('#details img').naturalWidth") == 1


def test_steps_are_found_and_filtered(opened: Any) -> None:
    page = opened(whole_run())
    page.search("late order")
    assert page.steps() == [0, 3, 6, 7]
    assert page.text(".found") == "2 of 11 steps"
    page.search("")
    page.click("#tools .filter:nth-of-type(7)")
    assert page.text("#tools .filter[aria-pressed=true]").strip().endswith("1 failed")
    assert page.steps() == [0, 3, 4]
    page.search("nothing like it")
    assert page.text("#rows") == "No step fits the filter."


def test_keys_go_through_the_steps(opened: Any) -> None:
    page = opened(whole_run())
    page.tab.press("ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown")
    assert page.tab.value("location.hash") == "#step-3"
    page.tab.press("ArrowLeft")
    assert page.steps() == [0, 1, 2, 3, 9, 10]
    page.tab.press("ArrowRight", "End", "z")
    assert page.tab.value("location.hash") == "#step-10"
    assert page.tab.value("document.body.classList.contains('zoomed')")
    page.tab.press("0", "Escape", "/")
    assert not page.tab.value(
        "document.body.classList.contains('zoomed') || document.body.classList.contains('has-details')"
    )
    assert page.tab.value("document.activeElement.tagName") == "INPUT"


def test_a_part_of_the_time_is_chosen_by_dragging(opened: Any) -> None:
    page = opened(whole_run())
    left, top, wide, high = page.tab.value(
        "(() => { const box = document.getElementById('overview').getBoundingClientRect();"
        "return [box.left, box.top, box.width, box.height]; })()"
    )
    middle = top + high / 2
    page.tab.drag((left + wide * 6 / 14, middle), (left + wide * 7 / 14, middle))
    assert page.texts("#axis .tick")[0] == "6.0 s"
    seen = page.tab.value(
        "[...document.querySelectorAll('.row')].filter((row) => row.querySelector('.bar'))"
        ".map((row) => row.dataset.step)"
    )
    assert seen == ["0", "3", "6", "7", "8"]
    page.click("#tools .zoom")
    assert page.texts("#axis .tick")[0] == "0"


def test_a_thousand_turns(opened: Any) -> None:
    """Only what is to be seen is in the page, and the last turn is one key away."""
    page = opened(long_run(1000))
    assert len(page.steps()) < 60
    page.tab.press("End")
    assert page.steps()[-1] == 2000
    page.open("#step-1999")
    assert page.text(".selected .nth") == "1000"
    page.click(".modes button:last-child")
    assert len(page.texts("#details .message")) == 21
    assert page.text("#details .more").startswith("Show 20 of 1,979 earlier messages")
    page.click("#details .messages > .more")
    assert len(page.texts("#details .message")) == 41
    page.search('"order": 500,')
    assert page.steps() == [0, 1000, 1001]
    for place in (0, 20_000, 10**6):
        page.search("")
        page.tab.value(f"document.getElementById('rows').scrollTop = {place}")
        page.tab.settle()
        assert 0 < len(page.steps()) < 60
    assert page.steps()[-1] == 2000


def test_its_policy_is_in_force(tab: Tab, tmp_path: Path) -> None:
    """Were a text to become an element after all, its script would not run, and nothing would be loaded."""
    page = Opened(tab, tmp_path / "run.html", whole_run())
    title = tab.value("document.title")
    assert isinstance(PICTURE.data, str)
    (tmp_path / "x.png").write_bytes(b64decode(PICTURE.data))
    add = "document.body.insertAdjacentHTML"
    for harm in (
        "const one = document.createElement('script'); one.text = 'document.title = 1'; document.body.append(one)",
        f'{add}(\'beforeend\', \'<img src="x.png" onload="document.title = 2" onerror="document.title = 2">\')',
        f"{add}('beforeend', '<iframe srcdoc=\"<script>top.document.title = 3</script>\"></iframe>')",
    ):
        before = len(tab.problems)
        tab.value(f"(() => {{ {harm}; }})()")
        page.tab.settle()
        assert any("Content Security Policy" in problem for problem in tab.problems[before:])
    assert tab.value("document.title") == title
    assert tab.value("document.querySelector('[src=\"x.png\"]').naturalWidth") == 0


@pytest.mark.parametrize("wide", [1400, 390])
def test_texts_are_not_obeyed(opened: Any, wide: int) -> None:
    page = opened(hostile_run())
    page.tab.size(wide, 900, dark=True)
    title = page.tab.value("document.title")
    for number in page.steps():
        page.open(f"#step-{number}")
        for selector in (".modes button:last-child", "#details summary"):
            page.tab.value(f"[...document.querySelectorAll({selector!r})].forEach((one) => one.click())")
        page.tab.settle()
        assert page.tab.value("document.title") == title
        assert page.tab.value("document.querySelectorAll('body img, body script, body style, iframe').length") == 2
    assert "</script><script>document.title='harm'</script>" in page.text("#summary")
    assert page.tab.value("document.documentElement.scrollWidth <= innerWidth")


def test_a_page_that_goes_on_looks_as_it_did(opened: Any, tmp_path: Path) -> None:
    trace = whole_run()
    page = opened(trace)
    file, now, reload = tmp_path / "run.html", BEGIN + timedelta(seconds=14), 2.0
    file.write_text(trace_page(trace, now, reload_seconds=reload))
    page.open()
    assert "This page goes on with it." in page.text("#summary")
    page.click('[data-step="6"] .twisty')
    page.click('[data-step="8"] .title')
    before = page.steps()
    assert before == [*range(7), *range(8, len([*trace.run.walk()]))]
    # The next one has a step more, before all others.
    more = trace.run.steps[0].model_copy(update={"id": "new", "name": "a new one"})
    longer = trace.model_copy(update={"run": trace.run.model_copy(update={"steps": (more, *trace.run.steps)})})
    file.write_text(trace_page(longer, now))
    while "This page goes on with it." in page.text("#summary"):
        page.tab.until_loaded()
    assert page.steps() == [0, 1, *(step + 1 for step in before[1:])]
    assert page.tab.value("document.querySelector('.row.selected').dataset.step") == "9"
    assert page.tab.value("location.hash") == "#step-9"


def test_a_page_that_goes_on_keeps_the_filter_that_hides_the_selected_step(opened: Any, tmp_path: Path) -> None:
    trace = whole_run()
    page = opened(trace)
    file, now = tmp_path / "run.html", BEGIN + timedelta(seconds=14)
    file.write_text(trace_page(trace, now, reload_seconds=2.0))
    page.open()
    page.click('[data-step="8"] .title')
    chip = "[...document.querySelectorAll('#tools button')].find((one) => one.innerText.includes('tool call'))"
    page.tab.value(f"{chip}.click()")
    page.tab.settle()
    before = page.steps()
    file.write_text(trace_page(trace, now))
    while "This page goes on with it." in page.text("#summary"):
        page.tab.until_loaded()
    assert page.steps() == before
    assert 8 not in before
    assert "model call at desk/clerk" in page.text("#details .where")


def test_a_prompt_that_was_shortened_is_whole(opened: Any) -> None:
    """A summary goes on from what its agent was told last, and so does the next call of the agent."""
    said = [Message.user(text) for text in ("first", "second", "third", "sum up", "a summary", "fourth")]
    first, second, third, sum_up, summed, fourth = said
    calls = (
        step("model", "m/one", 0, turn=1, told=(first,), messages=1),
        step("model", "m/one", 1, turn=2, told=(second, third), messages=3),
        step("model", "m/two", 2, path="desk/summary", turn=3, told=(sum_up,), messages=3, summary=True),
        step("model", "m/one", 3, turn=3, told=(summed, fourth), messages=4, order=(0, -1, 2, -1)),
    )
    page = opened(trace_of(step("run", "desk", 0, 4.0, steps=calls)))
    page.click("[data-step='3'] .title")
    assert "summary by m/two" in page.text("#details h2")
    assert "New in this call (1)" in page.text(".modes")
    page.click(".modes button:last-child")
    assert [one.split("\n")[-1] for one in page.texts(".message")] == ["first", "second", "sum up"]
    page.click("[data-step='4'] .title")
    assert [one.split("\n")[-1] for one in page.texts(".message")] == ["first", "a summary", "third", "fourth"]
    assert len(page.texts(".message.is-new")) == 2
    page.click(".modes button:first-child")
    assert [one.split("\n")[-1] for one in page.texts(".message")] == ["a summary", "fourth"]
