"""The queries of the dashboard and of the alert rules, and what each of them names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import promql_parser
import yaml

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "deploy" / "watching"
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "grafana" / "dashboard.json").read_text())
VARIABLES = {one["name"]: one for one in DASHBOARD["templating"]["list"]}
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]

OF_GRAFANA = {"$__rate_interval": "5m", "$__range": "1h"}
OF_PROMETHEUS = {"job", "instance", "le"}
"""Labels that are not a worker's to give, but for the bucket of a histogram."""
_VALUES = re.compile(r"label_values\((\w+), (\w+)\)")


class Query(NamedTuple):
    """An expression, and where it stands."""

    place: str
    expression: str


class Named(NamedTuple):
    """A metric that a query asks for, and the labels by which it does."""

    metric: str
    labels: frozenset[str]


def read(name: str) -> Any:
    """What a file of YAML says."""
    return yaml.safe_load((FOLDER / name).read_text())


def rules() -> list[dict[str, Any]]:
    """All rules, for alerts and for figures."""
    return [rule for group in read("alerts.yaml")["groups"] for rule in group["rules"]]


def panel_queries() -> Iterator[Query]:
    """What the panels ask Prometheus, as Grafana sends it when all is chosen."""
    for panel in PANELS:
        for target in panel.get("targets", ()):
            if "expr" in target:
                yield Query(panel["title"], _filled(target["expr"]))


def queries() -> list[Query]:
    """What panels and rules ask."""
    return [*panel_queries(), *(Query(rule.get("alert") or rule["record"], rule["expr"]) for rule in rules())]


def named(expression: str) -> list[Named]:
    """What an expression asks for. Labels that it groups by are asked of everything within.

    Raises:
        ValueError: It is no PromQL.
    """
    found: list[Named] = []
    grouped: list[frozenset[str]] = []

    def enter(part: promql_parser.Expr) -> None:
        if isinstance(part, promql_parser.AggregateExpr):
            grouped.append(frozenset(part.modifier.labels if part.modifier else ()))
        if isinstance(part, promql_parser.VectorSelector):
            asked = {matcher.name for matcher in part.matchers.matchers}
            found.append(Named(str(part.name), frozenset(asked).union(*grouped)))

    def leave(part: promql_parser.Expr) -> None:
        if isinstance(part, promql_parser.AggregateExpr):
            grouped.pop()

    promql_parser.walk(promql_parser.parse(expression), enter, leave)
    return found


def of_variables() -> list[Named]:
    """What the choices of the dashboard's variables are read from."""
    found = [_VALUES.fullmatch(one["definition"]) for one in VARIABLES.values()]
    return [Named(one[1], frozenset({one[2]})) for one in found if one]


def _filled(expression: str) -> str:
    for name, value in OF_GRAFANA.items():
        expression = expression.replace(name, value)
    return re.sub(rf"\$({'|'.join(VARIABLES)})\b", ".*", expression)
