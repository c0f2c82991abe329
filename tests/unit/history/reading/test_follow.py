"""Reading a history goes on where the server takes back what it had said comes next."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.service import RPCError, RPCStatusCode

from sostenuto.history.reading import follow as reading
from sostenuto.history.reading.follow import follow

_STALE = "Current and request branch tokens, or current and request versioned transitions, don't match."


class _Pages:
    """What a server says in turn: events, or how it refuses."""

    data_converter = DataConverter.default

    def __init__(self, *pages: list[int] | RPCError) -> None:
        self._pages = iter(pages)
        self.asked: list[bytes | None] = []
        self.current_page: list[HistoryEvent] = []
        self.current_page_index = 0
        self.next_page_token: bytes | None = None

    def get_workflow_handle(self, _: str, *, run_id: str) -> _Pages:
        assert run_id
        return self

    def fetch_history_events(self, *, next_page_token: bytes | None, **_: Any) -> _Pages:
        self.asked.append(next_page_token)
        return self

    async def __aiter__(self) -> AsyncIterator[HistoryEvent]:
        for page in self._pages:
            if isinstance(page, RPCError):
                raise page
            self.current_page = [HistoryEvent(event_id=number) for number in page]
            self.next_page_token = b"next"
            for index, event in enumerate(self.current_page, 1):
                self.current_page_index = index
                yield event


async def test_a_page_that_was_taken_back_is_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_FIRST_DELAY_SECONDS", 0.0)
    server = _Pages([1, 2], RPCError(_STALE, RPCStatusCode.INVALID_ARGUMENT, b""), [1, 2, 3])
    events = [event.event_id async for event in follow(cast("Client", server), "order-7", "run-1")]
    assert (events, server.asked) == ([1, 2, 3], [None, None])


async def test_another_refusal_is_told() -> None:
    server = _Pages([1], RPCError("no such run", RPCStatusCode.INVALID_ARGUMENT, b""))
    with pytest.raises(RPCError, match="no such run"):
        _ = [event async for event in follow(cast("Client", server), "order-7", "run-1")]
