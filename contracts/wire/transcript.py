"""A transcript in pages, as a workflow tells it when it is asked."""

from __future__ import annotations

from typing import Any

from pydantic import FieldSerializationInfo, SerializerFunctionWrapHandler, field_serializer, field_validator

from ..contract import Contract
from ..head import Head
from ..message import Message
from ..packed import unpack, written_packed
from .retrieval import Passage


class TranscriptQuery(Contract):
    """Asks a running workflow for a page of one transcript."""

    transcript: str
    start: int = 0
    """Index of the first message wanted."""
    stop: int
    """Index after the last message wanted."""
    with_passages: bool = False
    """Whether what searches found is wanted, too."""
    max_bytes: int = 700_000
    """Bound of the page. A page always has at least one message."""


class TranscriptPage(Contract):
    """A page of a transcript."""

    head: Head | None = None
    """Only on the first page."""
    messages: tuple[Message, ...] = ()
    passages: tuple[Passage, ...] = ()
    """What searches found, where it was asked for. Packed, as the messages have it, too."""

    @field_serializer("passages", mode="wrap", when_used="json")
    def _pack(self, passages: Any, handler: SerializerFunctionWrapHandler, info: FieldSerializationInfo) -> Any:
        return written_packed(passages, handler, info)

    _unpack = field_validator("passages", mode="before")(unpack)
