"""What docker-compose is watched by fits together.

Queries are parsed as PromQL, and the layout of the dashboard is reckoned. That the metrics and labels of the queries
exist, `tests/integration/telemetry/test_metrics.py` asks a worker. The files of the collector, of Prometheus, Tempo and
Grafana are read as YAML and JSON, and checked for what they say of each other: their own programs are in no package.
"""

from __future__ import annotations

import json
import re
import subprocess
from importlib.resources import files
from itertools import combinations
from typing import Any

import pytest

from tests.watching import (
    DASHBOARD,
    OF_GRAFANA,
    PANELS,
    ROOT,
    VARIABLES,
    Named,
    Query,
    named,
    of_variables,
    queries,
    read,
    rules,
)

COLUMNS = 24


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    command = [str(files("compose") / "docker-compose"), "--profile", "watch", "config", "--format", "json"]
    env = {"SOSTENUTO_TELEMETRY": "otlp", "PATH": "/usr/bin:/bin", "HOME": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)["services"]
    return found


@pytest.mark.parametrize("query", queries(), ids=lambda query: query.place)
def test_queries_are_promql(query: Query) -> None:
    assert "$" not in query.expression, "a variable that nobody fills in"
    assert named(query.expression) or query.expression.startswith("vector(")


def test_what_is_no_promql_is_seen() -> None:
    with pytest.raises(ValueError, match="unclosed"):
        named('sum(rate(x{a="b"}[5m])')
    assert named('sum by (b) (rate(x{a="1"}[5m])) / on (c) y') == [
        Named("x", frozenset({"a", "b"})),
        Named("y", frozenset()),
    ]


def test_panels_stand_in_the_grid_and_on_none_other() -> None:
    for panel in PANELS:
        place = panel["gridPos"]
        assert 0 <= place["x"] < place["x"] + place["w"] <= COLUMNS, panel["title"]
    for one, other in combinations(PANELS, 2):
        a, b = one["gridPos"], other["gridPos"]
        apart = (
            a["x"] + a["w"] <= b["x"]
            or b["x"] + b["w"] <= a["x"]
            or a["y"] + a["h"] <= b["y"]
            or b["y"] + b["h"] <= a["y"]
        )
        assert apart, f"{one['title']} lies on {other['title']}"
    assert [panel["gridPos"]["y"] for panel in PANELS] == sorted(panel["gridPos"]["y"] for panel in PANELS)


def test_panels_say_each_thing_once() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    titles = [panel["title"] for panel in PANELS]
    assert [title for title in titles if titles.count(title) > 1] == []
    for panel in PANELS:
        refs = [target["refId"] for target in panel.get("targets", ())]
        assert len(set(refs)) == len(refs)


def test_variables_are_there_and_used() -> None:
    written = json.dumps(PANELS)
    used = set(re.findall(r"\$(\w+)", written)) - {name.removeprefix("$") for name in OF_GRAFANA}
    assert used == VARIABLES.keys()
    assert len(of_variables()) == len(VARIABLES)


def test_the_dashboard_asks_sources_that_there_are() -> None:
    there = {one["uid"]: one["type"] for one in read("grafana/datasources.yaml")["datasources"]}
    asked = [panel["datasource"] for panel in PANELS if "datasource" in panel]
    asked += [target["datasource"] for panel in PANELS for target in panel.get("targets", ())]
    asked += [one["datasource"] for one in VARIABLES.values()]
    assert {one["uid"]: one["type"] for one in asked} == there
    assert DASHBOARD["uid"] == "sostenuto"


def test_each_part_asks_the_others_where_they_are(services: dict[str, Any]) -> None:
    env = services["worker"]["environment"]
    (job,) = read("prometheus.yaml")["scrape_configs"]
    (found,) = job["dns_sd_configs"]
    assert found["names"] == ["worker"]
    assert env["SOSTENUTO_METRICS"] == f"0.0.0.0:{found['port']}"
    collector = read("collector.yaml")
    listens = collector["receivers"]["otlp"]["protocols"]["http"]["endpoint"]
    assert env["OTEL_EXPORTER_OTLP_ENDPOINT"] == f"http://collector:{listens.rpartition(':')[2]}"
    tempo = read("tempo.yaml")
    takes = tempo["distributor"]["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"]
    assert collector["exporters"]["otlp/tempo"]["endpoint"] == f"tempo:{takes.rpartition(':')[2]}"
    urls = {one["uid"]: one["url"] for one in read("grafana/datasources.yaml")["datasources"]}
    assert urls == {
        "prometheus": "http://prometheus:9090",
        "tempo": f"http://tempo:{tempo['server']['http_listen_port']}",
    }
    hosts = {url.split("/")[-1].partition(":")[0] for url in urls.values()} | {"collector", "worker"}
    assert hosts <= services.keys()


def test_the_collector_names_what_it_has() -> None:
    collector = read("collector.yaml")
    pipelines = collector["service"]["pipelines"]
    assert pipelines.keys() == {"traces", "metrics"}
    for kind in ("receivers", "processors", "exporters"):
        named_there = {one for pipeline in pipelines.values() for one in pipeline.get(kind, ())}
        assert named_there == collector[kind].keys()


def test_files_are_mounted_where_they_are_looked_for(services: dict[str, Any]) -> None:
    prometheus = {mount["target"] for mount in services["prometheus"]["volumes"]}
    assert set(read("prometheus.yaml")["rule_files"]) <= prometheus
    assert "--config.file=/etc/prometheus/prometheus.yml" in services["prometheus"]["command"]
    (provider,) = read("grafana/dashboards.yaml")["providers"]
    grafana = services["grafana"]
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home in {mount["target"] for mount in grafana["volumes"]}
    assert home.startswith(provider["options"]["path"])


def test_alerts_say_what_to_do() -> None:
    alerts = [rule for rule in rules() if "alert" in rule]
    assert len(alerts) > 5
    for alert in alerts:
        assert alert["labels"]["severity"] in {"page", "ticket"}
        assert alert["annotations"].keys() == {"summary", "description"}


def test_without_it_a_worker_publishes_nothing() -> None:
    command = [str(files("compose") / "docker-compose"), "config", "--format", "json"]
    env = {"PATH": "/usr/bin:/bin", "HOME": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)["services"]
    assert not {"collector", "tempo", "prometheus", "grafana"} & found.keys()
    assert not found["worker"]["environment"]["SOSTENUTO_METRICS"]
