"""MCP servers' tools as activities: their catalogue and their calls.

A run asks for the catalogue once. Must not import an MCP library.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from temporalio import activity
from temporalio.exceptions import ApplicationError

from ..contracts import names
from ..contracts.errors import SetupError, SostenutoError, SpecError, ToolError
from ..contracts.mcp import McpServer
from ..contracts.tool import Effect
from ..contracts.wire.mcp_call import McpCatalogue, McpCatalogueCall, McpInvocation, ToolFault
from ..contracts.wire.tool_call import ToolOutput, not_permitted, outcome_unknown
from .call.failure import failure
from .call.given.run_context import ContextUnreadable, RunContexts
from .call.heartbeat import heartbeats
from .call.own_workflow_query import release_own_run
from .call.tool_call import Report, fit, idempotency_key, tool_call, without_result
from .guardrails.guarded_call import GuardedCall
from .guardrails.screening import Guards
from .mcp_catalogue import catalogue_of
from .mcp_session import CallInterrupted, CallTimedOut, McpCall, McpSession, ServerUnreachable, UnreadableResult
from .not_served import NotServedError, cannot
from .transcript_cache import TranscriptCache

_LOG = logging.getLogger("sostenuto.mcp")
_MOST_LOGGED = 1_000
"""So many faults are logged, lest a server that makes up new ones fills the log."""

_ATTEMPTS = 4
"""After so many the model is told: a call that brings its server down does so every time."""


class McpActivities:
    """The catalogues and the calls of the MCP servers that a worker has sessions with.

    Args:
        servers: The worker's sessions by the names that the app gives the servers.
        cache: Keeps the results until the next model call.
        contexts: Knows the contexts of runs.
        guards: What guardrails need. Default: there are none.
    """

    def __init__(
        self,
        servers: Mapping[str, McpSession],
        cache: TranscriptCache,
        contexts: RunContexts | None = None,
        guards: Guards | None = None,
    ) -> None:
        self._servers = servers
        self._contexts = contexts or RunContexts()
        self._guards = guards or Guards()
        self._cache = cache
        self._logged: set[tuple[str, ToolFault]] = set()

    @activity.defn(name=names.MCP_CATALOGUE_ACTIVITY)
    async def catalogue(self, call: McpCatalogueCall) -> McpCatalogue:
        """List the tools that a server has now, and what is wrong with which.

        Repeatable. Every failure is of type `ToolFailed`, retryable where the server cannot be reached or started
        now. Heartbeats on its own. Costs one request to the server, and its start where it does not run yet.
        """
        async with heartbeats():
            if activity.info().attempt > 1:
                await release_own_run()
            try:
                session = await self._session_for(call.server, is_there=call.context)
                # Later pages that cannot be had are waited for, but not for ever.
                listing = await session.list_tools(whole=activity.info().attempt < _ATTEMPTS)
                # In a thread: of a long list it takes a while, in which nobody else is to be held up.
                return self._told(await asyncio.to_thread(catalogue_of, call.server, session.server, listing))
            except NotServedError as error:
                raise await cannot(str(error)) from None
            except ContextUnreadable as error:
                raise failure(error, str(error), kind=names.TOOL_FAILED, retryable=error.may_pass) from None
            except SostenutoError as error:
                raise failure(
                    error, str(error), kind=names.TOOL_FAILED, retryable=self._may_pass(call, error)
                ) from None

    def _told(self, found: McpCatalogue) -> McpCatalogue:
        """Return the catalogue, and log what is wrong in it.

        Each fault once, however many runs meet it.
        """
        for fault in found.faults:
            if (found.server, fault) not in self._logged and len(self._logged) < _MOST_LOGGED:
                self._logged.add((found.server, fault))
                _LOG.warning("MCP server %r: %s", found.server, fault.told)
        return found

    def _may_pass(self, call: McpCatalogueCall, error: SostenutoError) -> bool:
        """Return whether asking once more may help.

        An address may be down for a while; a command that ends does so again.
        """
        passing = isinstance(error, ServerUnreachable | CallInterrupted | CallTimedOut)
        return passing and (bool(self._session(call.server).server.url) or activity.info().attempt < _ATTEMPTS)

    @activity.defn(name=names.MCP_TOOL_ACTIVITY)
    async def call(self, invocation: McpInvocation) -> ToolOutput:
        """Call a tool of a server once.

        Repeatable as its effect class says; the idempotency key, which goes along, stays the same. Every failure is
        of type `ToolFailed` with a message for the model, retryable only where the server was out of reach, or was
        lost in a call that may be repeated. Heartbeats on its own, with the progress that the server reports.
        """

        async def run(report: Report) -> ToolOutput:
            return await self._run(invocation, report)

        effect, guarded = self._effect(invocation), GuardedCall(self._guards, invocation)
        return await tool_call(
            invocation, name=invocation.name, effect=effect, cache=self._cache, run=run, guarded=guarded
        )

    async def _run(self, invocation: McpInvocation, report: Report) -> ToolOutput:
        name, once = invocation.name, self._effect(invocation) is Effect.ONCE
        call = McpCall(invocation.tool, invocation.arguments, idempotency_key(invocation), report)
        try:
            session = await self._session_for(invocation.server, is_there=invocation.context)
            _check_permitted(session.server, invocation, self._effect(invocation))
            return fit(await session.call_tool(call), name, self._effect(invocation))
        except NotServedError as error:
            raise await cannot(f"{name} was not run: {error}") from None
        except UnreadableResult as error:
            return self._unread(invocation, error)
        except CallTimedOut as error:
            unknown = " Whether it took effect is unknown." if once else ""
            raise _failed(error, f"{name}: {error}{unknown}", retryable=False, unknown=True) from None
        except CallInterrupted as error:
            message = f"{outcome_unknown(name)} ({error})" if once else f"{name}: {error}"
            raise _failed(error, message, retryable=not once, unknown=True) from None
        except (ServerUnreachable, ContextUnreadable) as error:
            raise _failed(error, f"{name} was not run: {error}", retryable=not once) from None
        except (SetupError, SpecError) as error:
            raise _failed(error, f"{name} was not run: {error}", retryable=False) from None
        except ToolError as error:
            raise _failed(error, str(error), retryable=False) from None

    def _unread(self, invocation: McpInvocation, error: UnreadableResult) -> ToolOutput:
        try:
            return without_result(str(error), invocation.name, self._effect(invocation))
        except ToolError as told:
            raise _failed(told, str(told), retryable=False) from None

    async def _session_for(self, name: str, *, is_there: bool) -> McpSession:
        """Return the session for the run of the call.

        Raises:
            NotServedError: This worker has none with the server.
            ContextUnreadable: The server depends on the run's context, which cannot be had now.
            SpecError: It wants a value that the context lacks; names it.
        """
        session = self._session(name)
        if not session.server.wants_context:
            return session
        return session.with_context((await self._contexts.own(is_there=is_there)).values)

    def _session(self, name: str) -> McpSession:
        if name not in self._servers:
            known = ", ".join(sorted(self._servers)) or "none"
            raise NotServedError(
                f"this worker has no MCP server named {name!r} (it has: {known}): "
                f"pass App(mcp={{{name!r}: McpServer(…)}})"
            )
        return self._servers[name]

    def _effect(self, invocation: McpInvocation) -> Effect:
        """Return the tool's effect as the run has it.

        `once` where this worker was told so since.
        """
        session = self._servers.get(invocation.server)
        told = session.server.effects.get(invocation.tool) if session else None
        return Effect.ONCE if told == Effect.ONCE else invocation.effect


def _check_permitted(server: McpServer, invocation: McpInvocation, effect: Effect) -> None:
    """Check that the run has asked for the approval that a tool takes.

    What the server calls destructive is not known here: the catalogue of the run has it.

    Raises:
        ToolError: It has not.
    """
    if not invocation.permitted and server.approval_of(invocation.tool, effect, destructive=False):
        raise ToolError(not_permitted(invocation.name))


def _failed(error: Exception, message: str, *, retryable: bool, unknown: bool = False) -> ApplicationError:
    left = activity.info().attempt < _ATTEMPTS
    details = (names.OUTCOME_UNKNOWN,) if unknown else ()
    return failure(error, message, kind=names.TOOL_FAILED, retryable=retryable and left, details=details)
