"""Activities called as a worker calls them, without a server of Temporal."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from sostenuto import Effect
from sostenuto.activities.mcp import McpActivities
from sostenuto.activities.mcp_session import McpSession
from sostenuto.activities.transcript_cache import TranscriptCache
from sostenuto.contracts import names
from sostenuto.contracts.wire.mcp_call import McpCatalogue, McpCatalogueCall, McpInvocation
from sostenuto.contracts.wire.tool_call import ToolOutput
from tests.patience import PATIENCE_SECONDS


class Caller:
    """A worker's MCP activities, each called in an activity environment of its own."""

    def __init__(self, sessions: dict[str, McpSession]) -> None:
        self.cache = TranscriptCache()
        self.activities = McpActivities(sessions, self.cache)
        self.heartbeats: list[tuple[Any, ...]] = []

    async def catalogue(self, server: str = "fake", *, attempt: int = 1) -> McpCatalogue:
        return await self.environment(attempt).run(self.activities.catalogue, McpCatalogueCall(server=server))

    async def patient_catalogue(self) -> McpCatalogue:
        """The catalogue of a server that may take longer to start, or to answer, than one call may take."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                try:
                    return await self.catalogue()
                except ApplicationError as error:
                    assert not error.non_retryable  # noqa: PT017 - anything else is a failure

    async def failed_catalogue(self) -> ApplicationError:
        """The failure that asking for the catalogue ends in."""
        with pytest.raises(ApplicationError) as caught:
            await self.catalogue()
        return caught.value

    async def call(
        self, tool: str, *, server: str = "fake", effect: Effect = Effect.READ, attempt: int = 1, **arguments: Any
    ) -> ToolOutput:
        return await self.environment(attempt).run(
            self.activities.call, invocation(tool, arguments, server=server, effect=effect)
        )

    async def ready(self, server: str = "fake") -> int:
        """The server's process, once it is up: on a busy machine that may take longer than one call may take."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                try:
                    return int((await self.call("pid", server=server)).content)
                except ApplicationError as error:
                    late = ("was not ready within", "did not answer within")
                    assert any(words in error.message for words in late)  # noqa: PT017 - anything else is a failure

    async def repeated(self, tool: str) -> ToolOutput:
        """The output of a call that is repeated as long as its failures say that it may be."""
        for attempt in count(1):
            try:
                return await self.call(tool, attempt=attempt)
            except ApplicationError as error:
                if error.non_retryable:
                    raise
        raise AssertionError

    async def failure(self, tool: str, **options: Any) -> ApplicationError:
        """The failure that the call ends in."""
        with pytest.raises(ApplicationError) as caught:
            await self.call(tool, **options)
        assert caught.value.type in (names.TOOL_FAILED, names.NOT_SERVED)
        return caught.value

    def environment(self, attempt: int = 1) -> ActivityEnvironment:
        environment = ActivityEnvironment()
        # A later attempt asks the server of Temporal to let another worker take the run; a local one cannot.
        environment.info = replace(environment.info, attempt=attempt, is_local=attempt > 1)
        environment.on_heartbeat = lambda *details: self.heartbeats.append(details)
        return environment


def invocation(
    tool: str, arguments: dict[str, Any], *, server: str = "fake", effect: Effect = Effect.READ
) -> McpInvocation:
    return McpInvocation(
        call_id="call-1", reply="reply-1", arguments=arguments, server=server, tool=tool, name=tool, effect=effect
    )
