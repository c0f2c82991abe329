"""Workers that serve chats, with and without a live channel."""

from __future__ import annotations

from tests.integration.live.conftest import serve, start_valkey, valkey

__all__ = ["serve", "start_valkey", "valkey"]
