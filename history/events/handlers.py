"""Reads a history event by several readers, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import TypeAlias

from ...contracts.wire.event import Event
from .history_event import RecordedEvent

Handler: TypeAlias = Callable[[RecordedEvent], Iterator[Event]]
Handlers: TypeAlias = Mapping[int, Handler]
"""What reads which type of history event."""


def one_after_another(*some: Handlers) -> Handlers:
    """Return what reads events as all of them do."""
    return {kind: _chained([one[kind] for one in some if kind in one]) for one in some for kind in one}


def _chained(readers: list[Handler]) -> Handler:
    return lambda recorded: chain.from_iterable(reader(recorded) for reader in readers)
