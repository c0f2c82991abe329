"""What the page says of a run, as JSON. Does no I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from pydantic import JsonValue

from ....contracts.message import Message
from ..shares import SHARE_WORDS, critical_path, percentages
from ..step import Trace, TraceStep

# A text is to end no element, to begin no comment, and to break no line of the script.
_MARKUP = re.compile(r"[<>&\x7f]")
_SECOND = timedelta(seconds=1)


def page_content(trace: Trace, now: datetime, told_of: str, reload_seconds: float = 0.0) -> str:
    """Return everything that the page shows, as JSON.

    It is in ASCII and may stand inside an HTML element. Steps are in a list, in the order of `TraceStep.walk`, each
    with the index of the one that it is in.

    Args:
        trace: The trace.
        now: When the histories were read.
        told_of: Where they were read, in words.
        reload_seconds: After how long the page is to be loaded anew; 0 for never.
    """
    indexed = [*_with_parents(trace.run, None)]
    index = {id(step): number for number, (step, _) in enumerate(indexed)}
    begin = trace.run.started_at
    content = {
        "begin": begin.isoformat(),
        "now": _since(begin, now),
        "written": now.isoformat(),
        "source": told_of,
        "reload": reload_seconds,
        "steps": [_step(step, parent, begin) for step, parent in indexed],
        "path": [
            [index[id(step)], _since(begin, start), _since(begin, working), _since(begin, end)]
            for step, start, working, end in critical_path(trace.run)
        ],
        "shares": _shares(trace),
    }
    written = json.dumps(content, separators=(",", ":"))
    return _MARKUP.sub(lambda found: f"\\u{ord(found.group()):04x}", written)


def _with_parents(step: TraceStep, parent: int | None) -> Iterator[tuple[TraceStep, int | None]]:
    """Yield every step with the index of the one that it is in."""
    left = [(step, parent)]
    number = 0
    while left:
        one, inside = left.pop()
        yield one, inside
        left += [(inner, number) for inner in reversed(one.steps)]
        number += 1


def _step(step: TraceStep, parent: int | None, begin: datetime) -> dict[str, Any]:
    shown = step.model_dump(mode="json", exclude={"steps", "started_at", "told", "asked", "answered", "head"})
    shown |= {"parent": parent, "at": _since(begin, step.started_at)}
    for name, value in (("asked", step.asked), ("answered", step.answered)):
        if value is not None:
            shown[name] = _value(value) if step.kind != "retrieval" else value
    if step.told:
        shown["told"] = [_message(message) for message in step.told]
    if step.head:
        head = step.head
        written = head.model_dump(mode="json", exclude={"agent", "instructions", "tools"})
        tools = [[tool.name, tool.description, _value(tool.parameters)] for tool in head.tools]
        shown["head"] = {"instructions": head.instructions, "tools": tools, "others": _value(written)}
    return shown


def _message(message: Message) -> dict[str, Any]:
    parts = []
    for part in message.parts:
        written = part.model_dump(mode="json")
        # What a program wrote is shown as it was written: a browser rounds large numbers.
        parts.append({name: _value(value) if isinstance(value, dict) else value for name, value in written.items()})
    return {"role": message.role.value, "parts": parts}


def _value(value: JsonValue) -> str | dict[str, str]:
    """Return a text as it is, and everything else as the text of its JSON."""
    return value if isinstance(value, str) else {"json": json.dumps(value, ensure_ascii=False)}


def _shares(trace: Trace) -> list[dict[str, Any]]:
    percents = dict(percentages(trace.shares))
    return [
        {"what": share.what, "words": SHARE_WORDS[share.what], "seconds": share.seconds, "percent": percent}
        for share in trace.shares
        if (percent := percents.get(share.what))
    ]


def _since(begin: datetime, at: datetime) -> float:
    return round((at - begin) / _SECOND, 6)
