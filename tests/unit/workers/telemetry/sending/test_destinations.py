"""Each destination is set by its own variables; what is missing or wrong is said in one message that quotes no key."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from sostenuto.contracts.errors import SetupError
from sostenuto.workers.telemetry.sending.destinations import NAMES, Destination, destination
from sostenuto.workers.telemetry.sending.forms import langfuse_form, langsmith_form, openinference_form, plain_form

STATE = Path("state")
KEY = "key-that-nobody-sees"
KEYS = {"LANGFUSE_PUBLIC_KEY": "pk", "LANGFUSE_SECRET_KEY": KEY}


def _of(name: str, **environ: str) -> Destination:
    return destination(name, STATE, environ)


def test_otlp_as_opentelemetry_names_its_variables() -> None:
    assert _of("otlp").url == "http://localhost:4318/v1/traces"
    assert _of("otlp", OTEL_EXPORTER_OTLP_ENDPOINT="https://c.example/base/").url == "https://c.example/base/v1/traces"
    whole = _of("otlp", OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="https://c.example/spans", OTEL_EXPORTER_OTLP_ENDPOINT="x")
    assert whole.url == "https://c.example/spans"
    told = _of(
        "otlp",
        OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer%20a%3Db, x-one = 1,",
        OTEL_EXPORTER_OTLP_TRACES_HEADERS="x-one=2",
        OTEL_EXPORTER_OTLP_TIMEOUT="20",
        OTEL_EXPORTER_OTLP_TRACES_TIMEOUT="2.5",
        OTEL_EXPORTER_OTLP_TRACES_PROTOCOL="http/protobuf",
        OTEL_EXPORTER_OTLP_PROTOCOL="grpc",
    )
    assert told.headers == {"authorization": "Bearer a=b", "x-one": "2"}
    assert (told.timeout_seconds, told.certificate, told.form) == (2.5, "", plain_form)


def test_phoenix() -> None:
    there = _of("phoenix")
    assert (there.url, there.headers) == ("http://localhost:6006/v1/traces", {})
    assert (there.resource, there.form) == ({"openinference.project.name": "sostenuto"}, openinference_form)
    named = _of(
        "phoenix",
        PHOENIX_COLLECTOR_ENDPOINT="https://p.example/s/team/v1/traces",
        PHOENIX_API_KEY=f" {KEY}\n",
        PHOENIX_PROJECT_NAME="desk",
    )
    assert named.url == "https://p.example/s/team/v1/traces"
    assert named.headers == {"authorization": f"Bearer {KEY}"}
    assert named.resource == {"openinference.project.name": "desk"}


def test_langfuse() -> None:
    there = _of("langfuse", **KEYS)
    assert there.url == "https://cloud.langfuse.com/api/public/otel/v1/traces"
    assert base64.b64decode(there.headers["authorization"].removeprefix("Basic ")).decode() == f"pk:{KEY}"
    assert (there.headers["x-langfuse-ingestion-version"], there.form) == ("4", langfuse_form)
    for name in ("LANGFUSE_HOST", "LANGFUSE_BASE_URL"):
        own = _of("langfuse", **KEYS, **{name: "http://127.0.0.1:3000/"})
        assert own.url == "http://127.0.0.1:3000/api/public/otel/v1/traces"


def test_langsmith() -> None:
    there = _of("langsmith", LANGSMITH_API_KEY=KEY)
    assert there.url == "https://api.smith.langchain.com/otel/v1/traces"
    assert (there.headers, there.form) == ({"x-api-key": KEY}, langsmith_form)
    more = {"LANGSMITH_PROJECT": "My desk", "LANGSMITH_WORKSPACE_ID": "w-1"}
    for own in ("https://ai.example/api/v1", "https://ai.example/api/v1/otel/"):
        there = _of("langsmith", LANGSMITH_API_KEY=KEY, LANGSMITH_ENDPOINT=own, **more)
        assert there.url == "https://ai.example/api/v1/otel/v1/traces"
        assert there.headers == {"x-api-key": KEY, "langsmith-project": "My desk", "x-tenant-id": "w-1"}


def test_what_writes_here() -> None:
    assert _of("console") == Destination("console")
    assert _of("file").path == STATE / "telemetry.jsonl"
    assert _of("file", SOSTENUTO_TELEMETRY_FILE="~/spans.jsonl").path == Path("~/spans.jsonl").expanduser()


WRONG = [
    ("jaeger", {}, "SOSTENUTO_TELEMETRY: there is no 'jaeger': name some of otlp, phoenix"),
    ("otlp", {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc: only http/protobuf"),
    ("otlp", {"OTEL_EXPORTER_OTLP_TIMEOUT": "10s"}, "OTEL_EXPORTER_OTLP_TIMEOUT='10s' is no number of seconds"),
    ("otlp", {"OTEL_EXPORTER_OTLP_TIMEOUT": "0"}, "OTEL_EXPORTER_OTLP_TIMEOUT='0' is no number of seconds above"),
    ("otlp", {"OTEL_EXPORTER_OTLP_TIMEOUT": "nan"}, "OTEL_EXPORTER_OTLP_TIMEOUT='nan' is no number"),
    ("otlp", {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"}, "OTEL_EXPORTER_OTLP_ENDPOINT: .* is not an address"),
    ("otlp", {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "c"}, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'c' is not an address"),
    ("otlp", {"OTEL_EXPORTER_OTLP_HEADERS": KEY}, "OTEL_EXPORTER_OTLP_HEADERS: write NAME=VALUE"),
    ("otlp", {"OTEL_EXPORTER_OTLP_HEADERS": f"a b={KEY}"}, "OTEL_EXPORTER_OTLP_HEADERS: write NAME=VALUE"),
    ("otlp", {"OTEL_EXPORTER_OTLP_HEADERS": f"a={KEY}%0A"}, "OTEL_EXPORTER_OTLP_HEADERS: character 21 of 21 cannot"),
    (
        "otlp",
        {"OTEL_EXPORTER_OTLP_CERTIFICATE": "/nowhere.pem"},
        "OTEL_EXPORTER_OTLP_CERTIFICATE=/nowhere.pem: no cert",
    ),
    ("phoenix", {"PHOENIX_COLLECTOR_ENDPOINT": "ftp://p"}, "PHOENIX_COLLECTOR_ENDPOINT: .* is not an address"),
    ("phoenix", {"PHOENIX_API_KEY": f"{KEY}é"}, "PHOENIX_API_KEY: character 21 of 21 cannot be sent"),
    ("langfuse", {}, "SOSTENUTO_TELEMETRY names langfuse, which needs LANGFUSE_PUBLIC_KEY"),
    ("langfuse", {"LANGFUSE_PUBLIC_KEY": "pk"}, "names langfuse, which needs LANGFUSE_SECRET_KEY"),
    ("langfuse", {**KEYS, "LANGFUSE_SECRET_KEY": " "}, "names langfuse, which needs LANGFUSE_SECRET_KEY"),
    ("langfuse", {**KEYS, "LANGFUSE_BASE_URL": "l"}, "LANGFUSE_BASE_URL: .* is not an address"),
    ("langfuse", {**KEYS, "LANGFUSE_HOST": "l"}, "LANGFUSE_HOST: .* is not an address"),
    ("langsmith", {}, "SOSTENUTO_TELEMETRY names langsmith, which needs LANGSMITH_API_KEY"),
    ("langsmith", {"LANGSMITH_API_KEY": KEY, "LANGSMITH_ENDPOINT": "l"}, "LANGSMITH_ENDPOINT: .* is not an address"),
    ("langsmith", {"LANGSMITH_API_KEY": KEY, "LANGSMITH_PROJECT": "Bücher"}, "LANGSMITH_PROJECT: character 2 of 6"),
]


@pytest.mark.parametrize(("name", "environ", "told"), WRONG)
def test_what_is_missing_or_wrong_is_named(name: str, environ: dict[str, str], told: str) -> None:
    with pytest.raises(SetupError, match=told) as raised:
        destination(name, STATE, environ)
    assert KEY not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_no_key_is_shown_by_mistake() -> None:
    keys = {**KEYS, "LANGSMITH_API_KEY": KEY, "PHOENIX_API_KEY": KEY, "OTEL_EXPORTER_OTLP_HEADERS": f"x={KEY}"}
    for name in NAMES:
        shown = repr(destination(name, STATE, keys))
        assert KEY not in shown
        assert base64.b64encode(f"pk:{KEY}".encode()).decode() not in shown
