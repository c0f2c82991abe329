"""Every timeout and retry policy, in one place. Workflows write none of their own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, TypedDict

from temporalio.common import RetryPolicy, WorkflowIDReusePolicy
from temporalio.workflow import ActivityCancellationType, ChildWorkflowCancellationType, ParentClosePolicy

from ..contracts import names
from ..contracts.collection import patience
from ..contracts.collection.patience import Patience
from ..contracts.model import Model
from ..contracts.tool import Effect, ToolSpec

HEARTBEAT_TIMEOUT: Final = timedelta(seconds=3)
"""A call whose worker died is taken over after this long and up to a second: the server's timers come up to a second
late, and the whole way to the next model request is to stay under five seconds (`benchmarks/takeover.py`). Users'
functions run on another loop than the beats do; only one that holds Python's own lock for seconds makes them late."""

STICKY_TIMEOUT: Final = timedelta(seconds=3)
"""How long a workflow task waits for the worker that has the run in its cache before any worker may take it."""

TASK_TIMEOUT: Final = timedelta(seconds=4)
"""How long a workflow task may take before another worker may take it: also the wait after a death within one."""

TAIL_PART_BYTES: Final = 16_384
TAIL_PASSAGES_BYTES: Final = 1_024
"""The same for the result of a search, which is long as a rule."""
TAIL_BYTES: Final = 65_536
"""A larger part of a tail, or what comes after this much of it, is a reference: it already stands in the history."""

# Room for the adapter's own timeout to fire first, so that the error is the provider's and not the server's.
_GRACE = timedelta(seconds=10)

# Attempts that a dead worker uses up are not the provider's or the tool's fault, so every policy has some to spare.
_CRASHES = 10


# Attempts and not a time limit end a call: a time limit would also count the hours in which no worker runs.
_ATTEMPTS_BEFORE_FALLBACK = 4
_SOON = timedelta(seconds=7)
"""So long the pauses before the fourth attempt are together."""
_LONGEST_PAUSE = timedelta(seconds=30)
_ATTEMPTS = 30
_SPENDING_ATTEMPTS = 12

_CUT_OFF: Final = ("TemporalTimeout:StartToClose", "TemporalTimeout:Heartbeat", names.WORKER_SHUTDOWN)
"""What ends attempts of which nobody knows what they cost: the server's names of time-outs, and the SDK's of a worker
that stopped. A retry policy may exclude them."""

_LONGEST_SCORE_PAUSE = timedelta(minutes=15)
_SCORE_ATTEMPTS = timedelta(days=7) // _LONGEST_SCORE_PAUSE

NOT_SERVED_PAUSES: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (0, 0, 0.1, 0, 0, 0.2, 0, 0, 0.4, 0, 0, 0.8, 0, 0, 1, 0, 0, 1, 0, 0, 2, 0, 0, 2, 0, 0, 2, 0, 0, 2)
)
"""Between tries of a call that no worker could begin so far. The server hands tasks to workers in turn, and a pause
takes one of them too, so two of three tries have none: otherwise each could meet the same worker. After these 12
seconds nobody serves the call."""

# A stdio server may have to be fetched by its package runner before it starts.
_CATALOGUE = timedelta(minutes=1)


class ActivityPolicy(TypedDict):
    """Keyword arguments of `workflow.start_activity`."""

    start_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy
    cancellation_type: ActivityCancellationType


class LocalActivityPolicy(TypedDict):
    """Keyword arguments of `workflow.start_local_activity`."""

    start_to_close_timeout: timedelta
    retry_policy: RetryPolicy


class ChildPolicy(TypedDict):
    """Keyword arguments of `workflow.start_child_workflow`."""

    task_timeout: timedelta
    cancellation_type: ChildWorkflowCancellationType
    parent_close_policy: ParentClosePolicy
    id_reuse_policy: WorkflowIDReusePolicy


def pause_after(lost: int) -> timedelta:
    """Return the pause after attempts that were charged without an answer."""
    return timedelta(seconds=min(2 ** (lost - 1), _LONGEST_PAUSE.total_seconds()))


def _retry(attempts: int, final: Sequence[str] = ()) -> RetryPolicy:
    return RetryPolicy(
        initial_interval=timedelta(milliseconds=200),
        backoff_coefficient=2.0,
        maximum_interval=_LONGEST_PAUSE,
        maximum_attempts=attempts,
        non_retryable_error_types=list(final) or None,
    )


