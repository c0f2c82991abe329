"""Each test serves its own app, once with every step replayed from the history and once as in production."""

from __future__ import annotations

from tests.integration.agent.conftest import serve

__all__ = ["serve"]
