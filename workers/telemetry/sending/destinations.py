"""Where spans are sent: what `SOSTENUTO_TELEMETRY` names.

Each with its own settings.

Sources: OpenTelemetry's exporter specification (`OTEL_EXPORTER_OTLP_*`), and the documentation of Phoenix, Langfuse and
LangSmith on what they take over OTLP.
"""

from __future__ import annotations

import base64
import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from ....contracts.errors import SetupError
from ...service_settings import checked_url
from .forms import SpanForm, langfuse_form, langsmith_form, openinference_form, plain_form

NAMES: Final = ("otlp", "phoenix", "langfuse", "langsmith", "console", "file")
"""What `SOSTENUTO_TELEMETRY` can name."""

_TRACES: Final = "/v1/traces"
_HEADER_NAME: Final = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")


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
    said = {key: environ.get(f"OTEL_EXPORTER_OTLP_TRACES_{key}", "") for key in ("ENDPOINT", "PROTOCOL")}
    base = environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or "http://localhost:4318"
    name = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" if said["ENDPOINT"] else "OTEL_EXPORTER_OTLP_ENDPOINT"
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
        seconds = 0.0
    if not 0 < seconds < inf:
        raise SetupError(f"OTEL_EXPORTER_OTLP_TIMEOUT={timeout!r} is no number of seconds above zero")
    return Destination(
        "otlp",
        _address(name, said["ENDPOINT"] or base.rstrip("/") + _TRACES),
        _headers("OTEL_EXPORTER_OTLP_HEADERS", environ) | _headers("OTEL_EXPORTER_OTLP_TRACES_HEADERS", environ),
        timeout_seconds=seconds,
        certificate=_certificate(environ),
    )


def _certificate(environ: Mapping[str, str]) -> str:
    for name in ("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"):
        if path := environ.get(name):
            try:
                ssl.create_default_context(cafile=path)
            except OSError as error:
                raise SetupError(f"{name}={path}: no certificates can be read there ({error.strerror})") from error
            return path
    return ""


def _headers(variable: str, environ: Mapping[str, str]) -> dict[str, str]:
    headers = {}
    for pair in environ.get(variable, "").split(","):
        key, equals, value = pair.partition("=")
        name = unquote(key.strip()).lower()
        if pair.strip() and not (equals and _HEADER_NAME.fullmatch(name)):
            raise SetupError(f"{variable}: write NAME=VALUE,NAME=VALUE")
        if pair.strip():
            headers[name] = _header(variable, unquote(value.strip()))
    return headers


def _header(variable: str, value: str) -> str:
    """Refuse what no request can carry, without quoting it: it may be a key."""
    odd = next((index for index, char in enumerate(value, 1) if not " " <= char <= "~"), 0)
    if odd:
        raise SetupError(
            f"{variable}: character {odd} of {len(value)} cannot be sent (it is a line break, or no ASCII)"
        )
    return value


def _phoenix(environ: Mapping[str, str]) -> Destination:
    base = environ.get("PHOENIX_COLLECTOR_ENDPOINT") or "http://localhost:6006"
    key = _header("PHOENIX_API_KEY", environ.get("PHOENIX_API_KEY", "").strip())
    return Destination(
        "phoenix",
        _address("PHOENIX_COLLECTOR_ENDPOINT", base.rstrip("/").removesuffix(_TRACES) + _TRACES),
        {"authorization": f"Bearer {key}"} if key else {},
        {"openinference.project.name": environ.get("PHOENIX_PROJECT_NAME") or "sostenuto"},
        openinference_form,
    )


def _langfuse(environ: Mapping[str, str]) -> Destination:
    named = "LANGFUSE_HOST" if environ.get("LANGFUSE_HOST") else "LANGFUSE_BASE_URL"
    host = environ.get(named) or "https://cloud.langfuse.com"
    keys = ":".join(_needed("langfuse", f"LANGFUSE_{which}_KEY", environ) for which in ("PUBLIC", "SECRET"))
    return Destination(
        "langfuse",
        _address(named, f"{host.rstrip('/')}/api/public/otel{_TRACES}"),
        {
            "authorization": f"Basic {base64.b64encode(keys.encode()).decode()}",
            "x-langfuse-ingestion-version": "4",
        },
        form=langfuse_form,
    )


def _langsmith(environ: Mapping[str, str]) -> Destination:
    base = environ.get("LANGSMITH_ENDPOINT") or "https://api.smith.langchain.com"
    headers = {"x-api-key": _needed("langsmith", "LANGSMITH_API_KEY", environ)}
    for variable, header in (("LANGSMITH_PROJECT", "langsmith-project"), ("LANGSMITH_WORKSPACE_ID", "x-tenant-id")):
        if value := environ.get(variable, "").strip():
            headers[header] = _header(variable, value)
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
    return _header(variable, value)


def _address(variable: str, url: str) -> str:
    try:
        return checked_url(url)
    except ValueError as error:
        raise SetupError(f"{variable}: {error}") from None
