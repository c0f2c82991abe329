"""Tool calls.

Each tool is an activity type of its own name, so that the Temporal UI reads like the agent's work.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from temporalio import activity
from temporalio.exceptions import ApplicationError

from ..contracts import names
from ..contracts.errors import ToolError
from ..contracts.message import FilePart, ImagePart
from ..contracts.signature.tool_signature import ToolArgumentsError
from ..contracts.tool import Effect, Tool, ToolContext
from ..contracts.wire.tool_call import ToolInvocation, ToolOutput, not_permitted
from .call.failure import failure, text_of, told, ungrouped
from .call.given.resources import Resources
from .call.given.run_context import ContextUnreadable, RunContexts
from .call.live import Live, TellProgress
from .call.tool_call import Report, fit, idempotency_key, tool_call, without_result
from .call.user_code import UserCode, is_cancelled
from .guardrails.guarded_call import GuardedCall
from .guardrails.screening import Guards
from .transcript_cache import TranscriptCache

T = TypeVar("T")

ToolActivity = Callable[[ToolInvocation], Awaitable[ToolOutput]]

SHUTDOWN_SECONDS = 5.0
"""How long a sync `once` tool is still waited for when its worker is to end."""


def tool_activities(
    tools: Iterable[Tool[..., Any]],
    cache: TranscriptCache,
    user: UserCode,
    live: Live | None = None,
    contexts: RunContexts | None = None,
    resources: Resources | None = None,
    guards: Guards | None = None,
) -> list[ToolActivity]:
    """Make an activity of each tool, under the tool's name.

    Args:
        tools: What to serve.
        cache: Keeps the results until the next model call.
        user: Runs the functions.
        live: Told how far they are. Default: nobody can watch.
        contexts: Knows the contexts of runs. Default: of an app that names no type for them.
        resources: What they share. Default: nothing.
        guards: What guardrails need. Default: there are none.
    """
    given = _Given(contexts or RunContexts(), resources or Resources(None, user), guards or Guards())
    return [_activity(tool, cache, user, live or Live(), given) for tool in tools]


@dataclass(frozen=True, slots=True)
class _Given:
    """What runs and workers have for tools."""

    contexts: RunContexts
    resources: Resources
    guards: Guards


def _activity(tool: Tool[..., Any], cache: TranscriptCache, user: UserCode, live: Live, given: _Given) -> ToolActivity:
    @activity.defn(name=tool.spec.name)
    async def call(invocation: ToolInvocation) -> ToolOutput:
        """Run the tool once.

        Repeatable as its effect class says; the idempotency key stays the same. Every failure is of type
        `ToolFailed` with a message for the model, retryable while the tool has retries left. Heartbeats on its own.
        """
        guarded = GuardedCall(given.guards, invocation, tool)

        async def run(report: Report) -> ToolOutput:
            if tool.spec.asks and not invocation.permitted:
                message = not_permitted(tool.spec.name)
                raise ApplicationError(message, type=names.TOOL_FAILED, non_retryable=True)
            context = await _for_call(tool, invocation, given)
            opened = _opened(tool, guarded)
            with live.tool_call(None if guarded.is_idle else guarded.text) as tell:
                return await _run(tool, opened, _Told(report, tell), user, context)

        spec = tool.spec
        return await tool_call(invocation, name=spec.name, effect=spec.effect, cache=cache, run=run, guarded=guarded)

    return call


def _opened(tool: Tool[..., Any], guarded: GuardedCall) -> ToolInvocation:
    """Return the call as the tool is given it.

    Raises:
        ApplicationError: Of type `ToolFailed`: it takes originals that cannot be had, and was not run.
    """
    try:
        return guarded.invocation()
    except ToolError as error:
        message = f"{tool.spec.name}: {error}"
        raise failure(error, message, kind=names.TOOL_FAILED, retryable=False, foreseen=True) from None


class _CallFailedError(Exception):
    """A failed call in words.

    They were found where the function ran: the texts of its errors are its own code, too.
    """

    def __init__(self, message: str, *, final: bool) -> None:
        super().__init__(message)
        self.final = final


@dataclass(frozen=True, slots=True)
class _Told:
    """What is told of a call while the tool runs."""

    report: Report
    on_progress: TellProgress


@dataclass(frozen=True, slots=True)
class _ForCall:
    """What a call is given besides its arguments."""

    context: Any = None
    tenant: str = ""
    resources: Any = None


async def _for_call(tool: Tool[..., Any], invocation: ToolInvocation, given: _Given) -> _ForCall:
    """Return what a call is given besides its arguments.

    Raises:
        ApplicationError: Of type `ToolFailed`: it cannot be had, and the tool was not run.
    """
    if not tool.signature.hidden:
        return _ForCall()
    try:
        found = await given.contexts.own(is_there=invocation.context)
        context = found.typed(tool.context_type or given.contexts.kind)
        return _ForCall(context, found.tenant, given.resources.value)
    except ContextUnreadable as error:
        again = tool.spec.effect is not Effect.ONCE and error.may_pass
        message = f"{tool.spec.name} was not run: {error}"
        raise failure(error, message, kind=names.TOOL_FAILED, retryable=again) from None
    except ValueError as error:
        message = f"{tool.spec.name} was not run: {error}"
        # The frames are ours: what is wrong is in the run's context.
        raise failure(error, message, kind=names.TOOL_FAILED, retryable=False, foreseen=True) from None


async def _run(
    tool: Tool[..., Any], invocation: ToolInvocation, told_of: _Told, user: UserCode, for_call: _ForCall
) -> ToolOutput:
    cancelled = threading.Event()
    limit = asyncio.timeout(tool.spec.timeout.total_seconds())
    context = _context(invocation, told_of, cancelled, for_call)
    on_loop = tool.is_async

    def call() -> Any:
        return tool.function(**_arguments(tool, invocation, context))

    try:
        async with limit:
            if on_loop:
                return await user.on_loop(tool.spec.name, lambda: _awaited(tool, call))
            ended = await _in_thread(tool, lambda: _called(tool, call), user, cancelled, limit)
            if isinstance(ended, ToolOutput):
                return ended
            on_loop = True
            return await user.on_loop(tool.spec.name, lambda: _awaited(tool, lambda: ended))
    except _CallFailedError as error:
        retryable = not error.final and _retries_left(tool)
        raised, foreseen = error.__cause__ or error, error.final or error.__cause__ is None
        raise failure(raised, str(error), kind=names.TOOL_FAILED, retryable=retryable, foreseen=foreseen) from None
    except TimeoutError as error:
        message = _timeout_message(tool, user.culprit if on_loop else "")
        again = _retries_left(tool)
        unknown = () if tool.spec.effect is Effect.READ else (names.OUTCOME_UNKNOWN,)
        raise failure(error, message, kind=names.TOOL_FAILED, retryable=again, details=unknown, foreseen=True) from None
    finally:
        cancelled.set()


async def _awaited(tool: Tool[..., Any], call: Callable[[], Awaitable[Any]]) -> ToolOutput:
    with _failing():
        return _output(tool, await call())


def _called(tool: Tool[..., Any], call: Callable[[], Any]) -> ToolOutput | Awaitable[Any]:
    with _failing():
        value = call()
        # Such as the coroutine of an async function under a sync decorator: what is async has no loop in this thread.
        return value if inspect.isawaitable(value) else _output(tool, value)


@contextmanager
def _failing() -> Iterator[None]:
    """Put whatever the function raises into words for the model."""
    try:
        yield
    except BaseException as raised:
        error = ungrouped(raised)
        if isinstance(error, ToolError | ToolArgumentsError):
            raise _CallFailedError(text_of(error), final=True) from error
        if is_cancelled(raised):
            raise
        raise _CallFailedError(told(error), final=False) from error


async def _in_thread(
    tool: Tool[..., Any],
    work: Callable[[], ToolOutput | Awaitable[Any]],
    user: UserCode,
    cancelled: threading.Event,
    limit: asyncio.Timeout,
) -> ToolOutput | Awaitable[Any]:
    thread = user.submit(work)
    running = asyncio.wrap_future(thread)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        cancelled.set()
        if thread.cancel():
            if limit.expired():
                taken = f"other sync functions take all {user.threads} threads of its worker"
                raise _CallFailedError(f"{tool.spec.name} was not run: {taken}", final=False) from None
            raise
        thread.add_done_callback(_close)
        # A thread cannot be stopped: what a `once` tool has done by its end belongs in the history.
        if tool.spec.effect is Effect.ONCE and not limit.expired():
            ended = await _end_of(running)
            if isinstance(ended, ToolOutput):
                return ended
        raise


def _close(thread: Future[ToolOutput | Awaitable[Any]]) -> None:
    """Close a coroutine that came too late to be awaited."""
    if not thread.cancelled() and not thread.exception() and inspect.iscoroutine(ended := thread.result()):
        ended.close()


async def _end_of(running: asyncio.Future[T]) -> T:
    """Wait for a function that cannot be stopped, but not long after a shutdown."""
    # Asked and not waited for: a tool on the other loop may wait for the same, and an event is of one loop.
    while not running.done() and not activity.is_worker_shutdown():
        await asyncio.wait({running}, timeout=0.5)
    await asyncio.wait({running}, timeout=SHUTDOWN_SECONDS)
    if not running.done():
        raise asyncio.CancelledError
    return running.result()


def _context(
    invocation: ToolInvocation, told_of: _Told, cancelled: threading.Event, for_call: _ForCall
) -> ToolContext[Any]:
    info = activity.info()
    return ToolContext(
        run_id=info.workflow_id or "",
        call_id=invocation.call_id,
        idempotency_key=idempotency_key(invocation),
        attempt=info.attempt,
        context=for_call.context,
        tenant=for_call.tenant,
        undoes=invocation.undoes.key if invocation.undoes else "",
        resources=for_call.resources,
        _heartbeat=told_of.report,
        _progress=told_of.on_progress,
        _is_cancelled=cancelled.is_set,
    )


def _arguments(tool: Tool[..., Any], invocation: ToolInvocation, context: ToolContext[Any]) -> dict[str, Any]:
    arguments = tool.signature.bind(invocation.arguments)
    return {**arguments, tool.signature.hidden: context} if tool.signature.hidden else arguments


def _output(tool: Tool[..., Any], value: Any) -> ToolOutput:
    name, effect = tool.spec.name, tool.spec.effect
    try:
        return fit(_plain(tool, value), name, effect)
    except ToolError:
        raise
    except Exception as error:  # noqa: BLE001 - the function has run: what its result raises must not hide that
        return without_result(f"The result cannot be written as JSON ({told(error)})", name, effect)


def _plain(tool: Tool[..., Any], value: Any) -> ToolOutput:
    if isinstance(value, ToolOutput):
        return value
    if isinstance(value, ImagePart | FilePart):
        return ToolOutput(attachments=(value,))
    return ToolOutput(content=tool.signature.render(value))


def _timeout_message(tool: Tool[..., Any], culprit: str) -> str:
    taken = f"{tool.spec.name} took longer than {tool.spec.timeout.total_seconds():g} s and was stopped."
    if culprit:
        taken += f" On its worker {culprit} holds up all async functions."
    return f"{taken} Whether it took effect is unknown." if tool.spec.effect is Effect.ONCE else taken


def _retries_left(tool: Tool[..., Any]) -> bool:
    return activity.info().attempt <= tool.spec.retries
