"""Lets texts through guardrails, and tells what they decided."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

from ...contracts.guardrails.any_guardrail import AnyGuardrail, every_guardrail
from ...contracts.guardrails.custom import Check, Custom
from ...contracts.guardrails.guardrail import Guardrail, GuardStage, at_stage
from ...contracts.guardrails.rules import Rules
from ...contracts.guardrails.schema import Schema
from ...contracts.message import Message, ToolCallPart
from ...contracts.wire.guardrails.decision import VERDICTS, GuardrailDecision, Verdict
from ..call.user_code import UserCode, is_cancelled
from ..model_adapter import OnDelta
from ..not_served import NotServedError
from .called_check import objection
from .guarded_stream import GuardedStream, SentenceGuard
from .hiding import Hiding
from .looking import FindIn, check_here, look_of
from .texts import Change, changed_call, changed_json, changed_message, changed_said, changed_text

if TYPE_CHECKING:
    from .vault.keys import VaultKeys
    from .vault.vault import Hidden, Vault

T = TypeVar("T")

_MOST_REASONS: Final = 5
_ONE_WAY: Final = "; for good, as there are no vault keys"


@dataclass(frozen=True, slots=True)
class Guards:
    """What guardrails need of the process that they work in."""

    keys: VaultKeys | None = None
    """Seal what is redacted. None: it is redacted for good."""
    checks: Mapping[str, Check] = field(default_factory=dict)
    """The functions of an app's guardrails, by name."""
    user: UserCode | None = None
    """Runs them. None: they are not run here."""
    app: tuple[AnyGuardrail, ...] = ()
    """The guardrails of an app, which hold for whatever its worker does, whoever began it."""

    def check(self, guardrails: Sequence[AnyGuardrail]) -> None:
        """Check that guardrails can be asked here, before anything is done.

        Raises:
            NotServedError: A function or a library is not there; names it, and says what to do.
        """
        for one in every_guardrail(self.app, guardrails):
            check_here(one)
            look_of(one)
            if isinstance(one, Custom) and self.user and one.function not in self.checks:
                known = ", ".join(sorted(self.checks)) or "none"
                raise NotServedError(
                    f"this worker has no function {one.function!r} for a guardrail (it has: {known}): "
                    f"serve an app that has Custom({one.function})"
                )

    def screen(self, guardrails: Sequence[AnyGuardrail], stage: GuardStage, scope: str) -> Screening | None:
        """Return what lets texts through those at a stage; None where there are none.

        Args:
            guardrails: Of whatever is looked at, at any stage.
            stage: What is looked at.
            scope: Id of the root of the run, or of the chat: a value has one placeholder in it.
        """
        ours = [one for one in at_stage(every_guardrail(self.app, guardrails), stage) if not one.of_model]
        if not self.user:
            ours = [one for one in ours if not isinstance(one, Custom)]
        return Screening(self, ours, stage, scope) if ours else None


