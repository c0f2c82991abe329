"""Asks a provider's own endpoint whether a text is harmful."""

from __future__ import annotations

import time
from collections.abc import Mapping

from temporalio import activity

from ...contracts import names
from ...contracts.errors import ModelError
from ...contracts.wire.guardrails.decision import VERDICTS, GuardrailDecision, Verdict
from ...contracts.wire.guardrails.guard_call import Guarded, ModerationCall
from ..call.failure import failure
from ..call.heartbeat import heartbeats
from ..model_adapter import ModelAdapter, Moderates
from ..not_served import NotServedError, cannot


class ModerationActivities:
    """The endpoints that this worker can ask.

    Args:
        adapters: Model adapters by provider name.
    """

    def __init__(self, adapters: Mapping[str, ModelAdapter]) -> None:
        self._adapters = adapters

    @activity.defn(name=names.MODERATION_ACTIVITY)
    async def moderate(self, call: ModerationCall) -> Guarded:
        """Return what a provider says of a text.

        Repeatable: it only asks. Fails as `NotServed` where this worker cannot ask that provider, and as the
        `ModelError`s, of which those that may pass are tried again. Heartbeats on its own. Costs what the provider
        charges: OpenAI nothing.
        """
        model = call.guardrail.model
        adapter: object = self._adapters.get(model.provider)
        began = time.perf_counter()
        async with heartbeats():
            try:
                if not isinstance(adapter, Moderates):
                    raise NotServedError(f"this worker has no provider {model.provider!r} that moderates texts")
                harms = await adapter.harms(model, call.text)
            except NotServedError as error:
                raise await cannot(f"{model.name}: {error}") from None
            except ModelError as error:
                told = f"{model.name}: {error}"
                delay = error.retry_after
                raise failure(error, told, kind=type(error).__name__, retryable=error.retryable, delay=delay) from None
        counts = [one for one in harms if not call.guardrail.categories or one in call.guardrail.categories]
        decision = GuardrailDecision(
            guardrail=call.guardrail.title,
            stage=call.stage,
            verdict=VERDICTS[call.guardrail.on_failure] if counts else Verdict.PASSED,
            reason=", ".join(counts),
            ms=round((time.perf_counter() - began) * 1_000, 2),
        )
        return Guarded(decisions=(decision,))
