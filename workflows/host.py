"""What a workflow gives to the runnables in it, as they see it.

The interpreter implements all of it; patterns and agents reach it through this alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Protocol

from ..contracts.control.budget import Ask
from ..contracts.message import Message
from ..contracts.specs.agent import Agent
from ..contracts.specs.runnable import Runnable
from ..contracts.tool import ToolDefinition
from ..contracts.wire.memory.compaction import Compaction
from ..contracts.wire.model_call import ModelReply
from ..contracts.wire.places import Place
from ..contracts.wire.retrieval import RetrievalCall, Retrieved
from ..contracts.wire.route_call import RouteChoice
from ..contracts.wire.run import Continuation, Result
from ..contracts.wire.totals import Totals
from .agent.transcript import Transcript
from .budget.account import Account, WaitForTopUp
from .control.approvals import Approvals
from .effects.compensator import Compensator
from .effects.effect_log import EffectLog
from .guardrails.run_guards import RunGuards
from .knowledge.found import FoundPassages
from .payload_limits import Outbox
from .scope import Scope
from .tally import Tally
from .ui_details import Details


class Conversation(Protocol):
    """A conversation with a model that has no tools."""

    async def run(self) -> Result:
        """Return what the model answers to everything that it was told."""
        ...

    def tell(self, message: Message) -> None:
        """Go on with the conversation: the next `run` answers this."""
        ...


class Searching(Protocol):
    """Where what searches find is kept."""

    found: FoundPassages

    async def search(self, call: RetrievalCall, place: Place, tally: Tally) -> Retrieved:
        """Return what a search finds; take that in, and what it cost, and show it.

        Args:
            call: What is searched for.
            place: For what: of a tool call its agent.
            tally: Takes in what it cost, also where it fails.

        Raises:
            SpecError: The collection is partitioned, and the run is nobody's.
            FailureError: It cannot be searched; the cause says why.
        """
        ...


class Children(Protocol):
    """Where nested runs are started."""

    async def child(
        self,
        runnable: Runnable,
        place: Place,
        message: Message | None,
        *,
        call_id: str = "",
        continues: Continuation | None = None,
        transfers: tuple[ToolDefinition, ...] = (),
    ) -> tuple[Result, Continuation]:
        """Run a runnable as a nested run; return its result and how to continue it."""
        ...


class Host(Children, Searching, Protocol):
    """What a pattern may ask for: to run another runnable, or to ask a model."""

    compensator: Compensator
    """Undoes what was done in the workflow."""

    async def run(self, runnable: Runnable, scope: Scope) -> Result:
        """Run a runnable at its place and return its result, also when it is cancelled."""
        ...

    async def ask(self, agent: Agent, place: Place, message: Message) -> Result:
        """Return what a model without tools says to one message, exactly at this place."""
        ...

    def converse(
        self, agent: Agent, place: Place, messages: Iterable[Message], tally: Tally | None = None
    ) -> Conversation:
        """Begin a conversation with a model without tools, exactly at this place.

        Args:
            agent: Whose model.
            place: Unique in the workflow.
            messages: What it begins with.
            tally: Takes in what it uses, where its results are not added up.
        """
        ...

    def numbered(self, place: Place) -> Place:
        """Return the place, with a number where it was used before."""
        ...

    def shared(self, place: Place, count: int) -> AbstractContextManager[None]:
        """Let so many that are at work at once have an even part of a budget."""
        ...

    def chose(self, place: Place, choice: RouteChoice) -> None:
        """Show what a router decided."""
        ...


class AgentHost(Children, Searching, Protocol):
    """What an agent may ask for: nested runs, room in a workflow task, to be shown."""

    root: Place
    """Place of the workflow's own runnable."""
    details: Details
    outbox: Outbox
    approvals: Approvals
    effects: EffectLog
    """What was done in it, and in the runs nested in it."""
    guards: RunGuards

    async def ask(self, agent: Agent, place: Place, message: Message, tally: Tally | None = None) -> Result:
        """Return what a model without tools says to one message, exactly at this place."""
        ...

    def numbered(self, place: Place) -> Place:
        """Return the place, with a number where it was used before."""
        ...

    def use(self, name: str) -> int:
        """Return how often a name was used in this workflow, this use included."""
        ...

    def account(self, place: Place) -> Account | None:
        """Return the account that what runs at a place is charged to.

        None where nothing is limited.
        """
        ...

    def top_up_as(self, ask: Ask) -> WaitForTopUp:
        """Return what waits for a top-up of a budget, for as long as that says."""
        ...

    def spent(self, totals: Totals, tally: Tally) -> None:
        """Take in what was spent, or is charged for a call that has no answer."""
        ...

    def began(self, place: Place, transcript: Transcript) -> None:
        """Take note of an agent: model calls may ask for pages of its transcript now."""
        ...

    def replied(self, place: Place, reply: ModelReply) -> None:
        """Take note of a model's reply: what it cost, and what it said."""
        ...

    def spent_on(self, reply: ModelReply, tally: Tally) -> None:
        """Take in what a model call cost that is no turn, such as a summary."""
        ...

    def compacted(self, place: Place, step: Compaction) -> None:
        """Show by what a prompt was shortened."""
        ...
