"""The guardrails of one workflow, and what it has to remember of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from ...activities.guardrails.vault.placeholders import mentioned
from ...contracts.guardrails.any_guardrail import AnyGuardrail, every_guardrail
from ...contracts.guardrails.custom import Custom
from ...contracts.guardrails.guardrail import GuardStage, at_stage
from ...contracts.guardrails.injection import Injection
from ...contracts.message import Message
from ...contracts.specs.node import Node
from ...contracts.wire.places import Place
from ...contracts.wire.run import Result


class RunGuards:
    """What guards one workflow."""

    def __init__(self) -> None:
        self.sealed: dict[str, str] = {}
        """Originals of what was redacted so far, as ciphertext, by placeholder."""
        self.tainted = False
        """Whether untrusted text was read, where that matters."""
        self._at: dict[str, tuple[AnyGuardrail, ...]] = {}
        self._exempt: list[Place] = []
        self.screens = True
        """Whether what nested runs are told has passed what they are handed down: not where people's code tells it."""

    def open(self, place: Place, *guardrails: Sequence[AnyGuardrail]) -> None:
        """Guard what runs at a place and within it, besides what guards what it is in."""
        if found := every_guardrail(self._at.get(place, ()), *guardrails):
            self._at[place] = found

    def forget(self, place: Place) -> None:
        """Forget what guarded a place, and what is within it."""
        self._exempt = [one for one in self._exempt if not one.is_within(place)]
        for one in [one for one in self._at if Place(one).is_within(place)]:
            del self._at[one]

    def at(self, place: Place) -> tuple[AnyGuardrail, ...]:
        """Return what guards what runs at a place, the outermost first."""
        if not self._at:
            return ()
        found = every_guardrail(*(self._at[above] for above in place.with_parents() if above in self._at))
        if any(place.is_within(one) for one in self._exempt):
            return tuple(one for one in found if one.on_failure == "redact" and not one.of_model)
        return found

    def exempt(self, place: Place) -> None:
        """Have what runs at a place, itself for a guardrail, pass what redacts alone."""
        self._exempt.append(place)

    def unseen(self, place: Place, seen: Sequence[AnyGuardrail]) -> tuple[AnyGuardrail, ...]:
        """Return what is to look at what is asked at a place, and has not yet."""
        ours = (one for one in self.at_stage(place, "input") if not isinstance(one, Custom))
        return tuple(one for one in ours if one not in seen)

    def at_stage(self, place: Place, stage: GuardStage) -> tuple[AnyGuardrail, ...]:
        """Return those at a place that look at a stage within a call of it."""
        return tuple(one for one in at_stage(self.at(place), stage) if not one.of_model)

    def seal(self, sealed: Mapping[str, str]) -> None:
        """Take in the originals of what was redacted."""
        self.sealed.update(sealed)

    def mentioned_in(self, *values: BaseModel | str | None) -> dict[str, str]:
        """Return the originals, as ciphertext, of the placeholders in something."""
        if not self.sealed:
            return {}
        written = (one if isinstance(one, str) else one.model_dump_json() for one in values if one is not None)
        return mentioned("\n".join(written), self.sealed)

    def read(self, name: str, place: Place) -> None:
        """Take note that what a tool, a search or a nested run brought was read."""
        self.tainted |= any(
            isinstance(one, Injection) and one.taint and name not in one.trusted for one in self.at(place)
        )

    def handed_down(self, runnable: Node, place: Place, *messages: Message | None) -> dict[str, Any]:
        """Return what the input of a nested run has of all this.

        Args:
            runnable: What runs.
            place: Where.
            messages: What it is told.
        """
        return {
            "guardrails": every_guardrail(self.at(place), runnable.app_guardrails),
            "sealed": self.mentioned_in(*messages),
            "tainted": self.tainted,
            "screened": self.screens,
        }

    def take(self, result: Result, runnable: Node, place: Place) -> None:
        """Take in what a nested run came to."""
        self.seal(result.sealed)
        if result.tainted:
            self.read(runnable.name, place)
