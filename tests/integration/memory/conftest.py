"""Each test serves its own app, as in production; where it says so, with every step replayed from the history."""

from __future__ import annotations

import pytest

from tests.integration.agent.conftest import serve

__all__ = ["serve"]


@pytest.fixture
def cached_runs() -> int:
    """Runs that the worker keeps in memory: with none, every step is replayed from the history."""
    return 100