class Screening:
    """Guardrails at one stage of one call, and what they have decided so far.

    Those that redact come first: nobody else sees what they take out.

    Args:
        guards: What they need.
        guardrails: Those at the stage.
        stage: What is looked at.
        scope: Id of the root of the run, or of the chat.
    """

    def __init__(self, guards: Guards, guardrails: Sequence[AnyGuardrail], stage: GuardStage, scope: str) -> None:
        self._guards = guards
        self._guardrails = sorted(guardrails, key=lambda one: one.on_failure != "redact")
        self._stage: GuardStage = stage
        self._scope = scope
        self._decisions: list[GuardrailDecision] = []
        self.sealed: dict[str, str] = {}
        """Originals of what was redacted, as ciphertext, by placeholder."""

    @property
    def decisions(self) -> tuple[GuardrailDecision, ...]:
        """What was decided so far."""
        return tuple(self._decisions)

    def check(self) -> None:
        """Check that the guardrails can be asked here.

        Raises:
            NotServedError: They cannot; says what is lacking.
        """
        self._guards.check(self._guardrails)

    def stream(self, on_delta: OnDelta) -> OnDelta | None:
        """Return what shows an answer by sentences; None where it is judged as a whole."""
        guards = []
        for one in self._guardrails:
            if one.on_failure == "flag":
                continue
            look = self._look(one) if one.by_sentence else None
            if look is None:
                return None
            guards.append(SentenceGuard(look, partial(self._hide, one) if one.on_failure == "redact" else None))
        return GuardedStream(guards, on_delta).take if guards else on_delta

    async def text(self, text: str) -> str | None:
        """Return a text as it passes; None where it is blocked."""
        return await self._through(text, changed_text, lambda one: one)

    async def message(self, message: Message) -> Message | None:
        """Return a message as it passes; None where it is blocked."""
        return await self._through(message, changed_message, lambda one: one.text)

    async def said(self, message: Message) -> Message | None:
        """Return a message as it passes, its calls untouched; None where it is blocked."""
        # What says nothing beside its calls is no answer that rules could ask anything of.
        is_answer = bool(message.text) or not message.tool_calls
        return await self._through(message, changed_said, lambda one: one.text, judges=is_answer)

    async def json(self, value: T, told: str) -> T | None:
        """Return JSON as it passes; None where it is blocked.

        Args:
            value: The JSON.
            told: What of it is read, for those who look at a text as a whole.
        """
        return await self._through(value, changed_json, lambda _: told)

    async def call(self, call: ToolCallPart) -> ToolCallPart | None:
        """Return a tool call as it passes; None where it is blocked."""
        return await self._through(call, changed_call, lambda one: json.dumps(one.arguments), call.id)

    def hidden(self, text: str) -> str:
        """Return a text without what those find that redact; nothing is decided."""
        for one in self._guardrails:
            if one.on_failure == "redact" and (look := self._look(one)):
                hiding = Hiding(look, partial(self._hide, one))
                text = changed_text(text, hiding.change)
                self.sealed |= hiding.sealed
        return text

    async def _through(
        self,
        given: T,
        changed: Callable[[T, Change], T],
        whole: Callable[[T], str],
        call_id: str = "",
        *,
        judges: bool = True,
    ) -> T | None:
        for one in self._guardrails:
            if not judges and isinstance(one, Rules | Schema | Custom):
                continue
            began = time.perf_counter()
            try:
                verdict, reason, given = await self._asked(one, given, changed, whole)
                failed = False
            except NotServedError:
                raise
            except BaseException as error:
                if is_cancelled(error):
                    raise
                failed, reason = True, f"it failed: {type(error).__name__}"
                verdict = Verdict.FLAGGED
                if one.closes(self._stage):
                    verdict = Verdict.ESCALATED if one.on_failure == "escalate" else Verdict.BLOCKED
            self._decisions.append(
                GuardrailDecision(
                    guardrail=one.title,
                    stage=self._stage,
                    verdict=verdict,
                    reason=reason,
                    call_id=call_id,
                    failed=failed,
                    ms=round((time.perf_counter() - began) * 1_000, 2),
                )
            )
            if verdict is Verdict.BLOCKED:
                return None
        return given

    async def _asked(
        self, one: AnyGuardrail, given: T, changed: Callable[[T, Change], T], whole: Callable[[T], str]
    ) -> tuple[Verdict, str, T]:
        """Return what a guardrail makes of something, why, and what is left of it."""
        if look := self._look(one):
            redacts = one.on_failure == "redact"
            hiding = Hiding(look, partial(self._hide, one) if redacts else None)
            left = changed(given, hiding.change)
            self.sealed |= hiding.sealed
            reason = hiding.words
            if isinstance(one, Rules) and (rest := _broken(one, whole(left), placed=False)):
                # What is wrong with it as a whole cannot be taken out.
                return Verdict.BLOCKED, rest, left
            if reason and redacts and getattr(one, "reversible", False) and not self._guards.keys:
                reason += _ONE_WAY
            return (VERDICTS[one.on_failure] if reason else Verdict.PASSED), reason, left
        if isinstance(one, Rules | Schema):
            reason = _broken(one, whole(given))
            return (VERDICTS[one.on_failure] if reason else Verdict.PASSED), reason, given
        if isinstance(one, Custom) and self._guards.user:
            reason = await objection(one.function, self._guards.checks[one.function], whole(given), self._guards.user)
            return (VERDICTS[one.on_failure] if reason else Verdict.PASSED), reason, given
        return Verdict.PASSED, "", given

    def _look(self, one: AnyGuardrail) -> FindIn | None:
        return look_of(one)

    @cached_property
    def _vault(self) -> Vault:
        # Only where something is hidden: it takes a library that workflows do without.
        from .vault.vault import Vault  # noqa: PLC0415

        return Vault(self._guards.keys, self._scope)

    def _hide(self, one: Guardrail, kind: str, value: str) -> Hidden:
        hidden = self._vault.hide(kind, value)
        return hidden if getattr(one, "reversible", False) else replace(hidden, sealed=None)


def _broken(one: Rules | Schema, text: str, *, placed: bool = True) -> str:
    """Return what is wrong with a text, without any of it; empty where nothing is.

    Args:
        one: Says what it is to be like.
        text: The text.
        placed: Whether what stands somewhere in it counts.
    """
    if isinstance(one, Rules):
        from .rules.rules import broken_rules  # noqa: PLC0415 - the library is an extra

        found = broken_rules(text, one)
    else:
        from .schema.schema_faults import schema_faults  # noqa: PLC0415 - the same

        found = schema_faults(text, one)
    reasons = (f"{each.rule}: {each.reason}" for each in found if placed or each.start is None)
    return "; ".join(islice(dict.fromkeys(reasons), _MOST_REASONS))
