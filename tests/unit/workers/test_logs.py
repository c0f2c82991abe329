"""A worker's log in JSON says what it is about, and none of its keys."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
from opentelemetry import context, trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags
from pydantic import SecretStr
from temporalio import activity
from temporalio.testing import ActivityEnvironment

from sostenuto.workers.logs import set_up_logs
from sostenuto.workers.settings import Settings

KEY = "sk-planted-0123456789"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root, own = logging.getLogger(), logging.getLogger("sostenuto")
    before = root.handlers, root.level, own.level
    stream = io.StringIO()
    set_up_logs(Settings(logs="json", openai_api_key=SecretStr(KEY)), stream)
    yield stream
    root.handlers = before[0]
    root.setLevel(before[1])
    own.setLevel(before[2])


def _lines(log: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_a_line_is_one_object_without_keys(log: io.StringIO) -> None:
    logging.getLogger("sostenuto.a").info("the key is %s\nand more", KEY)
    logging.getLogger("other").info("not told")
    try:
        raise ValueError(KEY)
    except ValueError:
        logging.getLogger("other").exception("it failed")
    first, second = _lines(log)
    assert first["message"] == "the key is [secret]\nand more"
    assert (first["level"], first["logger"]) == ("info", "sostenuto.a")
    assert str(second["error"]).endswith("ValueError: [secret]")
    assert KEY not in log.getvalue()


async def test_a_call_says_which_run_it_is_of(log: io.StringIO) -> None:
    environment = ActivityEnvironment()
    environment.info = activity.Info(
        **{**vars(environment.info), "activity_id": "desk/clerk:call_1", "workflow_id": "desk-1/clerk", "attempt": 2}
    )

    async def call() -> None:
        here = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
        token = context.attach(trace.set_span_in_context(NonRecordingSpan(here)))
        logging.getLogger("shop").warning("slow")
        context.detach(token)

    await environment.run(call)
    (line,) = _lines(log)
    assert (line["run_id"], line["path"], line["call"], line["attempt"]) == ("desk-1/clerk", "desk/clerk", "call_1", 2)
    assert (line["trace_id"], line["span_id"]) == (f"{1:032x}", f"{2:016x}")


def test_a_text_has_no_keys_and_no_orders_to_a_terminal(log: io.StringIO) -> None:
    root, text = logging.getLogger(), io.StringIO()
    root.handlers = []
    set_up_logs(Settings(openai_api_key=SecretStr(KEY)), text)
    logging.getLogger("other").info("not told")
    logging.getLogger("other").warning("a \x1b[31mred %s\nand more", KEY)
    assert text.getvalue() == "a \N{REPLACEMENT CHARACTER}[31mred [secret]\nand more\n"


def test_an_app_that_logs_in_its_own_way_is_left_to_it(log: io.StringIO) -> None:
    root = logging.getLogger()
    root.handlers = [own := logging.NullHandler()]
    set_up_logs(Settings())
    assert root.handlers == [own]
