"""Where spans are sent: what `SOSTENUTO_TELEMETRY` names.

Each with its own settings.

Sources: OpenTelemetry's exporter specification (`OTEL_EXPORTER_OTLP_*`), and the documentation of Phoenix, Langfuse and
LangSmith on what they take over OTLP.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from ....contracts.errors import SetupError
from ...service_settings import checked_url
from .forms import SpanForm, langfuse_form, langsmith_form, openinference_form, plain_form

NAMES: Final = ("otlp", "phoenix", "langfuse", "langsmith", "console", "file")
"""What `SOSTENUTO_TELEMETRY` can name."""

_TRACES: Final = "/v1/traces"


@dataclass(frozen=True, slots=True)
class Destination:
    """One of them."""

    name: str
    url: str = ""
    """Address that OTLP is posted to; empty of what writes here."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    resource: Mapping[str, str] = field(default_factory=dict)
    """What it is told of this process besides."""
    form: SpanForm = plain_form
    """Gives a span what this tool reads."""
    path: Path | None = None
    """File that is written to."""
    timeout_seconds: float = 10.0
    certificate: str = ""
    """File of the authorities that are trusted. Empty: those of the machine."""


def destination(name: str, state_dir: Path, environ: Mapping[str, str] = os.environ) -> Destination:
    """Return a destination with its settings.

    Args:
        name: One of `NAMES`.
        state_dir: Where files are written that nobody names.
        environ: The environment.

    Raises:
        SetupError: There is none of that name, or its settings lack something; says what to set.
    """
    match name:
        case "otlp":
            return _otlp(environ)
        case "phoenix":
            return _phoenix(environ)
        case "langfuse":
            return _langfuse(environ)
        case "langsmith":
            return _langsmith(environ)
        case "console":
            return Destination(name)
        case "file":
            named = environ.get("SOSTENUTO_TELEMETRY_FILE")
            return Destination(name, path=Path(named).expanduser() if named else state_dir / "telemetry.jsonl")
        case _:
            raise SetupError(f"SOSTENUTO_TELEMETRY: there is no {name!r}: name some of {', '.join(NAMES)}")


def _otlp(environ: Mapping[str, str]) -> Destination:
    said = {key: environ.get(f"OTEL_EXPORTER_OTLP_TRACES_{key}", "") for key in ("ENDPOINT", "HEADERS", "PROTOCOL")}
    base = environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or "http://localhost:4318"
    protocol = said["PROTOCOL"] or environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") or "http/protobuf"
    if protocol != "http/protobuf":
        raise SetupError(
            f"OTEL_EXPORTER_OTLP_PROTOCOL={protocol}: only http/protobuf is spoken here; "
            "collectors take it at port 4318"
        )
    timeout = environ.get("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT") or environ.get("OTEL_EXPORTER_OTLP_TIMEOUT") or "10"
    try:
        seconds = float(timeout)
    except ValueError:
        raise SetupError(f"OTEL_EXPORTER_OTLP_TIMEOUT={timeout!r} is no number of seconds") from None
    certificates = (f"OTEL_EXPORTER_OTLP_{key}CERTIFICATE" for key in ("TRACES_", ""))
    return Destination(
        "otlp",
        _address("OTEL_EXPORTER_OTLP_ENDPOINT", said["ENDPOINT"] or base.rstrip("/") + _TRACES),
        _headers(environ.get("OTEL_EXPORTER_OTLP_HEADERS", "")) | _headers(said["HEADERS"]),
        timeout_seconds=seconds,
        certificate=next((environ[name] for name in certificates if environ.get(name)), ""),
    )


def _headers(said: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in said.split(",") if "=" in pair)
    return {unquote(key.strip()).lower(): unquote(value.strip()) for key, _, value in pairs}


def _phoenix(environ: Mapping[str, str]) -> Destination:
    base = environ.get("PHOENIX_COLLECTOR_ENDPOINT") or "http://localhost:6006"
    key = environ.get("PHOENIX_API_KEY", "").strip()
    return Destination(
        "phoenix",
        _address("PHOENIX_COLLECTOR_ENDPOINT", base.rstrip("/").removesuffix(_TRACES) + _TRACES),
        {"authorization": f"Bearer {key}"} if key else {},
        {"openinference.project.name": environ.get("PHOENIX_PROJECT_NAME") or "sostenuto"},
        openinference_form,
    )


def _langfuse(environ: Mapping[str, str]) -> Destination:
    host = environ.get("LANGFUSE_HOST") or environ.get("LANGFUSE_BASE_URL") or "https://cloud.langfuse.com"
    keys = ":".join(_needed("langfuse", f"LANGFUSE_{which}_KEY", environ) for which in ("PUBLIC", "SECRET"))
    return Destination(
        "langfuse",
        _address("LANGFUSE_HOST", f"{host.rstrip('/')}/api/public/otel{_TRACES}"),
        {
            "authorization": f"Basic {base64.b64encode(keys.encode()).decode()}",
            "x-langfuse-ingestion-version": "4",
        },
        form=langfuse_form,
    )


def _langsmith(environ: Mapping[str, str]) -> Destination:
    base = environ.get("LANGSMITH_ENDPOINT") or "https://api.smith.langchain.com"
    headers = {"x-api-key": _needed("langsmith", "LANGSMITH_API_KEY", environ)}
    if project := environ.get("LANGSMITH_PROJECT"):
        headers["langsmith-project"] = project
    return Destination(
        "langsmith",
        _address("LANGSMITH_ENDPOINT", base.rstrip("/").removesuffix("/otel") + f"/otel{_TRACES}"),
        headers,
        form=langsmith_form,
    )


def _needed(name: str, variable: str, environ: Mapping[str, str]) -> str:
    value = environ.get(variable, "").strip()
    if not value:
        raise SetupError(f"SOSTENUTO_TELEMETRY names {name}, which needs {variable}")
    return value


def _address(variable: str, url: str) -> str:
    try:
        return checked_url(url)
    except ValueError as error:
        raise SetupError(f"{variable}: {error}") from None
