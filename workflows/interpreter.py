"""What the runnables of one workflow share: places, transcripts, nested runs, and what the UI shows of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping

from temporalio import workflow

from ..contracts.errors import SpecError
from ..contracts.message import Message
from ..contracts.specs.agent import Agent
from ..contracts.specs.chain import Chain
from ..contracts.specs.parallel import Parallel
from ..contracts.specs.prompt import Prompt
from ..contracts.specs.router import Router
from ..contracts.specs.runnable import Runnable
from ..contracts.specs.team import Team
from ..contracts.tool import ToolDefinition
from ..contracts.wire.model_call import TranscriptPage, TranscriptQuery
from ..contracts.wire.run import Continuation, Result, RunInput, Status
from . import policy
from .agent.loop import AgentLoop
from .agent.mcp_catalogue import Catalogues
from .agent.transcript import Transcript
from .concurrency import CANCELLED, being_cancelled, ended_by
from .nested_run import run_child
from .patterns.chain import run_chain
from .patterns.parallel import run_parallel
from .patterns.router import run_router
from .payload_limits import Outbox, PayloadTooLargeError
from .scope import Scope
from .ui_details import Details


def history_full() -> str:
    """Why nothing more fits into the history of this execution; empty where something does."""
    info = workflow.info()
    events, size = info.get_current_history_length(), info.get_current_history_size()
    if events <= policy.HARD_HISTORY_EVENTS and size <= policy.HARD_HISTORY_BYTES:
        return ""
    return f"the history is full ({events:,} events, {size:,} bytes)"


def too_deep(path: str, child_id: str = "") -> str:
    """Why nothing can run at a place, in a nested run of that id; empty where something can.

    The server refuses longer ids, and the workflow task would be tried for ever.
    """
    if len(path.encode()) > policy.PLACE_BYTES:
        return f"it is nested too deeply: its place {path[:40]}… has more than {policy.PLACE_BYTES} bytes"
    if len(child_id.encode()) > policy.ID_BYTES:
        return f"its id {child_id[:40]}… has more than {policy.ID_BYTES:,} bytes: start the run with a shorter one"
    return ""


def _barred(path: str, child_id: str = "") -> Result | None:
    """What becomes of something that cannot begin any more, or not there; None where it can."""
    if being_cancelled():
        return CANCELLED
    if full := history_full():
        return Result(status=Status.EXHAUSTED, reason=full)
    if deep := too_deep(path, child_id):
        return Result(status=Status.FAILED, reason=deep)
    return None


class Execution:
    """One workflow's part of the runnable tree.

    Prompts, chains, routers and parallel work run in the workflow itself. Agents and teams that are nested in it, and
    every member of a team, run as child workflows: each has a history of its own, and this one never its transcript.

    Args:
        path: Place of the workflow's root.
        offload: Whether client and workers keep large payloads outside the history.
    """

    def __init__(self, path: str, *, offload: bool = False) -> None:
        self.path = path
        self.details = Details(path)
        self.outbox = Outbox(offload=offload)
        self.catalogues = Catalogues()
        self._offload = offload
        self._transcripts: dict[str, Transcript] = {}
        self._used: Counter[str] = Counter()

    @property
    def places(self) -> Mapping[str, int]:
        """How often each place was used, to go on from where the workflow continues as new."""
        return self._used

    def resume(self, places: Mapping[str, int]) -> None:
        """Go on from the places of an earlier execution."""
        self._used.update(places)

    def place(self, path: str) -> str:
        """The path, with a number where it was used before: ids of activities and nested runs are made of it."""
        self._used[path] += 1
        return path if self._used[path] == 1 else f"{path}#{self._used[path]}"

    def register(self, path: str, transcript: Transcript) -> None:
        """Let model calls ask for pages of a transcript."""
        self._transcripts[path] = transcript

    def page(self, query: TranscriptQuery) -> TranscriptPage:
        """A page of one of the transcripts.

        Raises:
            ValueError: There is none of that name here.
        """
        known = self._transcripts.get(query.transcript)
        if known is None:
            names = ", ".join(self._transcripts) or "none"
            raise ValueError(f"there is no transcript {query.transcript!r} in this workflow: there are {names}")
        return known.page(query)

    async def run(self, runnable: Runnable, scope: Scope) -> Result:
        """What a runnable comes to at its place. Cancelled, it comes to a result with what it has."""
        if barred := _barred(scope.path):
            return barred
        if isinstance(runnable, Agent | Team):
            result, _ = await self.child(runnable, scope.path, scope.message)
            return result
        scope = Scope(self.place(scope.path), scope.message, scope.names)
        self.details.started(scope.path)
        try:
            result = await self._inline(runnable, scope)
        except Exception as error:  # noqa: BLE001 - a bug of ours must not lose what came before it
            result = ended_by(error)
        self.details.finished(scope.path, result)
        return result

    async def ask(self, agent: Agent, scope: Scope, message: Message) -> Result:
        """What a model without tools says to one message, here in this workflow."""
        return await self._asked(agent, self.place(scope.path), message)

    async def child(
        self,
        runnable: Runnable,
        path: str,
        message: Message | None,
        *,
        call_id: str = "",
        continues: Continuation | None = None,
        transfers: tuple[ToolDefinition, ...] = (),
        compact: bool = True,
    ) -> tuple[Result, Continuation]:
        """What a runnable comes to in a run of its own, and how to continue its conversation."""
        path = self.place(path)
        child_id = workflow.info().workflow_id + path.removeprefix(self.path)
        continuation = Continuation(run_id=child_id, path=path)
        self.details.started(path, run_id=child_id)
        run = RunInput(
            runnable=runnable,
            message=message,
            path=path,
            call_id=call_id,
            continues=continues,
            transfers=transfers,
            offload=self._offload,
            compact=compact,
        )
        result = await self._nested(run, child_id)
        self.details.finished(path, result)
        return result, continuation

    async def _nested(self, run: RunInput, child_id: str) -> Result:
        if barred := _barred(run.path, child_id):
            return barred
        try:
            async with self.outbox.sending(run, "what it is asked"):
                return await run_child(run, child_id)
        except PayloadTooLargeError as error:
            return Result(status=Status.FAILED, reason=str(error))
        except asyncio.CancelledError:
            return CANCELLED

    async def _inline(self, runnable: Prompt | Chain | Router | Parallel, scope: Scope) -> Result:
        match runnable:
            case Prompt():
                return await self._prompt(runnable, scope)
            case Chain():
                return await run_chain(self, runnable, scope)
            case Router():
                return await run_router(self, runnable, scope)
            case Parallel():
                return await run_parallel(self, runnable, scope)

    async def _prompt(self, prompt: Prompt, scope: Scope) -> Result:
        try:
            message = scope.render(prompt.template)
        except SpecError as error:
            return Result(status=Status.FAILED, reason=f"template: {error}")
        return await self._asked(prompt.asker, scope.path, message)

    async def _asked(self, agent: Agent, path: str, message: Message) -> Result:
        result = await AgentLoop(self, agent, path, [message]).run()
        # A long list would otherwise fill the worker's memory with conversations that are over.
        del self._transcripts[path]
        return result
