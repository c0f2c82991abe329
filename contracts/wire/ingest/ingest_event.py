"""The events of an ingest."""

from __future__ import annotations

from typing import Literal

from ..event_base import EventBase
from ..totals import Charged, Staged


class DocumentIngested(EventBase, Staged):
    """An ingest brought a document in."""

    type: Literal["document.ingested"] = "document.ingested"
    step: str
    """Which step of the ingest that was, such as `document-3`."""
    uri: str
    """Where it is from."""
    passages: int
    """Into how many it was cut."""
    characters: int
    """Of its text."""
    attempt: int = 1
    """How many tries it took, from 1."""
    seconds: float
    """Seconds from scheduling to the end."""
    waited_seconds: float = 0.0
    """How many of them went before the last attempt began, as of a model call."""


class DocumentFailed(EventBase, Charged):
    """An ingest could not bring a document in."""

    type: Literal["document.failed"] = "document.failed"
    step: str
    """Which step of the ingest found that out."""
    uri: str
    """Where it is from."""
    reason: str
    """Why."""
    seconds: float = 0.0
    """Seconds from scheduling to the failure; 0 of one that could not be listed."""
    attempt: int = 1
    """How many tries it took, from 1."""
    waited_seconds: float = 0.0
    """How many of the seconds went before the last attempt began, as of a model call."""
