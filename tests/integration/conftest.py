"""The servers that several folders of integration tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client as TemporalClient

from tests.dev_server import dev_server


@pytest.fixture(scope="session")
async def impatient() -> AsyncIterator[TemporalClient]:
    """A server that suggests to continue as new after 50 events already."""
    async with await dev_server(limit__historyCount__suggestContinueAsNew=50) as environment:
        yield environment.client
