"""Which ledgers a workflow waits for, as its timers tell it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.converter import DataConverter

from ...contracts import names
from ...history.events.history_event import RecordedEvent
from ...history.reading.follow import decoded

_CUT: Final = "…"


def ledger_of_timer(recorded: RecordedEvent) -> str:
    """Return which ledger's answer a timer is for that began.

    Empty: it is for something else. The end of a long name may be cut: see `how_to_see`.
    """
    metadata = recorded.event.user_metadata
    summary = recorded.json(metadata.summary) if metadata.HasField("summary") else None
    if not isinstance(summary, str) or not summary.startswith(names.LEDGER_ANSWER):
        return ""
    return summary.removeprefix(names.LEDGER_ANSWER)


def how_to_see(ledger: str) -> str:
    """Return the command that shows who has what of a ledger, and who waits."""
    if ledger.endswith(_CUT):
        return f"sostenuto ledger ls {shlex.quote(ledger.removesuffix(_CUT))}"
    return f"sostenuto ledger show {shlex.quote(ledger)}"


async def ledgers_awaited(
    events: Sequence[HistoryEvent], converter: DataConverter, begun_by: datetime
) -> Sequence[str]:
    """Return the names of the ledgers that a workflow waits for, each once.

    Args:
        events: The last ones of its history, the newest first.
        converter: Opens what they say.
        begun_by: Those are left out that it has waited for only since then.
    """
    over: set[str] = set()
    found: dict[str, None] = {}
    for event in events:
        if event.event_type == EventType.EVENT_TYPE_TIMER_FIRED:
            over.add(event.timer_fired_event_attributes.timer_id)
        elif event.event_type == EventType.EVENT_TYPE_TIMER_CANCELED:
            over.add(event.timer_canceled_event_attributes.timer_id)
        elif event.event_type == EventType.EVENT_TYPE_TIMER_STARTED:
            began = RecordedEvent(event, "", converter)
            is_open = event.timer_started_event_attributes.timer_id not in over
            if is_open and began.at <= begun_by and (name := await _read(began, converter)):
                found[name] = None
    return [*found]


async def _read(began: RecordedEvent, converter: DataConverter) -> str:
    try:
        await decoded(began.event, converter)
        return ledger_of_timer(began)
    except Exception:  # noqa: BLE001 - a codec of somebody's: what cannot be read names no ledger
        return ""