def model_policy(model: Model, *, fallback_left: bool, keep: bool = False, budgeted: bool = False) -> ActivityPolicy:
    """Return the policy of a model call: patient through an outage of ten minutes.

    Where a fallback waits, the call itself says when it is time for that.

    Args:
        model: What is called.
        fallback_left: Whether another model can be asked.
        keep: Whether a cancel waits for what was said until then.
        budgeted: Whether an attempt of which nobody knows what it cost is the last: the workflow makes the next one.
    """
    soon = fallback_left and model.fallback_after <= _SOON
    attempts = _ATTEMPTS_BEFORE_FALLBACK if soon else _ATTEMPTS
    if model.retries is not None:
        # A worker's death is no error of the model's.
        attempts = 1 + model.retries + _CRASHES
    return ActivityPolicy(
        start_to_close_timeout=model.timeout + _GRACE,
        heartbeat_timeout=HEARTBEAT_TIMEOUT,
        retry_policy=_retry(attempts, _CUT_OFF if budgeted else ()),
        cancellation_type=(
            ActivityCancellationType.WAIT_CANCELLATION_COMPLETED if keep else ActivityCancellationType.TRY_CANCEL
        ),
    )


def tool_policy(tool: ToolSpec) -> ActivityPolicy:
    """Return the policy of a tool call.

    A `once` tool gets one attempt, and its end is awaited even when the run is cancelled.
    """
    once = tool.effect is Effect.ONCE
    return ActivityPolicy(
        start_to_close_timeout=tool.timeout + _GRACE,
        heartbeat_timeout=HEARTBEAT_TIMEOUT,
        retry_policy=_retry(1 if once else 1 + tool.retries + _CRASHES),
        cancellation_type=(
            ActivityCancellationType.WAIT_CANCELLATION_COMPLETED if once else ActivityCancellationType.TRY_CANCEL
        ),
    )


def catalogue_policy() -> ActivityPolicy:
    """Return the policy of asking an MCP server, which may have to start, for tools."""
    return ActivityPolicy(
        start_to_close_timeout=_CATALOGUE + _GRACE,
        heartbeat_timeout=HEARTBEAT_TIMEOUT,
        retry_policy=_retry(_ATTEMPTS_BEFORE_FALLBACK + _CRASHES),
        cancellation_type=ActivityCancellationType.TRY_CANCEL,
    )


def continued_conversation_policy() -> ActivityPolicy:
    """Return the policy of fetching the transcript of another run."""
    return ActivityPolicy(
        start_to_close_timeout=timedelta(minutes=1),
        heartbeat_timeout=HEARTBEAT_TIMEOUT,
        retry_policy=_retry(_ATTEMPTS),
        cancellation_type=ActivityCancellationType.TRY_CANCEL,
    )


def reading_policy() -> ActivityPolicy:
    """Return the policy of reading from histories, such as what a run spent.

    What is nested in it may end a little later, and a worker of an earlier version cannot: a few minutes will do.
    """
    return ActivityPolicy(
        start_to_close_timeout=timedelta(minutes=2),
        heartbeat_timeout=HEARTBEAT_TIMEOUT,
        retry_policy=_retry(_SPENDING_ATTEMPTS),
        cancellation_type=ActivityCancellationType.TRY_CANCEL,
    )


def ledger_policy() -> ActivityPolicy:
    """Return the policy of starting a ledger."""
    return continued_conversation_policy()


def ledger_holders_policy() -> ActivityPolicy:
    """Return the policy of looking which runs of a ledger have ended.

    Their histories may be long. The ledger asks again.
    """
    return ActivityPolicy(
        start_to_close_timeout=timedelta(minutes=5),
        heartbeat_timeout=HEARTBEAT_TIMEOUT,
        retry_policy=_retry(_SPENDING_ATTEMPTS),
        cancellation_type=ActivityCancellationType.TRY_CANCEL,
    )


def retrieve_policy(*, by: Patience | None = None, budgeted: bool = False) -> ActivityPolicy:
    """Return the policy of a search of a collection.

    Its embedding model may have to be loaded.

    Args:
        by: How patient it is. Default: as whoever waits at a screen.
        budgeted: Whether an attempt of which nobody knows what it cost is the last.
    """
    return _patient(by or patience.SEARCH, _CUT_OFF if budgeted else ())


def memory_policy() -> ActivityPolicy:
    """Return the policy of having the workflow of a scope change memories."""
    return _patient(patience.MEMORY_WORK)


def ingest_policy() -> ActivityPolicy:
    """Return the policy of a step of an ingest.

    It is patient: nobody waits at a screen for it.
    """
    return _patient(patience.INGEST)


