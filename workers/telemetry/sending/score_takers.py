"""Takes scores to the tools that spans are sent to, as scores of these spans."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from ....activities.score import ScoreNotTaken, ScoreTaker
from ....connection.tracing import SpanAddress
from ....contracts.wire.feedback.score import Score, ScoreInput
from ...settings import Settings
from ..disclosure import Disclosure
from ..identity import RunIdentity
from .destinations import destination
from .score_senders import ScoreSender, score_sender_to
from .senders import Unsent


@asynccontextmanager
async def score_takers(settings: Settings) -> AsyncIterator[Mapping[str, ScoreTaker]]:
    """Yield what takes scores, by the name of the destination.

    Of the destinations of spans, those that take any.

    Args:
        settings: Say what is sent where.

    Raises:
        SetupError: A destination lacks a setting.
    """
    found = {name: score_sender_to(destination(name, settings.state_dir)) for name in settings.telemetry}
    senders = {name: sender for name, sender in found.items() if sender}
    # Whoever scores a run chose to say so: what may not leave are secrets, and persons where those are masked.
    disclosure = Disclosure(settings.telemetry_content, settings.secrets())
    try:
        yield {name: _Taker(sender, disclosure) for name, sender in senders.items()}
    finally:
        await asyncio.gather(*(sender.close() for sender in senders.values()))


class _Taker:
    def __init__(self, sender: ScoreSender, disclosure: Disclosure) -> None:
        self._sender = sender
        self._disclosure = disclosure

    async def take(self, given: ScoreInput, namespace: str, score_id: str) -> None:
        caller = SpanAddress.parse(given.caller)
        run = RunIdentity(namespace, given.run_id, given.first_execution, caller)
        try:
            await self._sender.send(self._safe(given.score), run.span(given.score.turn), score_id)
        except Unsent as unsent:
            raise ScoreNotTaken(str(unsent), again=unsent.again) from unsent

    def _safe(self, score: Score) -> Score:
        texts = {"name": score.name, "comment": score.comment, "by": score.by}
        if isinstance(score.value, str):
            texts["value"] = score.value
        return score.model_copy(update={name: self._disclosure.safe(text) for name, text in texts.items()})
