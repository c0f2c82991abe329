"""What every tool call has in common, whoever runs the tool.

Must not know how a tool is run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from ...contracts import limits, names
from ...contracts.errors import ToolError
from ...contracts.tool import Effect
from ...contracts.wire.tool_call import ToolInvocation, ToolOutput, edited_words, outcome_unknown
from ..guardrails.guarded_call import GuardedCall
from ..not_served import NotServedError, cannot
from ..transcript_cache import TranscriptCache
from .failure import failure, told
from .heartbeat import heartbeats
from .own_workflow_query import release_own_run
from .user_code import is_cancelled

# Of the JSON around an output's content.
_ENVELOPE_BYTES = 1_000

Report = Callable[[Any], None]
"""Reports the progress of a call, safe from any thread."""


async def tool_call(
    invocation: ToolInvocation,
    *,
    name: str,
    effect: Effect,
    cache: TranscriptCache,
    run: Callable[[Report], Awaitable[ToolOutput]],
    guarded: GuardedCall,
) -> ToolOutput:
    """Run one tool call, and remember its output for the next model call.

    It heartbeats meanwhile.

    Args:
        invocation: What is called.
        name: What the model calls it.
        effect: What happens when it runs twice. A second attempt at `once` is refused.
        cache: Keeps the result.
        run: Runs the tool; what it raises is a failure for the model already.
        guarded: What its result, its errors and its progress go through.

    Raises:
        ApplicationError: Of type `ToolFailed`: a `once` tool was to run again.
    """
    repeated = activity.info().attempt > 1
    if repeated and effect is Effect.ONCE:
        # The run was started with another idea of this tool: its policy must not decide what is safe here.
        unknown = (outcome_unknown(name), names.OUTCOME_UNKNOWN)
        raise ApplicationError(*unknown, type=names.TOOL_FAILED, non_retryable=True)
    async with heartbeats() as report:
        try:
            guarded.check()
        except NotServedError as error:
            raise await cannot(f"{name} was not run: {error}") from None
        if repeated:
            await release_own_run()
        try:
            output = await guarded.output(await _run(run, guarded.report(report), name), name)
        except ApplicationError as error:
            raise await guarded.failed(error) from None
    if activity.info().is_local and limits.written_bytes(output) > limits.FAST_OUTPUT_BYTES:
        too_much = f"{name} returns too much for a fast tool"
        raise ApplicationError(too_much, type=names.NOT_SERVED, non_retryable=True)
    if invocation.edited:
        told_of_edit = f"{edited_words(invocation.arguments)}\n{output.content}"
        output = output.model_copy(update={"content": told_of_edit})
    cache.put_result(activity.info().workflow_run_id or "", output.as_result(invocation.call_id, name))
    return output


async def _run(run: Callable[[Report], Awaitable[ToolOutput]], report: Report, name: str) -> ToolOutput:
    try:
        return await run(report)
    except ApplicationError:
        raise
    except (Exception, asyncio.CancelledError) as error:
        if is_cancelled(error):
            raise
        message = f"{name}: {told(error)}"
        raise failure(error, message, kind=names.TOOL_FAILED, retryable=False) from None


def idempotency_key(invocation: ToolInvocation) -> str:
    """Return a key that is the same over every attempt of a call.

    It differs for every other call.
    """
    return invocation.key_in(activity.info().workflow_id or "")


def fit(output: ToolOutput, name: str, effect: Effect) -> ToolOutput:
    """Return the output as far as it can be sent, now that the tool has run.

    Of a tool that changes something the model is told so, with the beginning of the output: it must not call again.

    Raises:
        ToolError: The output of a `read` tool is larger than a history takes; says what to do.
    """
    reason = limits.why_too_large(output, "The result", limits.MAX_TOOL_OUTPUT_BYTES)
    if not reason:
        return output
    if effect is Effect.READ:
        raise ToolError(f"{reason}: ask for less, or for a part.")
    return _incomplete(name, reason, output.content)


def without_result(reason: str, name: str, effect: Effect) -> ToolOutput:
    """Return what stands for a result that cannot be told, now that the tool has run.

    Args:
        reason: Why not, as a sentence without its full stop.
        name: What the model calls the tool.
        effect: What happens when it runs twice.

    Raises:
        ToolError: A `read` tool returned it.
    """
    if effect is Effect.READ:
        raise ToolError(f"{reason}.")
    return _incomplete(name, reason, "")


def _incomplete(name: str, reason: str, content: str) -> ToolOutput:
    told = f"{name} has run: do not call it again for the same. {reason}."
    room = limits.MAX_TOOL_OUTPUT_BYTES
    while content and limits.written_bytes(f"{told} It begins with:\n{content}") > room - _ENVELOPE_BYTES:
        # Most characters take one byte as JSON, and none more than six.
        content = content[: min(len(content) * 3 // 4, room)]
    whole = f"{told} It begins with:\n{content}" if content else told
    return ToolOutput(content=whole, incomplete=reason)
