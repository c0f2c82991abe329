"""The stage of the patterns' tests: every workflow task replays the whole history."""

from __future__ import annotations

from tests.integration.patterns.conftest import cached_runs, play, serve

__all__ = ["cached_runs", "play", "serve"]
