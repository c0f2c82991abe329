"""Interprets the runnables of one workflow: places them, runs them, shows them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from temporalio import workflow

from ..contracts.control.budget import Ask, Budget
from ..contracts.message import Message
from ..contracts.specs.agent import Agent
from ..contracts.specs.runnable import Runnable
from ..contracts.tool import ToolDefinition
from ..contracts.wire.memory.compaction import Compaction
from ..contracts.wire.model_call import ModelReply
from ..contracts.wire.places import Place
from ..contracts.wire.retrieval import RetrievalCall, Retrieved
from ..contracts.wire.route_call import RouteChoice
from ..contracts.wire.run import Carried, Continuation, Result, RunInput, Status
from ..contracts.wire.totals import Totals
from ..contracts.wire.transcript import TranscriptPage, TranscriptQuery
from .agent.loop import AgentLoop
from .agent.mcp_catalogue import Catalogues
from .agent.state import AgentState
from .agent.transcript import Transcript
from .budget.account import Account, WaitForTopUp
from .budget.accounts import Accounts
from .budget.amount import Amount
from .budget.nested import settle_nested
from .budget.prices import Prices
from .budget.searches import search_within
from .budget.spent_error import BudgetSpentError
from .concurrency import CANCELLED, result_of_error
from .control.approvals import Approvals
from .effects.compensator import Compensator
from .effects.effect_log import EffectLog
from .guardrails.run_guards import RunGuards
from .host import Host
from .knowledge.found import FoundPassages
from .nested_run import PackedRunnables, barred_at, not_begun, run_child
from .patterns.chain import run_chain
from .patterns.parallel import run_parallel
from .patterns.prompt import run_prompt
from .patterns.retrieve import run_retrieve
from .patterns.router import run_router
from .patterns.team import run_team
from .payload_limits import Outbox, PayloadTooLargeError
from .run_context import memo_bytes
from .scope import Scope
from .search_attributes import Awaiting, RunningCost
from .tally import Tally
from .ui_details import SHOWN_MESSAGES, Details

Runner = Callable[[Host, Any, Scope], Awaitable[Result]]

RUNNERS: Mapping[str, Runner] = {
    "prompt": run_prompt,
    "retrieve": run_retrieve,
    "chain": run_chain,
    "router": run_router,
    "parallel": run_parallel,
    "team": run_team,
}
"""What runs each kind of runnable. An agent, and a team that is led by one, is run by the agent loop."""


class Interpreter:
    """One workflow's part of the runnable tree: the host of its patterns and agents.

    Prompts, retrievals, chains, routers and parallel work run in the workflow itself. Agents and teams that are nested
    in it, and every member of a team, run as child workflows: each has a history of its own, and this one never its
    transcript.

    Args:
        root: Place of the workflow's own runnable.
        offload: Whether client and workers keep large payloads outside the history.
    """

    def __init__(self, root: Place, *, offload: bool = False) -> None:
        self.root = root
        self.tally = Tally()
        """What everything in the workflow used so far."""
        self.details = Details(root, self.tally)
        self.outbox = Outbox(offload=offload)
        self.cost = RunningCost(self.tally)
        awaiting = Awaiting(self.cost.tell_awaiting)
        self.approvals = Approvals(awaiting, self.outbox, self.details.waits)
        """The calls in it that wait for a person."""
        self.effects = EffectLog()
        self.compensator = Compensator(self.effects, self.approvals, self.outbox)
        self.catalogues = Catalogues()
        self.accounts = Accounts(awaiting, self.details.lacks)
        self._prices = Prices()
        self.found = FoundPassages()
        """What everything in the workflow found so far."""
        self.guards = RunGuards()
        self._offload = offload
        self._transcripts: dict[str, Transcript] = {}
        self._used: Counter[str] = Counter()
        self.packed = PackedRunnables()

    @property
    def places(self) -> Mapping[str, int]:
        """How often each place was used so far."""
        return self._used

    def resume(self, carried: Carried) -> None:
        """Go on from where an earlier execution of the workflow left off."""
        self._used.update(carried.places)
        self.guards.seal(carried.sealed)
        self.guards.tainted |= carried.tainted
        self.approvals.grant(carried.granted)
        self.effects.resume(carried)
        self.tally.totals, self.tally.turns = carried.totals, carried.turns + carried.nested_turns
        self.accounts.top_ups.resume(carried.top_ups)
        self.accounts.resume(self.root, Amount.of(carried.totals, self.tally.turns), carried.budgets)

    def use(self, name: str) -> int:
        """Return how often a name was used in this workflow, this use included."""
        self._used[name] += 1
        return self._used[name]

    def numbered(self, place: Place) -> Place:
        """Return the place, with a number where it was used before: ids are made of it."""
        return place.numbered(self.use(place))

    def forget(self, place: Place) -> None:
        """Forget what ran within a place that nothing will run in again."""
        for used in [used for used in self._used if Place(used).is_within(place)]:
            del self._used[used]
        self.accounts.forget(place)
        self.guards.forget(place)
        self.effects.forget(place)
        self.compensator.forget(place)
        for begun in [begun for begun in self._transcripts if Place(begun).is_within(place)]:
            del self._transcripts[begun]

    def account(self, place: Place) -> Account | None:
        """Return the account that what runs at a place is charged to.

        None where nothing is limited.
        """
        return self.accounts.at(place)

    def top_up_as(self, ask: Ask) -> WaitForTopUp:
        """Return what waits for a top-up of a budget, for as long as that says."""
        return self.accounts.top_ups.wait_as(ask)

    def serve(self) -> None:
        """Take decisions on calls that wait, and top-ups, from now on."""
        self.approvals.serve()
        self.accounts.top_ups.serve()

    def shared(self, place: Place, count: int) -> AbstractContextManager[None]:
        """Let so many that are at work at once have an even part of a budget."""
        return self.accounts.shared(place, count)

    def spent(self, totals: Totals, tally: Tally) -> None:
        """Take in what was spent, or is charged for a call that has no answer."""
        for one in (tally, self.tally):
            one.charge(totals)
        self.cost.note()

    def began(self, place: Place, transcript: Transcript) -> None:
        """Let model calls page in an agent's transcript, and show what it begins with."""
        self._transcripts[place] = transcript
        self.details.told(place, transcript.messages[-SHOWN_MESSAGES:])

    def replied(self, place: Place, reply: ModelReply) -> None:
        """Add up what a model's reply cost, and show it."""
        self.guards.seal(reply.sealed)
        self.tally.reply(reply)
        self.cost.note()
        self.details.told(place, (reply.message,))

    def spent_on(self, reply: ModelReply, tally: Tally) -> None:
        """Take in what a model call cost that is no turn, such as a summary."""
        self.guards.seal(reply.sealed)
        for one in (tally, self.tally):
            one.reply(reply)
        self.cost.note()

    def compacted(self, place: Place, step: Compaction) -> None:
        """Show by what a prompt was shortened."""
        self.details.compacted(place, step.words)

    async def search(self, call: RetrievalCall, place: Place, tally: Tally) -> Retrieved:
        """Return what a search finds; take that in, and what it cost, and show it."""
        search = place.tool_call(call.call_id) if call.call_id else place.search()
        if guardrails := self.guards.at_stage(place, "passages"):
            call = call.model_copy(update={"guardrails": guardrails})
        found = await search_within(
            self.account(place),
            call,
            search,
            hold=self.accounts.held_or_asked,
            charge=lambda totals: self.spent(totals, tally),
        )
        self.guards.seal(found.sealed)
        self.guards.read(call.name or call.collection.name, place)
        self.found.add(found, "" if call.call_id else search)
        self.details.retrieved(place, found.summary(call.collection.name))
        return found

    def chose(self, place: Place, choice: RouteChoice) -> None:
        """Show what a router decided."""
        self.details.chose(place, choice)

    def page(self, query: TranscriptQuery) -> TranscriptPage:
        """Return a page of one of the transcripts.

        Raises:
            ValueError: There is no transcript of that name here.
        """
        known = self._transcripts.get(query.transcript)
        if known is None:
            names = ", ".join(self._transcripts) or "none"
            raise ValueError(f"there is no transcript {query.transcript!r} in this workflow: there are {names}")
        page = known.page(query)
        found = tuple(self.found.passages.values()) if query.with_passages else ()
        return page.model_copy(update={"passages": found}) if found else page

    async def run(self, runnable: Runnable, scope: Scope) -> Result:
        """Run a runnable at its place and return its result, also when it is cancelled."""
        if barred := barred_at(scope.path):
            return barred
        if runnable.has_own_run:
            result, _ = await self.child(runnable, scope.path, scope.message)
            return result
        scope = Scope(self.numbered(scope.path), scope.message, scope.names)
        self.details.started(scope.path)
        self.accounts.open(scope.path, runnable.budget)
        self.guards.open(scope.path, runnable.guardrails)
        try:
            result = await self.run_here(runnable, scope)
        except Exception as error:  # noqa: BLE001 - a bug of ours must not lose what came before it
            result = result_of_error(error)
        await self.accounts.close(scope.path)
        self.details.finished(scope.path, result)
        return result

    async def run_here(self, runnable: Runnable, scope: Scope) -> Result:
        """Return what a runnable comes to in this workflow, by the runner of its kind."""
        return await RUNNERS[runnable.kind](self, runnable, scope)

    async def ask(self, agent: Agent, place: Place, message: Message, tally: Tally | None = None) -> Result:
        """Return what a model without tools says to one message, exactly at this place."""
        result = await self.converse(agent, place, [message], tally).run()
        # A long list would otherwise fill the worker's memory with conversations that are over.
        del self._transcripts[place]
        return result

    def converse(
        self, agent: Agent, place: Place, messages: Iterable[Message], tally: Tally | None = None
    ) -> AgentLoop:
        """Begin a conversation with a model without tools, exactly at this place."""
        after = place.before_first_reply(workflow.info().run_id)
        state = AgentState.begun(
            agent, messages, self.found, after=after, tally=tally, guardrails=self.guards.at(place)
        )
        return AgentLoop(self, agent, place, state)

    async def child(
        self,
        runnable: Runnable,
        place: Place,
        message: Message | None,
        *,
        call_id: str = "",
        continues: Continuation | None = None,
        transfers: tuple[ToolDefinition, ...] = (),
        compact: bool = True,
        before: tuple[Message, ...] = (),
        budget: Budget | None = None,
    ) -> tuple[Result, Continuation]:
        """Run a runnable as a nested run; return its result and how to continue it."""
        place = self.numbered(place)
        child_id = place.nested_run_id(workflow.info().workflow_id, self.root)
        self.details.started(place, run_id=child_id)
        if continues and runnable.may_cite:
            continues = continues.model_copy(update={"passages": True})
        try:
            runnable, budget = await self._prices.filled(runnable, budget, place)
            envelope = await self.accounts.give(place, child_id)
        except (BudgetSpentError, asyncio.CancelledError) as error:
            result = not_begun(error)
            self.details.finished(place, result)
            return result, Continuation(run_id=child_id, path=place)
        run = RunInput(
            runnable=runnable,
            message=message,
            before=before,
            path=place,
            call_id=call_id,
            continues=continues,
            transfers=transfers,
            budget=budget,
            envelope=envelope,
            offload=self._offload,
            leaves_memo=True,
            compact=compact,
            passages=self.found.citable_by(runnable, message),
            **self.guards.handed_down(runnable, place, message, *before),
        )
        result = await self._charged(run, child_id)
        self.guards.take(result, runnable, place)
        self.tally.add(result)
        result = self.effects.nested(place, result)
        self.cost.note()
        self.found.cited(result.citations)
        self.details.finished(place, result)
        return result, Continuation(run_id=child_id, path=place)

    async def _charged(self, run: RunInput, child_id: str) -> Result:
        """Return what a nested run comes to, once it is charged to what it was given."""
        try:
            result = await self._nested(run, child_id)
        except BaseException:
            if hold := self.accounts.taken_back(child_id):
                hold.lose()
            raise
        hold = self.accounts.taken_back(child_id)
        return await settle_nested(hold, result, Place(run.path), child_id) if hold else result

    async def _nested(self, run: RunInput, child_id: str) -> Result:
        if barred := barred_at(run.path, child_id):
            return barred
        try:
            async with self.outbox.sending(run, "what it is asked", memo_bytes()):
                given_up = partial(self.compensator.is_given_up, Place(run.path))
                return await run_child(self.packed.of(run), child_id, given_up)
        except PayloadTooLargeError as error:
            return Result(status=Status.FAILED, reason=str(error))
        except asyncio.CancelledError:
            return CANCELLED
