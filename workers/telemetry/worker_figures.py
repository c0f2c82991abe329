"""Figures that a worker keeps of itself.

They are read when somebody asks for its metrics, and cost nothing before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from ...activities.call.live import Live
from ...activities.transcript_cache import TranscriptCache
from .follower import Follower
from .sending.span_queue import SpanQueue

Read = Callable[[], Iterable[Observation]]
"""Returns a figure as it is now, once for each value of its labels."""


class _Figure(NamedTuple):
    name: str
    unit: str
    description: str
    read: Read


def publish_figures(
    meter: Meter, *, cache: TranscriptCache, live: Live, follower: Follower, queues: Sequence[SpanQueue]
) -> None:
    """Publish what a worker's parts count.

    Args:
        meter: Where.
        cache: Its memory of transcripts.
        live: What tells those who watch what calls say.
        follower: What reads the histories of its runs.
        queues: What waits to be sent, for each destination.
    """
    for figure in _counts(cache, live, queues):
        name, unit, description, read = figure
        meter.create_observable_counter(name, [_observed(read)], unit, description)
    for figure in _states(follower, queues):
        name, unit, description, read = figure
        meter.create_observable_gauge(name, [_observed(read)], unit, description)


def _counts(cache: TranscriptCache, live: Live, queues: Sequence[SpanQueue]) -> Iterator[_Figure]:
    hits = "Model calls whose transcript this worker had."
    yield _Figure("sostenuto.transcripts.hits", "{call}", hits, lambda: [Observation(cache.hits)])
    misses = "Model calls whose transcript it asked for."
    yield _Figure("sostenuto.transcripts.misses", "{call}", misses, lambda: [Observation(cache.misses)])
    dropped = "What calls said that was lost to those who watch."
    yield _Figure("sostenuto.live.dropped", "{frame}", dropped, lambda: [Observation(live.dropped)])
    sent = _of_each(queues, lambda queue: queue.done - queue.dropped)
    yield _Figure("sostenuto.spans.sent", "{span}", "Spans that a destination took.", sent)
    lost = _of_each(queues, lambda queue: queue.dropped)
    yield _Figure("sostenuto.spans.dropped", "{span}", "Spans that were given up.", lost)


def _states(follower: Follower, queues: Sequence[SpanQueue]) -> Iterator[_Figure]:
    runs = "Runs and chats whose histories this worker reads."
    yield _Figure("sostenuto.followed_runs", "{run}", runs, lambda: [Observation(follower.open_runs)])
    waiting = _of_each(queues, lambda queue: queue.waiting)
    yield _Figure("sostenuto.spans.waiting", "{span}", "Spans that wait to be sent.", waiting)
    up = _of_each(queues, lambda queue: int(queue.is_up))
    yield _Figure("sostenuto.destination.up", "1", "Whether a destination takes spans: 1 or 0.", up)


def _of_each(queues: Sequence[SpanQueue], read: Callable[[SpanQueue], int]) -> Read:
    return lambda: [Observation(read(queue), {"sostenuto.destination": queue.name}) for queue in queues]


def _observed(read: Read) -> Callable[[CallbackOptions], Iterable[Observation]]:
    return lambda _: read()
