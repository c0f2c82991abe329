"""What every tool call has in common, whoever runs the tool.

Must not know how a tool is run.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from ...contracts import limits, names
from ...contracts.errors import ToolError
from ...contracts.tool import Effect
from ...contracts.wire.tool_call import ToolInvocation, ToolOutput, outcome_unknown
from ..transcript_cache import TranscriptCache
from .heartbeat import heartbeats
from .own_workflow_query import release_own_run

Report = Callable[[Any], None]
"""Reports the progress of a call, safe from any thread."""


async def tool_call(
    invocation: ToolInvocation,
    *,
    name: str,
    effect: Effect,
    cache: TranscriptCache,
    run: Callable[[Report], Awaitable[ToolOutput]],
) -> ToolOutput:
    """Run one tool call, and remember its output for the next model call.

    It heartbeats meanwhile.

    Args:
        invocation: What is called.
        name: What the model calls it.
        effect: What happens when it runs twice. A second attempt at `once` is refused.
        cache: Keeps the result.
        run: Runs the tool; what it raises is a failure for the model already.

    Raises:
        ApplicationError: Of type `ToolFailed`: a `once` tool was to run again.
    """
    repeated = activity.info().attempt > 1
    if repeated and effect is Effect.ONCE:
        # The run was started with another idea of this tool: its policy must not decide what is safe here.
        raise ApplicationError(outcome_unknown(name), type=names.TOOL_FAILED, non_retryable=True)
    async with heartbeats() as report:
        if repeated:
            await release_own_run()
        output = await run(report)
    cache.put_result(activity.info().workflow_run_id or "", output.as_result(invocation.call_id, name))
    return output


def idempotency_key(invocation: ToolInvocation) -> str:
    """Return a key that is the same over every attempt of a call.

    It differs for every other call.
    """
    return f"{activity.info().workflow_id}:{invocation.reply}:{invocation.call_id}"


def check_size(output: ToolOutput) -> ToolOutput:
    """Return the output if it is small enough to be sent.

    Raises:
        ToolError: The output has more than `MAX_TOOL_OUTPUT_BYTES`.
    """
    if reason := limits.why_too_large(output, "The result", limits.MAX_TOOL_OUTPUT_BYTES):
        raise ToolError(f"{reason}: ask for less, or for a part.")
    return output
