"""The order of runs: whoever is paged sees first what is wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueueStats
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import DescribeTaskQueueResponse, DescribeWorkflowExecutionResponse

from sostenuto.clients.overview.board import Sighting, open_runs, ordered
from sostenuto.clients.overview.overview import Endings, OpenRun, Overview, Trouble, TroubleKind, Wait
from sostenuto.clients.overview.queues import load_of
from sostenuto.contracts.wire.totals import Totals

NOW = datetime(2026, 1, 1, 3, tzinfo=UTC)


def _run(id: str, *kinds: TroubleKind, attempt: int = 0, minutes: int = 1, quiet: int = 1, **fields: Any) -> OpenRun:
    troubles = tuple(Trouble(kind=kind, run_id=id, task_queue="q", reason="why", attempt=attempt) for kind in kinds)
    return OpenRun(
        id=id,
        started_at=NOW - timedelta(minutes=minutes),
        last_at=NOW - timedelta(minutes=quiet),
        troubles=troubles,
        waits=fields.pop("waits", (Wait(kind="model"),)),
        **fields,
    )


def test_by_trouble() -> None:
    runs = [
        _run("idle", waits=(Wait(kind="message"),), quiet=500),
        _run("lively", quiet=1),
        _run("paused", "paused"),
        _run("silent", quiet=90),
        _run("tried", "retried", attempt=2),
        _run("tried often", "retried", attempt=20),
        _run("unserved", "unserved"),
        _run("stalled", "stalled", "retried"),
    ]
    assert [run.id for run in ordered(runs, "trouble")] == [
        "stalled",
        "unserved",
        "tried often",
        "tried",
        "paused",
        "silent",
        "lively",
        "idle",
    ]


def test_by_time_and_by_cost() -> None:
    runs = [
        _run("new", minutes=1, totals=Totals(cost_usd=0.5)),
        _run("old", minutes=90, totals=Totals(cost_usd=0.1)),
        _run("dear", minutes=5, totals=Totals(cost_usd=7.0)),
    ]
    assert [run.id for run in ordered(runs, "time")] == ["old", "dear", "new"]
    assert [run.id for run in ordered(runs, "cost")] == ["dear", "new", "old"]


def _sighting(id: str, *, seen: bool = False, children: tuple[str, ...] = ()) -> Sighting:
    info = WorkflowExecutionInfo()
    info.execution.workflow_id = id
    info.start_time.FromDatetime(NOW)
    if not seen:
        return Sighting(info)
    described = DescribeWorkflowExecutionResponse(workflow_execution_info=info)
    for child in children:
        described.pending_children.add().workflow_id = child
    return Sighting(info, described=described, looked=1)


def test_what_is_nested_belongs_to_its_run() -> None:
    tree = [
        _sighting("a/x/y", seen=True),
        _sighting("a", seen=True, children=("a/x",)),
        _sighting("a/x", seen=True, children=("a/x/y",)),
        _sighting("b"),
    ]
    a, b = sorted(open_runs(tree, {}, NOW), key=lambda run: run.id)
    assert (a.id, a.nested, a.was_seen) == ("a", 2, True)
    # Not for a nested run, but for what that waits for.
    assert [wait.kind for wait in a.waits] == ["other"]
    assert (b.id, b.nested, b.was_seen, b.is_whole) == ("b", 0, False, False)


def test_a_nested_run_that_is_not_known_is_waited_for() -> None:
    [run] = open_runs([_sighting("a", seen=True, children=("a/x",))], {}, NOW)
    assert [(wait.kind, wait.name) for wait in run.waits] == [("nested", "x")]


def test_a_run_may_be_listed_after_what_is_nested_in_it() -> None:
    [run] = open_runs([_sighting("a/x", seen=True)], {}, NOW)
    assert (run.id, run.nested) == ("a", 1)


def test_sums() -> None:
    overview = Overview(
        at=NOW,
        namespace="default",
        running=4,
        chats=1,
        runs=(
            _run("a", "stalled", totals=Totals(cost_usd=0.5)),
            _run("b", totals=Totals(cost_usd=0.25)),
            _run("c", was_seen=False),
        ),
        ended=Endings(minutes=15),
    )
    assert (overview.troubled, overview.unseen, overview.cost_usd, overview.is_whole) == (1, 3, 0.75, False)
    assert '"troubled":1' in overview.model_dump_json()


def _queue(identities: dict[str, float], **stats: Any) -> DescribeTaskQueueResponse:
    answer = DescribeTaskQueueResponse(stats=TaskQueueStats(**stats))
    for identity, seconds in identities.items():
        poller = PollerInfo(identity=identity)
        poller.last_access_time.FromDatetime(NOW - timedelta(seconds=seconds))
        answer.pollers.append(poller)
    return answer


def test_a_worker_that_is_gone_serves_no_more() -> None:
    calls = _queue({"a": 5, "gone": 80}, approximate_backlog_count=2, tasks_dispatch_rate=0.5)
    calls.stats.approximate_backlog_age.FromSeconds(7)
    load = load_of("q", [_queue({"a": 1, "b": 60}, tasks_dispatch_rate=1.0), calls], NOW)
    assert (load.workers, load.backlog, load.backlog_seconds, load.taken_per_second) == (2, 2, 7.0, 1.5)
    assert load_of("q", [_queue({"gone": 71})], NOW).workers == 0
