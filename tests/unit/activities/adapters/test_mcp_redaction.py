"""Secrets of a server leave no trace in texts; nor does its address name any."""

from __future__ import annotations

import pytest

from sostenuto.activities.adapters.mcp.redaction import Redaction, address
from sostenuto.contracts.mcp import McpServer


@pytest.mark.parametrize(
    "server",
    [
        McpServer(command="x", env={"KEY": "s3cret-value", "LONGER": "s3cret-value-2", "DEBUG": "1"}),
        McpServer(url="https://x.test/mcp", headers={"Authorization": "Bearer s3cret-value", "X": "s3cret-value-2"}),
        McpServer(url="https://me:s3cret-value@x.test/mcp?key=s3cret-value-2"),
    ],
)
def test_no_secret_is_left(server: McpServer) -> None:
    told = Redaction(server)("1 key s3cret-value, and s3cret-value-2 (Bearer s3cret-value)")
    assert "s3cret" not in told
    assert told.startswith("1 key [redacted], and [redacted]")


def test_the_place_alone_is_named() -> None:
    assert address(McpServer(command="npx", args=["server", "--token=s3cret"])) == "npx"
    assert address(McpServer(url="https://me:pw@x.test:8000/mcp?key=1#f")) == "https://x.test:8000/mcp"
