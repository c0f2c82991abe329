"""What a worker logs, as one JSON object a line, with what it is about.

So that a log can be searched by run, and stands beside the spans of the same trace.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import IO, Any

from temporalio import activity, workflow

from ..connection.tracing import current_span
from ..contracts.text import printable
from ..contracts.wire.places import ActivityId
from .failure_lines import tell_failures
from .settings import Settings
from .telemetry.disclosure import Disclosure

_OWN = "sostenuto"


def set_up_logs(settings: Settings, stream: IO[str] | None = None) -> None:
    """Have this process log as its settings say, and tell failures in few words.

    Args:
        settings: Say how.
        stream: Where to. Default: standard error.
    """
    tell_failures()
    safe, root = Disclosure(secrets=settings.secrets()).safe, logging.getLogger()
    handler = logging.StreamHandler(stream or sys.stderr)
    if settings.logs == "json":
        handler.setFormatter(JsonLines(safe))
        root.handlers = [handler]
        root.setLevel(logging.WARNING)
        logging.getLogger(_OWN).setLevel(logging.INFO)
    elif not root.handlers:
        # Of an app that set up its own, the logs are its own.
        handler.setLevel(logging.WARNING)
        handler.setFormatter(TextLines(safe))
        root.addHandler(handler)


class TextLines(logging.Formatter):
    """Writes a record as text, in which nothing orders a terminal about.

    Args:
        safe: Takes out of a text what must not leave.
    """

    def __init__(self, safe: Callable[[str], str]) -> None:
        super().__init__("%(message)s")
        self._safe = safe

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines."""
        return "\n".join(map(printable, self._safe(super().format(record)).expandtabs().split("\n")))


class JsonLines(logging.Formatter):
    """Writes a record as a line of JSON.

    It has `time` (UTC, ISO 8601), `level`, `logger`, `message`, and where they are known `run_id`, `path`, `call`,
    `attempt`, `trace_id`, `span_id` and `error` (a traceback).

    Args:
        safe: Takes out of a text what must not leave.
    """

    def __init__(self, safe: Callable[[str], str]) -> None:
        super().__init__()
        self._safe = safe

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._safe(record.getMessage()),
            **dict(_about()),
        }
        if record.exc_text or record.exc_info:
            # Where there is a text already, it was made by `failure_lines`, or by a handler before this one.
            text = record.exc_text or self.formatException(record.exc_info or (None, None, None))
            said["error"] = self._safe(text)
        return json.dumps(said, ensure_ascii=True)


def _about() -> Iterator[tuple[str, str | int]]:
    """Yield what the code that logs is at work on."""
    if activity.in_activity():
        info = activity.info()
        yield "run_id", info.workflow_id or ""
        call = ActivityId.parse(info.activity_id)
        yield "path", str(call.place)
        yield "call", call.step
        yield "attempt", info.attempt
        if span := current_span():
            yield "trace_id", f"{span.trace_id:032x}"
            yield "span_id", f"{span.span_id:016x}"
    elif workflow.in_workflow():
        yield "run_id", workflow.info().workflow_id
