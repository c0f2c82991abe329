"""What the Temporal SDK of a process counts, in a form that can be published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from temporalio.common import MetricAttributes
from temporalio.runtime import BufferedMetric, BufferedMetricUpdate, MetricBuffer, MetricBufferDurationFormat

from .metrics import BoundedLabels

_TYPE: Final = "workflow_type"
"""Label that has names of runnables, which come from outside."""
_MOST_COUNTS: Final = 100_000
"""In the second between two times that they are taken up."""


class _Update(NamedTuple):
    metric: BufferedMetric
    value: int | float
    attributes: MetricAttributes


class SdkCounts(MetricBuffer):
    """Holds what is counted until it is taken up; durations are in seconds.

    Whoever publishes it by the SDK's own exporter has that tell labels apart by where they are in memory. The SDK frees
    those of a request when that has ended, and others take their place, under the labels of that request. So here the
    same labels are always the same object. Of the types of workflows, the first ones alone have their own.
    """

    def __init__(self) -> None:
        super().__init__(_MOST_COUNTS, MetricBufferDurationFormat.SECONDS)
        self._metrics: dict[str, BufferedMetric] = {}
        self._types = BoundedLabels()
        self._labels: dict[frozenset[tuple[str, object]], Mapping[str, str | int | float | bool]] = {}

    def retrieve_updates(self) -> Sequence[BufferedMetricUpdate]:
        """Return what was counted since the last time."""
        return [
            _Update(
                self._metrics.setdefault(one.metric.name, one.metric),
                one.value,
                self._kept(self._bounded(one.attributes)),
            )
            for one in super().retrieve_updates()
        ]

    def _bounded(self, labels: MetricAttributes) -> MetricAttributes:
        if _TYPE not in labels:
            return labels
        return {**labels, _TYPE: self._types.of(_TYPE, labels[_TYPE])}

    def _kept(self, labels: MetricAttributes) -> MetricAttributes:
        return self._labels.setdefault(frozenset(labels.items()), labels)