def _patient(by: Patience, final: Sequence[str] = ()) -> ActivityPolicy:
    """Return the policy of an activity that itself says when it gives up."""
    return ActivityPolicy(
        start_to_close_timeout=by.attempt + _GRACE,
        heartbeat_timeout=HEARTBEAT_TIMEOUT,
        retry_policy=RetryPolicy(
            initial_interval=by.first_pause,
            backoff_coefficient=2.0,
            maximum_interval=by.longest_pause,
            maximum_attempts=by.attempts + _CRASHES,
            non_retryable_error_types=list(final) or None,
        ),
        cancellation_type=ActivityCancellationType.TRY_CANCEL,
    )


def route_policy() -> LocalActivityPolicy:
    """Return the policy of a router's decision.

    It takes milliseconds once its worker has loaded what it needs.
    """
    return LocalActivityPolicy(start_to_close_timeout=timedelta(seconds=30), retry_policy=_retry(_CRASHES))


def approval_policy() -> LocalActivityPolicy:
    """Return the policy of asking whether a call needs an approval.

    It takes as long as people's predicates may.
    """
    return LocalActivityPolicy(start_to_close_timeout=timedelta(seconds=30), retry_policy=_retry(_CRASHES))


def reconcile_policy() -> ActivityPolicy:
    """Return the policy of asking a tool what came of a call.

    The activity itself says when it gives up.
    """
    return ActivityPolicy(
        start_to_close_timeout=timedelta(seconds=30) + _GRACE,
        heartbeat_timeout=HEARTBEAT_TIMEOUT,
        retry_policy=_retry(5 + _CRASHES),
        cancellation_type=ActivityCancellationType.TRY_CANCEL,
    )


def approval_policy_elsewhere() -> ActivityPolicy:
    """Return the policy of asking that of another worker.

    The one at hand lacks what it takes.
    """
    return ActivityPolicy(
        start_to_close_timeout=timedelta(seconds=30),
        heartbeat_timeout=HEARTBEAT_TIMEOUT,
        retry_policy=_retry(_CRASHES),
        cancellation_type=ActivityCancellationType.TRY_CANCEL,
    )


def undoing_policy() -> LocalActivityPolicy:
    """Return the policy of asking how an effect is undone, which takes no time."""
    return turn_end_policy()


def undoing_policy_elsewhere() -> ActivityPolicy:
    """Return the policy of asking that of another worker.

    The one at hand lacks what it takes.
    """
    return approval_policy_elsewhere()


def score_targets_policy() -> LocalActivityPolicy:
    """Return the policy of asking where scores are sent, which takes no time."""
    return turn_end_policy()


def score_policy() -> ActivityPolicy:
    """Return the policy of sending a score: patient for a week.

    Nobody waits for it, and tools that have to know the run first may be told of that when it ends.
    """
    return ActivityPolicy(
        start_to_close_timeout=timedelta(minutes=1),
        heartbeat_timeout=HEARTBEAT_TIMEOUT,
        retry_policy=RetryPolicy(
            initial_interval=timedelta(seconds=1),
            backoff_coefficient=2.0,
            maximum_interval=_LONGEST_SCORE_PAUSE,
            maximum_attempts=_SCORE_ATTEMPTS + _CRASHES,
        ),
        cancellation_type=ActivityCancellationType.TRY_CANCEL,
    )


def turn_end_policy() -> LocalActivityPolicy:
    """Return the policy of noting the end of a turn, which takes no time."""
    return LocalActivityPolicy(start_to_close_timeout=timedelta(seconds=30), retry_policy=_retry(_ATTEMPTS))


def prices_policy() -> LocalActivityPolicy:
    """Return the policy of looking up prices, in a list that is at hand."""
    return turn_end_policy()


def child_policy() -> ChildPolicy:
    """Return the policy of a nested run.

    It is waited for when it is cancelled, for what it has, and ends with what started it.
    """
    return ChildPolicy(
        task_timeout=TASK_TIMEOUT,
        cancellation_type=ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
        parent_close_policy=ParentClosePolicy.TERMINATE,
        # What a run that is reset had started works on for nobody, under the id that is needed again.
        id_reuse_policy=WorkflowIDReusePolicy.TERMINATE_IF_RUNNING,
    )


def fast_tool_policy(tool: ToolSpec) -> LocalActivityPolicy:
    """Return the policy of a tool call within the workflow task."""
    return LocalActivityPolicy(
        start_to_close_timeout=tool.timeout + _GRACE,
        retry_policy=_retry(1 + tool.retries + _CRASHES),
    )
