"""The workflow of a run: one execution of one runnable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception
from temporalio.worker import (
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

with workflow.unsafe.imports_passed_through():
    from ..activities.conversation.continued_conversation import take_over
    from ..contracts import limits, names
    from ..contracts.errors import SpecError
    from ..contracts.message import Message
    from ..contracts.specs.agent import Agent
    from ..contracts.tool import ToolDefinition
    from ..contracts.wire.places import Place
    from ..contracts.wire.run import Carried, Result, RunInput, Status
    from ..contracts.wire.transcript import TranscriptPage, TranscriptQuery
    from . import policy
    from .agent.loop import AgentLoop
    from .agent.mcp_catalogue import mcp_tools
    from .agent.state import AgentState
    from .budget.carrying import carried_of
    from .concurrency import result_of_error, uninterrupted
    from .guardrails.judging import guarded
    from .guardrails.releasing import held_back
    from .interpreter import Interpreter
    from .memory.turn_memory import TurnMemory
    from .nested_run import why_too_deep
    from .payload_limits import why_full
    from .scope import Scope
    from .search_attributes import leave
    from .tally import Tally

# What an input that is not a `RunInput` raises before `run` can catch it: it must not retry the workflow task for ever.
_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError)

_SERVED: Final = "sostenuto_served"

_NOT_CARRIED: Final[dict[str, Any]] = {"message": None, "before": (), "passages": (), "decisions": (), "sealed": {}}


class _Run:
    """Runs a runnable to its result.

    States: at work, then one of `Status`. It accepts the transcript query, decisions on calls that wait for a person,
    and a cancel at any moment. An agent, or a
    team that delegates, continues as new between two turns when the server suggests so, with everything it has. After a
    crash it goes on where the history ends. A failed run ends as a failure whose detail is the partial result, a
    cancelled one as cancelled with its result in the memo; every other one returns its result.
    """

    def __init__(self, run: RunInput) -> None:
        self._input = run
        self._place = Place(run.path or run.runnable.name)
        self._interpreter = Interpreter(self._place, offload=run.offload)
        self._interpreter.found.know(run.passages)
        self._interpreter.guards.open(self._place, run.guardrails, run.runnable.guardrails)
        self._interpreter.guards.seal(run.sealed)
        self._interpreter.guards.tainted = run.tainted
        self._interpreter.serve()
        self._loop: AgentLoop | None = None
        self._memory: TurnMemory | None = None

    @workflow.query(name=names.TRANSCRIPT_QUERY)
    def transcript(self, query: TranscriptQuery) -> TranscriptPage:
        """Return a page of a transcript, for a model call whose worker does not have it."""
        return self._interpreter.page(query)

    async def _to_end(self) -> Result:
        try:
            result = await self._run()
        except BaseException as error:  # noqa: BLE001 - a bug of ours must not retry the workflow task for ever
            ended = result_of_error(error)
            result = self._interpreter.tally.result(ended.status, ended.reason)
        result = await self._interpreter.compensator.ended(self._place, result)
        if not workflow.all_handlers_finished():
            await uninterrupted(workflow.wait_condition(workflow.all_handlers_finished))
            # A cancel that asks for it may have come meanwhile.
            result = await self._interpreter.compensator.ended(self._place, result)
        await self._interpreter.accounts.close(self._place)
        if self._input.compact and result.status is Status.COMPLETED:
            result = result.model_copy(update={"steps": {}})
        result = self._guarded(result.model_copy(update=self._effects()))
        result = self._interpreter.outbox.fitting(result)
        self._interpreter.cost.end(result.totals, result.status)
        if self._input.leaves_memo:
            # What started it wants all that it has, which Temporal hands on of one that returns.
            is_root = workflow.info().parent is None
            leave(self._interpreter.details.text(result), result, self._interpreter.outbox, cancels=is_root)
        if result.status is Status.FAILED:
            raise ApplicationError(result.reason, result, type=names.RUN_FAILED, non_retryable=True)
        return result

    def _effects(self) -> dict[str, Any]:
        """Return what a result tells of what was done."""
        effects = self._interpreter.effects
        told = {"effects": effects.left()} if workflow.info().parent else {}
        return {**told, "compensated": effects.compensated}

    def _guarded(self, result: Result) -> Result:
        """Return a result with the originals of its placeholders, as ciphertext."""
        guards = self._interpreter.guards
        tainted = guards.tainted and workflow.info().parent is not None
        if not (guards.sealed or tainted):
            return result
        return result.model_copy(update={"sealed": guards.mentioned_in(result), "tainted": tainted})

    async def _run(self) -> Result:
        runnable = self._input.runnable
        self._interpreter.accounts.open(self._place, self._input.budget, runnable.budget, envelope=self._input.envelope)
        if why := why_too_deep(self._place):
            return Result(status=Status.FAILED, reason=why)
        if refused := await self._screened():
            return refused
        agent: Agent | None = runnable.agent
        if agent is not None:
            return await self._agent(agent)
        scope = Scope.root(self._place, self._message())
        if runnable.has_own_run:
            return await self._interpreter.run_here(runnable, scope)
        return await self._interpreter.run(runnable, scope)

    async def _screened(self) -> Result | None:
        """Have what it is asked looked at, where nobody has; return any refusal."""
        run, guards = self._input, self._interpreter.guards
        is_root = workflow.info().parent is None
        # What clients send has passed all; what another run hands down, what that was guarded by.
        seen = (*run.guardrails, *(run.runnable.guardrails if is_root else ())) if run.screened else ()
        unseen = guards.unseen(self._place, seen)
        if run.message is None or run.carried:
            return None
        decisions = run.decisions
        if unseen:
            found = await guarded(self._interpreter, self._place, run.message, unseen, "input")
            guards.seal(found.sealed)
            self._input = run.model_copy(update={"message": found.message or run.message})
            decisions += found.decisions
        return await held_back(decisions, self._message().text, self._interpreter.approvals, self._place, 0)

    async def _agent(self, agent: Agent) -> Result:
        carried, transfers = self._input.carried, self._input.transfers
        found = self._interpreter.found
        if agent.long_term:
            remembering = carried.remembering if carried else None
            self._memory = TurnMemory(self._interpreter, agent.long_term, self._place, remembering)
        if carried:
            tools: tuple[ToolDefinition, ...] = (*carried.mcp, *transfers)
            self._interpreter.resume(carried)
            guardrails = self._interpreter.guards.at(self._place)
            state = AgentState.resumed(agent, carried, found, tools, guardrails)
        else:
            mcp = await mcp_tools(agent, self._place, transfers)
            tools = (*mcp, *transfers)
            begins, tally = await self._begins(), Tally()
            if self._memory:
                told = await self._memory.before(begins[-1], tally)
                if isinstance(told, Result):
                    return told
                begins = (*begins[:-1], told, begins[-1]) if told else begins
            after = self._place.before_first_reply(workflow.info().run_id)
            state = AgentState.begun(
                agent,
                begins,
                found,
                tools,
                after=after,
                standing=len(begins),
                head_stands=not mcp,
                tally=tally,
                guardrails=self._interpreter.guards.at(self._place),
            )
            state.begins = len(self._input.before)
        self._loop = AgentLoop(self._interpreter, agent, self._place, state, tools)
        result = await self._loop.run(self._at_turn)
        # What was said in a turn that completed is written whole, whatever cancel comes meanwhile.
        return await uninterrupted(self._memory.after(self._loop.state, result)) if self._memory else result

    async def _begins(self) -> tuple[Message, ...]:
        """Return the first messages: the continued conversation, and what is asked."""
        asked = (self._input.message,) if self._input.message else ()
        if self._input.continues is None:
            return (*self._input.before, *(asked or (self._message(),)))
        try:
            page = await workflow.execute_activity(
                take_over,
                self._input.continues,
                activity_id=self._place.continued_conversation(),
                summary=f"the conversation of {self._input.continues.run_id}",
                **policy.continued_conversation_policy(),
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            raise SpecError(f"the conversation cannot be taken over: {error.cause or error}") from None
        self._interpreter.found.know(page.passages)
        return (*page.messages, *asked)

    def _message(self) -> Message:
        if self._input.message is None:
            raise SpecError(f"{self._input.runnable.name!r} is asked nothing: message is missing")
        return self._input.message

    def _carried(self, loop: AgentLoop) -> Carried:
        account = self._interpreter.account(self._place)
        granted = tuple(sorted(self._interpreter.approvals.granted))
        effects = self._interpreter.effects
        left: dict[str, Any] = {"effects": effects.left(), "compensated": effects.compensated, "granted": granted}
        left |= {"top_ups": self._interpreter.accounts.top_ups.carried}
        carried = loop.state.carried(self._interpreter.places)
        left |= {"remembering": self._memory.carried if self._memory else None}
        left |= {"sealed": self._interpreter.guards.sealed, "tainted": self._interpreter.guards.tainted}
        return carried.model_copy(update={"budgets": carried_of(account) if account else (), **left})

    def _at_turn(self) -> Result | None:
        if self._loop is None or not workflow.info().is_continue_as_new_suggested():
            return None
        if self._interpreter.accounts.is_telling and not why_full():
            return None
        if self._input.offload or self._loop.state.transcript.size < limits.CARRIED_BYTES:
            # What it was given at first may have been given back since.
            envelope = self._interpreter.accounts.envelope(self._place)
            carried = self._input.model_copy(update={"carried": self._carried(self._loop), "envelope": envelope})
            # A command that the server refuses would fail the workflow task for ever: this size must be no less.
            if self._input.offload or limits.written_bytes(carried) < limits.CARRIED_BYTES:
                self._interpreter.cost.stop()
                # What it was asked is the first message of what it takes along.
                workflow.continue_as_new(self._interpreter.packed.of(carried.model_copy(update=_NOT_CARRIED)))
        if full := why_full():
            return self._loop.state.result(
                Status.EXHAUSTED,
                f"{full} and the transcript too large to continue as new: {limits.HOW_TO_KEEP_OUTSIDE}",
            )
        return None


# The sandbox guards nothing here, since it has to let this package through, and entering it takes a quarter of the
# worker's processor time. `tests/architecture/test_determinism.py` does what it would do.
@workflow.defn(name=names.RUN_WORKFLOW, sandboxed=False, failure_exception_types=_UNREADABLE)
class RunWorkflow(_Run):
    """Runs what a version before 0.3 began, and whatever has its workflow type."""

    @workflow.init
    def __init__(self, run: RunInput) -> None:
        super().__init__(run)

    @workflow.run
    async def run(self, run: RunInput) -> Result:  # noqa: ARG002 - taken by __init__, as the SDK wants it
        """Run it."""
        return await self._to_end()


# The SDK's types have no failures of a dynamic workflow that do not depend on its instance; it heeds them.
@workflow.defn(dynamic=True, sandboxed=False, failure_exception_types=_UNREADABLE)  # type: ignore[call-overload]
class TypedRunWorkflow(_Run):
    """Runs a runnable under a workflow type of its own, see `names.run_type`."""

    @workflow.init
    def __init__(self, given: Sequence[RawValue]) -> None:
        [run] = given
        super().__init__(workflow.payload_converter().from_payload(run.payload, RunInput))

    @workflow.run
    async def run(self, given: Sequence[RawValue]) -> Result:  # noqa: ARG002 - taken by __init__, as above
        """Run it."""
        return await self._to_end()


class ServedTypes(Interceptor):
    """Has a worker refuse the workflow types that it does not serve, as the SDK does.

    The SDK would give them to `TypedRunWorkflow`. A workflow that is refused waits for a worker that serves it.

    Args:
        workflows: Classes that the worker serves.
    """

    def __init__(self, workflows: Sequence[type]) -> None:
        definitions = [getattr(one, "__temporal_workflow_definition", None) for one in workflows]
        self._served = sorted(one.name for one in definitions if one and one.name)

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        """Return the class that the SDK makes one of for each workflow."""
        input.unsafe_extern_functions[_SERVED] = lambda: self._served
        return _Refusing


class _Refusing(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        kind = outbound.info().workflow_type
        served: list[str] = workflow.extern_functions()[_SERVED]()
        if kind not in served and not names.is_run_type(kind):
            # Raised here it fails the workflow task, not the workflow.
            raise ApplicationError(
                f"Workflow class {kind} is not registered on this worker, available workflows: {', '.join(served)}",
                type="NotFoundError",
            )
        super().init(outbound)
