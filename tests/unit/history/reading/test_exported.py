"""A run is explained by the files of its export alone, and what is wrong with a file is said."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sostenuto import SpecError
from sostenuto.connection.converter import data_converter
from sostenuto.contracts.errors import SetupError
from sostenuto.history.reading.exported import nested_directory, read_exported_trace, read_history_file
from sostenuto.history.trace.step import Trace

HISTORIES = Path(__file__).parents[3] / "replay" / "histories" / "v0.3.0"


async def read(file: Path) -> Trace:
    return (await read_exported_trace(file, data_converter())).trace


def change(file: Path, how: Callable[[Any], Any]) -> None:
    """Write a history otherwise: `how` changes it, or returns another."""
    history = json.loads(file.read_text())
    file.write_text(json.dumps(how(history) or history))


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """A run with nested runs in nested runs, as `sostenuto export --nested` writes them."""
    file = tmp_path / "run.json"
    shutil.copy(HISTORIES / "nested.json", file)
    for inner in HISTORIES.glob("nested-*.json"):
        target = nested_directory(file) / f"{inner.stem.removeprefix('nested-').replace('-', '/')}.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(inner, target)
    return file


async def test_with_its_nested_runs(exported: Path) -> None:
    trace = await read(exported)
    steps = [*trace.run.walk()]
    assert {step.run_id for step in steps if step.run_id} == {
        *("nested", "nested/crew", "nested/crew/checker", "nested/crew/report", "nested/crew/report/clerk")
    }
    assert [step for step in steps if step.untold] == []
    assert sum(step.kind == "model" for step in steps) == trace.run.turns == 8
    assert all(step.proven for step in steps if step.kind == "model")


async def test_a_nested_run_stands_in_the_call_that_started_it(exported: Path) -> None:
    trace = await read(exported)
    [crew] = [step for step in trace.run.steps if step.kind == "run"]
    calls = {step.name: step for step in crew.steps if step.kind == "tool"}
    assert {name: [inner.name for inner in call.steps] for name, call in calls.items()} == {
        "report": ["report"],
        "checker": ["checker"],
    }
    # The time of such a call is that of what is in it.
    assert max(trace.shares, key=lambda share: share.seconds if share.what != "between" else 0).what == "model"


async def test_without_its_nested_runs(exported: Path) -> None:
    shutil.rmtree(nested_directory(exported))
    trace = await read(exported)
    [crew] = [step for step in trace.run.steps if step.kind == "run"]
    assert (crew.status, crew.answered, crew.steps) == ("completed", "Done.", ())
    assert crew.untold == "its history is not with the file, which `sostenuto export --nested` adds"
    assert trace.shares[0].what == "run"


async def test_nested_runs_of_another_run_are_left_out(exported: Path) -> None:
    """They were left from an earlier export to the same name."""
    other = nested_directory(exported) / "crew.json"

    def renamed(history: Any) -> None:
        started = history["events"][0]["workflowExecutionStartedEventAttributes"]
        started["firstExecutionRunId"] = "00000000-0000-0000-0000-000000000000"

    change(other, renamed)
    trace = await read(exported)
    assert [step.run_id for step in trace.run.walk() if step.untold] == ["nested/crew"]


async def test_one_that_was_under_way(exported: Path) -> None:
    """What there is of it is told, up to its last event."""

    def shortened(history: Any) -> Any:
        kinds = [event["eventType"] for event in history["events"]]
        end = kinds.index("EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED") + 2
        return {"events": history["events"][:end]}

    change(exported, shortened)
    shutil.rmtree(nested_directory(exported))
    trace, at = await read_exported_trace(exported, data_converter())
    assert (trace.run.seconds, trace.run.status) == (None, "")
    assert trace.run.started_at < at


def _rewrite(file: Path, changed: Callable[[str], str]) -> None:
    file.write_text(changed(file.read_text()))


def _cut(text: str) -> str:
    return text[: len(text) // 2]


def _without(number: int) -> Callable[[str], str]:
    def changed(text: str) -> str:
        history = json.loads(text)
        del history["events"][number]
        return json.dumps(history)

    return changed


def _of_another_type(text: str) -> str:
    history = json.loads(text)
    started = history["events"][0]["workflowExecutionStartedEventAttributes"]
    started |= {"workflowType": {"name": "OrderFulfilment"}, "searchAttributes": {}}
    return json.dumps(history)


def _of_another_version(text: str) -> str:
    history = json.loads(text)
    [payload] = history["events"][0]["workflowExecutionStartedEventAttributes"]["input"]["payloads"]
    payload["data"] = "eyJydW5uYWJsZSI6IDd9"
    return json.dumps(history)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (_cut, "is not a history as `sostenuto export` writes it, or not the whole of one .*: export it again by"),
        (lambda text: "", "is not a history"),
        (lambda text: "[1, 2]", "is not a history"),
        (lambda text: '{"name": "sostenuto"}', "is not a history|without events"),
        (lambda text: '{"events": []}', "is a history without events: export it again"),
        (_without(0), "is a part of a history, without event 1: export it again"),
        (_without(5), "is a part of a history, without event 6: export it again"),
        (_of_another_type, "is the history of a workflow of type 'OrderFulfilment', and of no run or chat: "),
        (_of_another_version, "has what this version of sostenuto cannot read .*: read it by the version that wrote"),
    ],
)
async def test_what_is_wrong_with_a_file(exported: Path, changed: Callable[[str], str], words: str) -> None:
    _rewrite(exported, changed)
    with pytest.raises(SpecError, match=words):
        await read(exported)


async def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"none\.json cannot be read: No such file"):
        await read(tmp_path / "none.json")
    (tmp_path / "none.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SpecError, match="is not a history"):
        read_history_file(tmp_path / "none.json")


@pytest.mark.parametrize("name", ["continued_as_new_3", "chatted_3", "delegate_continued_4"])
async def test_one_that_goes_on_from_another(name: str) -> None:
    """What the newest execution tells is told, with the prompts whole: it took the conversation along."""
    trace = await read(HISTORIES / f"{name}.json")
    notice, *others = trace.run.steps
    assert (notice.kind, notice.reason) == ("notice", f"of its executions, the newest alone is in {name}.json")
    assert (trace.run.run_id, trace.run.status != "") == (name[:-2], True)
    models = [step for step in trace.run.walk() if step.kind == "model" and step.path == trace.run.path]
    assert models
    assert all(step.proven for step in models)
    assert len(models[0].told) == models[0].messages > 1
    assert others


async def test_one_in_which_nothing_has_happened_yet(exported: Path) -> None:
    shutil.copy(HISTORIES / "chatted_2.json", exported)
    change(exported, lambda history: {"events": history["events"][:1]})
    with pytest.raises(
        SpecError, match=r"in which nothing has happened yet: ask the server, .* `sostenuto trace chatted`"
    ):
        await read(exported)


async def test_payloads_outside_the_history(exported: Path) -> None:
    def outside(history: Any) -> None:
        [payload] = history["events"][0]["workflowExecutionStartedEventAttributes"]["input"]["payloads"]
        payload["externalPayloads"] = [{"sizeBytes": "9"}]

    change(exported, outside)
    with pytest.raises(SetupError, match="set SOSTENUTO_PAYLOAD_DIR"):
        await read(exported)
