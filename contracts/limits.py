"""Sizes that the server holds a run to, in one place."""

from __future__ import annotations

from typing import Final

OFFLOADED_BYTES: Final = 256 * 1024
"""Payloads from this size on leave the history where there is a payload directory."""
