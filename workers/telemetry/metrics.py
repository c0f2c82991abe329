"""What is counted and timed of steps.

Sources: `gen_ai.client.*` of the OpenTelemetry conventions for generative AI, with the buckets that they advise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...contracts.model import Model
from ...contracts.wire.event import FallbackUsed, RunStalled
from ...contracts.wire.guardrails.guardrail_event import GuardrailDecided
from ...contracts.wire.ingest.ingest import INGEST_KIND
from ...contracts.wire.memory.memory_event import MemoryCompacted
from ...contracts.wire.totals import Totals
from ...history.trace.step import TraceStep
from .attributes import AboutRun, asked_of, beside_stages
from .followed_run import ToldStep
from .span import Attribute, StepSpan

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter

_SECONDS: Final = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_TOKENS: Final = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)
_PATIENCE_SECONDS: Final = (1, 5, 15, 60, 300, 900, 3600, 14400, 43200, 86400, 259200, 604800)
_MOST_VALUES: Final = 200
OTHER: Final = "(other)"
"""What a label says beyond its first values."""

_LABELS: Final = (
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.tool.name",
    "gen_ai.data_source.id",
    "gen_ai.agent.name",
    "gen_ai.workflow.name",
    "error.type",
)
_NAMES: Final = ("gen_ai.agent.name", "gen_ai.workflow.name")
_TOOL: Final = ("gen_ai.tool.name",)
Labels = dict[str, Attribute]


class BoundedLabels:
    """Keeps the labels of metrics to so many values each.

    Every further one counts as another one.

    Names of tools, models and tenants come from outside, and each new one is a time series for ever.
    """

    def __init__(self, most: int = _MOST_VALUES) -> None:
        self._most = most
        self._known: dict[str, set[str]] = {}

    def of(self, name: str, value: object) -> str:
        """Return the value that a label may have."""
        known = self._known.setdefault(name, set())
        text = str(value)
        if text in known or len(known) < self._most:
            known.add(text)
            return text
        return OTHER


class StepMetrics:
    """Counts and times what ended.

    Args:
        meter: Where the figures are kept.
    """

    def __init__(self, meter: Meter) -> None:
        self._labels = BoundedLabels()
        self._duration = meter.create_histogram(
            "gen_ai.client.operation.duration",
            "s",
            "How long operations took.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._first_chunk = meter.create_histogram(
            "gen_ai.client.operation.time_to_first_chunk",
            "s",
            "How long models took to begin their answers.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._tokens = meter.create_histogram(
            "gen_ai.client.token.usage",
            "{token}",
            "Tokens of a call.",
            explicit_bucket_boundaries_advisory=_TOKENS,
        )
        # With tenants in the histogram there would be one for each of them.
        self._all_tokens = meter.create_counter("sostenuto.tokens", "{token}", "Tokens of models and embeddings.")
        self._queue = meter.create_histogram(
            "sostenuto.queue.duration",
            "s",
            "How long first attempts waited for a worker.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._approval = meter.create_histogram(
            "sostenuto.approval.duration",
            "s",
            "How long calls waited for a person.",
            explicit_bucket_boundaries_advisory=_PATIENCE_SECONDS,
        )
        self._cost = meter.create_counter("sostenuto.cost", "USD", "What models, searches and ingests cost.")
        self._unpriced = meter.create_counter("sostenuto.unpriced_calls", "{call}", "Calls without a known price.")
        self._retries = meter.create_counter("sostenuto.retries", "{attempt}", "Attempts beyond the first.")
        self._fallbacks = meter.create_counter("sostenuto.fallbacks", "{call}", "Models that others took over from.")
        self._decisions = meter.create_counter(
            "sostenuto.guardrail.decisions", "{decision}", "What guardrails let pass otherwise, or not at all."
        )
        self._compactions = meter.create_counter("sostenuto.compactions", "{step}", "Steps that made prompts shorter.")
        self._runs = meter.create_counter("sostenuto.runs", "{run}", "Runs and turns that ended.")
        self._stalls = meter.create_counter("sostenuto.stalls", "{run}", "Runs whose code failed.")
        # What is not there before the first one cannot be seen to grow by it.
        self._stalls.add(0)

    def take_first_chunk(self, model: Model, seconds: float) -> None:
        """Take in that a model began its answer."""
        asked = {"gen_ai.operation.name": "chat", **asked_of(model.name)}
        labels = {name: self._labels.of(name, value) for name, value in asked.items()}
        self._first_chunk.record(seconds, labels)

    def take(self, told: ToldStep) -> None:
        """Take in a step that ended."""
        step, span = told.ended.step, told.span
        if span is None:
            return
        labels = self._labels_of(span, told.about)
        tenant = (
            {"sostenuto.tenant": self._labels.of("sostenuto.tenant", told.about.tenant)} if told.about.tenant else {}
        )
        if span.operation:
            # People take their time: that is none of the tool's.
            self._duration.record((step.seconds or 0.0) - step.person_seconds, labels)
        self._take_waits(step, labels)
        if step.attempt > 1:
            self._retries.add(step.attempt - 1, labels)
        match step.kind:
            case "model":
                self._take_model(told, labels, tenant)
            case "embeddings" | "rerank":
                own = Totals(usage=step.usage, cost_usd=step.cost_usd or 0.0, unpriced_calls=step.unpriced_calls)
                self._charge(own, labels, tenant)
            case "retrieval" | "document":
                self._charge(beside_stages(told.ended.event), labels, tenant)
            case "run" | "turn":
                # Why they failed, the durations tell.
                labels.pop("error.type", None)
                self._take_run(step.status, {**labels, **tenant})
            case "notice":
                self._take_notice(told)
            case _:
                pass

    def _take_notice(self, told: ToldStep) -> None:
        match told.ended.event:
            case RunStalled():
                self._stalls.add(1)
            case GuardrailDecided(guardrail=guardrail, stage=stage, verdict=verdict):
                named = self._labels.of("sostenuto.guardrail.name", guardrail)
                about = {"sostenuto.guardrail.stage": stage, "sostenuto.guardrail.verdict": verdict.value}
                self._decisions.add(1, {"sostenuto.guardrail.name": named, **about})
            case MemoryCompacted(strategy=strategy):
                who = {"gen_ai.agent.name": self._labels.of("gen_ai.agent.name", told.about.runnable)}
                self._compactions.add(1, {**who, "sostenuto.memory.strategy": strategy})
            case _:
                pass

    def _take_waits(self, step: TraceStep, labels: dict[str, str]) -> None:
        if step.kind in ("model", "tool") and step.attempt == 1 and step.status == "completed":
            self._queue.record(step.waited_seconds - step.person_seconds, {"sostenuto.step": step.kind})
        if step.person_seconds:
            self._approval.record(step.person_seconds, {name: labels[name] for name in _TOOL if name in labels})

    def _labels_of(self, span: StepSpan, about: AboutRun) -> dict[str, str]:
        said = span.attributes
        if about.runnable_kind == INGEST_KIND:
            # Anybody may start one under any name, which would take the place of a runnable's.
            said = {name: INGEST_KIND if name in _NAMES else value for name, value in said.items()}
        return {name: self._labels.of(name, said[name]) for name in _LABELS if name in said}

    def _take_run(self, status: str, labels: dict[str, str]) -> None:
        if status != "failed":
            # So that the first one that fails is seen as one more.
            self._runs.add(0, {**labels, "sostenuto.status": "failed"})
        self._runs.add(1, {**labels, "sostenuto.status": status})

    def _take_model(self, told: ToldStep, labels: dict[str, str], tenant: dict[str, str]) -> None:
        step = told.ended.step
        if isinstance(told.ended.event, FallbackUsed):
            self._fallbacks.add(1, labels)
        if step.status != "completed":
            return
        for kind, tokens in (("input", step.usage.input_tokens), ("output", step.usage.output_tokens)):
            self._tokens.record(tokens, {**labels, "gen_ai.token.type": kind})
            self._all_tokens.add(tokens, {**labels, **tenant, "gen_ai.token.type": kind})
        if step.cost_usd is None:
            self._unpriced.add(1, labels)
        else:
            self._cost.add(step.cost_usd, {**labels, **tenant})

    def _charge(self, totals: Totals, labels: dict[str, str], tenant: dict[str, str]) -> None:
        """Take in what a search, a document or a part of one cost."""
        for kind, tokens in (("input", totals.usage.input_tokens), ("output", totals.usage.output_tokens)):
            if tokens:
                self._tokens.record(tokens, {**labels, "gen_ai.token.type": kind})
                self._all_tokens.add(tokens, {**labels, **tenant, "gen_ai.token.type": kind})
        if totals.cost_usd:
            self._cost.add(totals.cost_usd, {**labels, **tenant})
        if totals.unpriced_calls:
            self._unpriced.add(totals.unpriced_calls, labels)
