"""What a worker publishes is what the dashboard, the alert rules and the page of metrics name."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from temporalio.client import Client as TemporalClient

from tests.fakes.otlp_receiver import OtlpReceiver, otlp_receiver
from tests.integration.agent.stage import eventually
from tests.integration.clients.shell import Shell
from tests.integration.telemetry.scraped import (
    WORD_SECONDS,
    Scrape,
    free_port,
    publishing,
    run_all,
    scrape,
)
from tests.integration.telemetry.watched import received
from tests.watching import OF_PROMETHEUS, Named, named, of_variables, queries, rules

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \|[^|]*\|([^|]*)\|", re.MULTILINE)
PARTS = {"counter": ("",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
OF_RULES = {rule["record"] for rule in rules() if "record" in rule} | {"ALERTS", "up"}
"""What Prometheus itself knows of."""


@dataclass(frozen=True)
class Documented:
    """A row of the page."""

    metric: str
    kind: str
    labels: frozenset[str]


def documented() -> list[Documented]:
    """What the page says that there is."""
    rows = ROW.findall(PAGE.read_text())
    return [Documented(name, kind, frozenset(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[OtlpReceiver]:
    with otlp_receiver() as receiving:
        received(receiving, monkeypatch)
        yield receiving


@pytest.fixture
async def published(
    temporal: TemporalClient, task_queue: str, receiver: OtlpReceiver, tmp_path: Path
) -> AsyncIterator[Scrape]:
    """Everything that a worker publishes, once there was something of everything."""
    port = free_port()
    wanted = {one.metric for query in queries() for one in named(query.expression)} - OF_RULES
    wanted |= {row.metric + part for row in documented() for part in PARTS[row.kind]}
    async with publishing(temporal, task_queue, tmp_path, port) as client:
        await run_all(client, tmp_path)
        last: list[Scrape] = []

        async def is_all_there() -> bool:
            last[:] = [await scrape(port)]
            there = last[0].labels
            return wanted <= there.keys() and last[0].of("sostenuto_spans_waiting") == 0 and _ended(last[0]) >= 8

        try:
            await eventually(is_all_there, 30)
        except AssertionError:
            # Each test says what it misses.
            assert last
        yield last[0]


def _ended(found: Scrape) -> float:
    return found.of("sostenuto_runs_total")


async def test_what_is_published(published: Scrape) -> None:
    """One run of a worker for all of it: it takes some seconds."""
    _all_that_is_asked_for_is_there(published)
    _the_page_tells_of_all_of_it(published)
    _figures_are_those_of_the_runs(published)
    _what_the_sdk_counts_has_its_own_labels(published)


def _all_that_is_asked_for_is_there(published: Scrape) -> None:
    there = published.labels
    missing: dict[str, list[Named]] = {}
    for place, expression in queries():
        for one in named(expression):
            if one.metric not in OF_RULES and not one.labels <= there.get(one.metric, set()) | OF_PROMETHEUS:
                missing.setdefault(place, []).append(one)
            if one.metric not in OF_RULES and one.metric not in there:
                missing.setdefault(place, []).append(one)
    assert missing == {}
    assert [one for one in of_variables() if not one.labels <= there.get(one.metric, set())] == []


def _the_page_tells_of_all_of_it(published: Scrape) -> None:
    there = published.labels
    rows = documented()
    for row in rows:
        for part in PARTS[row.kind]:
            assert row.metric + part in there, f"docs/metrics.md tells of {row.metric}, a {row.kind}"
        assert row.labels == there[row.metric + PARTS[row.kind][-1]] - OF_PROMETHEUS, row.metric
    told = {row.metric + part for row in rows for part in PARTS[row.kind]}
    ours = {name for name in there if name.startswith(("sostenuto_", "gen_ai_"))}
    assert ours - told == set()
    asked = {one.metric for query in queries() for one in named(query.expression)} - OF_RULES
    assert asked - told == set()


def _figures_are_those_of_the_runs(published: Scrape) -> None:
    chat = "gen_ai_client_operation_duration_seconds_count"
    assert published.of("sostenuto_runs_total", sostenuto_status="failed", gen_ai_agent_name="doomed") == 1
    assert published.of("sostenuto_runs_total", sostenuto_status="failed", gen_ai_agent_name="flow") == 0
    assert published.of("sostenuto_runs_total", sostenuto_status="completed", sostenuto_tenant="acme") == 4
    assert published.of(chat, gen_ai_request_model="doomed", error_type="AuthenticationFailed") == 1
    assert published.of(chat, gen_ai_tool_name="look", error_type="tool_failed") == 2
    assert published.of("sostenuto_retries_total", gen_ai_request_model="busy") >= 1
    assert published.of("sostenuto_fallbacks_total", gen_ai_request_model="away", error_type="QuotaExceeded") == 2
    assert published.of("sostenuto_cost_USD_total", sostenuto_tenant="acme") == pytest.approx(0.006)
    assert published.of("sostenuto_unpriced_calls_total", gen_ai_request_model="slow") == 1
    forgot = {"gen_ai_agent_name": "gossip", "sostenuto_memory_strategy": "window"}
    assert published.of("sostenuto_compactions_total", **forgot) == 1
    assert published.of("sostenuto_tokens_total") == published.of("gen_ai_client_token_usage_sum")
    assert published.of("sostenuto_stalls_total") == 0
    assert published.of("sostenuto_approval_duration_seconds_count", gen_ai_tool_name="pay") == 2
    assert published.of("sostenuto_destination_up", sostenuto_destination="otlp") == 1
    assert published.of("sostenuto_spans_sent_total", sostenuto_destination="otlp") > 10
    first = published.of("gen_ai_client_operation_time_to_first_chunk_seconds_sum", gen_ai_request_model="slow")
    whole = published.of("gen_ai_client_operation_duration_seconds_sum", gen_ai_request_model="slow")
    assert WORD_SECONDS <= first < whole


def _what_the_sdk_counts_has_its_own_labels(published: Scrape) -> None:
    found = [one for one in published.samples if one.name == "temporal_num_pollers"]
    assert {one.labels["poller_type"] for one in found} >= {"workflow_task", "activity_task"}
    for one in published.samples:
        if one.name.startswith("temporal_worker_task_slots") or one.name == "temporal_num_pollers":
            assert "operation" not in one.labels
            assert one.labels["task_queue"]
    latency = "temporal_activity_execution_latency_seconds_bucket"
    bounds = {float(one.labels["le"]) for one in published.samples if one.name == latency}
    assert {0.005, 1800.0} <= bounds


async def test_a_worker_of_the_command_line_publishes_what_its_sdk_counts(
    temporal: TemporalClient, task_queue: str, tmp_path: Path
) -> None:
    port = free_port()
    shell = Shell(tmp_path, temporal.service_client.config.target_host, task_queue)
    shell.set("SOSTENUTO_METRICS", str(port))
    process = await shell.start("worker", "shop.py:app")

    async def polls() -> bool:
        try:
            found = await scrape(port)
        except OSError:
            return False
        return "temporal_num_pollers" in found.labels

    try:
        await eventually(polls)
        assert (await scrape(port)).of("sostenuto_stalls_total") == 0
    finally:
        process.terminate()
        await process.communicate()
