"""Takes the time of what a step asks of models and services, and what it costs.

Must not know what is asked.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from ...contracts.control.price import Price
from ...contracts.wire.totals import StepStage, Totals
from ..prices.price import Charge, OnCharge


@dataclass(slots=True)
class _Open:
    """A stage, as far as it is known."""

    kind: Literal["embeddings", "rerank"]
    model: str
    after: float
    seconds: float = 0.0
    charges: list[Charge] = field(default_factory=list)


class StageClock:
    """Takes the time of the stages of a step, from when it is made.

    Args:
        charge: Told what is to be paid for.
        prices: What models cost, as whoever asks says.
    """

    def __init__(self, charge: OnCharge, prices: Mapping[str, Price] | None = None) -> None:
        self._charge = charge
        self._prices = prices or {}
        self._began = time.perf_counter()
        self._stages: list[_Open] = []

    @property
    def seconds(self) -> float:
        """Seconds since the step began."""
        return time.perf_counter() - self._began

    @contextmanager
    def stage(self, kind: Literal["embeddings", "rerank"], model: str) -> Iterator[OnCharge]:
        """Take the time of what is asked meanwhile.

        Gives what is told what that costs. What is asked of one model several times is one stage.
        """
        after = self.seconds
        known = next((one for one in self._stages if (one.kind, one.model) == (kind, model)), None)
        if known is None:
            self._stages.append(known := _Open(kind, model, after))

        def note(charge: Charge) -> None:
            charge.price = self._prices.get(model)
            known.charges.append(charge)
            self._charge(charge)

        try:
            yield note
        finally:
            known.seconds += self.seconds - after

    def stages(self) -> tuple[StepStage, ...]:
        """Return the stages, with what each cost, as far as a bill has been added up."""
        return tuple(
            StepStage(
                kind=one.kind,
                model=one.model,
                after_seconds=round(one.after, 4),
                seconds=round(one.seconds, 4),
                **dict(sum((charge.cost or Totals() for charge in one.charges), Totals())),
            )
            for one in self._stages
        )
