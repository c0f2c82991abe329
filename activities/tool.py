"""Tool calls.

Each tool is an activity type of its own name, so that the Temporal UI reads like the agent's work.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Executor
from typing import Any

from temporalio import activity

from ..contracts import names
from ..contracts.errors import ToolError
from ..contracts.message import FilePart, ImagePart
from ..contracts.tool import Effect, Tool, ToolContext
from ..contracts.tool_signature import ToolArgumentsError
from ..contracts.wire.tool_call import ToolInvocation, ToolOutput
from .call.failure import failure
from .call.tool_call import Report, check_size, idempotency_key, tool_call
from .transcript_cache import TranscriptCache

ToolActivity = Callable[[ToolInvocation], Awaitable[ToolOutput]]


def tool_activities(
    tools: Iterable[Tool[..., Any]], cache: TranscriptCache, threads: Executor | None = None
) -> list[ToolActivity]:
    """Make an activity of each tool, under the tool's name.

    Args:
        tools: What to serve.
        cache: Keeps the results until the next model call.
        threads: Runs the sync tools. None: the event loop's own threads, a handful.
    """
    return [_activity(tool, cache, threads) for tool in tools]


def _activity(tool: Tool[..., Any], cache: TranscriptCache, threads: Executor | None) -> ToolActivity:
    @activity.defn(name=tool.spec.name)
    async def call(invocation: ToolInvocation) -> ToolOutput:
        """Run the tool once.

        Repeatable as its effect class says; the idempotency key stays the same. Every failure is of type
        `ToolFailed` with a message for the model, retryable while the tool has retries left. Heartbeats on its own.
        """

        async def run(report: Report) -> ToolOutput:
            return await _run(tool, invocation, report, threads)

        return await tool_call(invocation, name=tool.spec.name, effect=tool.spec.effect, cache=cache, run=run)

    return call


async def _run(
    tool: Tool[..., Any], invocation: ToolInvocation, report: Report, threads: Executor | None
) -> ToolOutput:
    cancelled = threading.Event()
    limit = asyncio.timeout(tool.spec.timeout.total_seconds())
    try:
        arguments = tool.signature.bind(invocation.arguments)
        if tool.signature.hidden:
            arguments[tool.signature.hidden] = _context(invocation, report, cancelled)
        async with limit:
            if inspect.iscoroutinefunction(tool.function):
                value = await tool.function(**arguments)
            else:
                value = await _in_thread(tool, arguments, threads, cancelled, limit)
        return check_size(_output(tool, value))
    except (ToolError, ToolArgumentsError) as error:
        raise failure(error, str(error), kind=names.TOOL_FAILED, retryable=False) from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a tool raises is for the model
        late = isinstance(error, TimeoutError) and limit.expired()
        message = _timeout_message(tool) if late else f"{type(error).__name__}: {error}"
        raise failure(error, message, kind=names.TOOL_FAILED, retryable=_retries_left(tool)) from None
    finally:
        cancelled.set()


async def _in_thread(
    tool: Tool[..., Any],
    arguments: dict[str, Any],
    threads: Executor | None,
    cancelled: threading.Event,
    limit: asyncio.Timeout,
) -> Any:
    context = contextvars.copy_context()

    def call() -> Any:
        try:
            return context.run(tool.function, **arguments)
        except StopIteration as error:
            # No future takes one: the call would hang.
            raise RuntimeError("the tool raised StopIteration") from error

    running = asyncio.get_running_loop().run_in_executor(threads, call)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        cancelled.set()
        # A thread cannot be stopped: what a `once` tool has done by its end belongs in the history.
        if tool.spec.effect is Effect.ONCE and not limit.expired():
            return await running
        raise


def _context(invocation: ToolInvocation, report: Report, cancelled: threading.Event) -> ToolContext:
    info = activity.info()
    return ToolContext(
        run_id=info.workflow_id or "",
        call_id=invocation.call_id,
        idempotency_key=idempotency_key(invocation),
        attempt=info.attempt,
        _heartbeat=report,
        _is_cancelled=cancelled.is_set,
    )


def _output(tool: Tool[..., Any], value: Any) -> ToolOutput:
    if isinstance(value, ToolOutput):
        return value
    if isinstance(value, ImagePart | FilePart):
        return ToolOutput(attachments=(value,))
    return ToolOutput(content=tool.signature.render(value))


def _timeout_message(tool: Tool[..., Any]) -> str:
    taken = f"{tool.spec.name} took longer than {tool.spec.timeout.total_seconds():g} s and was stopped."
    return f"{taken} Whether it took effect is unknown." if tool.spec.effect is Effect.ONCE else taken


def _retries_left(tool: Tool[..., Any]) -> bool:
    return activity.info().attempt <= tool.spec.retries
