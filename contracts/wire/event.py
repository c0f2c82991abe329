"""The events of a run, told from its history: watching costs the run nothing."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, TypeAdapter

from ..contract import Contract
from ..control.usage import Usage
from ..message import Message
from ..specs.router import Strategy
from .chats.chat_event import ChatStarted, TurnFinished, TurnQueued, TurnStarted
from .control.approval_event import ApprovalDecided, ApprovalRequested
from .control.budget_event import BudgetSpent, BudgetToppedUp, BudgetWarned
from .control.compensation import Compensation
from .event_base import EventBase
from .guardrails.guardrail_event import GuardrailDecided
from .ingest.ingest_event import DocumentFailed, DocumentIngested
from .mcp_call import ToolFault
from .memory.memory_event import MemoryCompacted, MemoryForgotten, MemoryRecalled, MemoryWritten
from .model_call import StopReason
from .retrieval import Scores
from .run import Status
from .totals import Staged


class RunStarted(EventBase):
    """A run began."""

    type: Literal["run.started"] = "run.started"
    run_id: str
    """Id of the run, under which `client.get` finds it."""
    runnable: str
    """Name of what runs."""
    runnable_kind: str = ""
    """What kind of runnable that is, such as `agent`; empty of a code-first workflow."""
    message: Message
    """What it is asked."""


class ModelRequested(EventBase):
    """A model call was scheduled."""

    type: Literal["model.requested"] = "model.requested"
    turn: int
    """Which model call of its agent or prompt, from 1."""
    model: str
    """`provider/model` that is asked."""
    summary: bool = False
    """Whether it is asked for a summary of what leaves the prompt, in place of an answer."""


class ModelResponded(EventBase):
    """A model answered."""

    type: Literal["model.responded"] = "model.responded"
    turn: int
    """Which model call of its agent or prompt, from 1."""
    model: str
    """`provider/model` that answered, as the provider reports it."""
    message: Message
    """The answer, with the tool calls that it asks for."""
    usage: Usage
    """Tokens of this call."""
    cost_usd: float | None = None
    """US dollars of this call; None where no price is known for the model."""
    attempt: int = 1
    """How many tries it took, from 1."""
    seconds: float
    """Seconds from scheduling to the answer."""
    waited_seconds: float = 0.0
    """How many of them went before the last attempt began: in the queue, and with earlier attempts."""
    prompt_hash: str
    """SHA-256 of the exact prompt that was sent."""
    stop: StopReason = StopReason.END
    """Why the answer ends where it does."""
    without: tuple[str, ...] = ()
    """Features that the model was found to refuse, such as `parallel_tool_calls`: the run goes on without them."""
    summary: bool = False
    """Whether it is a summary of what leaves the prompt: nothing of it is an answer."""


class ToolRequested(EventBase):
    """A model, or a code-first workflow, asked for a tool."""

    type: Literal["tool.requested"] = "tool.requested"
    turn: int
    """Which model call of its agent or prompt, from 1; 0 of a tool call that no model asked for."""
    call_id: str
    """Id of the call, unique in its transcript."""
    name: str
    """Name of the tool, as the model calls it."""
    arguments: dict[str, JsonValue] = {}
    """Arguments of the call, as JSON."""
    undoes: str = ""
    """Place and id of the call that it undoes, such as `trip/hotel:call_1`; empty of one that undoes nothing."""


class ToolResponded(EventBase):
    """A tool call returned something, or failed."""

    type: Literal["tool.responded"] = "tool.responded"
    turn: int
    """Which model call of its agent or prompt, from 1; 0 of a tool call that no model asked for."""
    call_id: str
    """Id of the call, unique in its transcript."""
    name: str
    """Name of the tool, as the model calls it."""
    content: str
    """What the tool returned or failed by, as the model is told."""
    is_error: bool = False
    """Whether the model is told that the call failed."""
    attempt: int = 1
    """Which try had this outcome, from 1."""
    seconds: float
    """Seconds from scheduling to the outcome."""
    waited_seconds: float = 0.0
    """How many of them went before the last attempt began, as of a model call."""


class RetrievedPassage(Contract):
    """A passage that a search found, without its text."""

    id: str
    """What it is cited by."""
    source: str
    """URI of the document."""
    page: int | None = None
    """From 1; None where the document has no pages."""
    scores: Scores = Scores()


class RetrievalResponded(EventBase, Staged):
    """A search of a collection found something, or nothing."""

    type: Literal["retrieval.responded"] = "retrieval.responded"
    collection: str
    """Name of the collection."""
    query: str
    """What was searched for."""
    queries: tuple[str, ...] = ()
    """Further ways of asking, which a model wrote and which were searched for as well."""
    hypothetical: str = ""
    """A passage that might answer the query, which a model wrote and which was searched for by meaning as well."""
    call_id: str = ""
    """Id of the tool call that asked for it; empty where none did."""
    passages: tuple[RetrievedPassage, ...] = ()
    """The best first."""
    searched: int = 0
    """How many passages the collection had."""
    step: int = 0
    """Which moment of the collection was searched."""
    attempt: int = 1
    """How many tries it took, from 1."""
    seconds: float
    """Seconds of the search itself."""
    note: str = ""
    """What there is to say of a search that did not go quite as it should, such as that nothing was reranked."""


class ToolsFaulty(EventBase):
    """An MCP server lists tools otherwise than it should.

    The run goes on without those that could not be repaired.
    """

    type: Literal["tools.faulty"] = "tools.faulty"
    server: str
    """Name of the server in the app."""
    faults: tuple[ToolFault, ...]
    """What is wrong with which tool, those first that were left out."""


class FallbackUsed(EventBase):
    """A model failed for good and the next one took over."""

    type: Literal["fallback.used"] = "fallback.used"
    turn: int
    """Which model call of its agent or prompt, from 1."""
    failed: str
    """`provider/model` that failed."""
    model: str
    """`provider/model` that took over."""
    reason: str
    """Why the model that failed did."""


class RouteChosen(EventBase):
    """A router decided."""

    type: Literal["route.chosen"] = "route.chosen"
    route: str
    """Name of the route. Empty where the input belongs nowhere and there is no default."""
    confidence: float
    """How sure the router is, 0 to 1."""
    reason: str
    """Why this route, in a sentence."""
    strategy: Strategy
    """How the router decides."""


class MemberStarted(EventBase):
    """A nested run began at `path`, such as a member of a team or an agent in a chain."""

    type: Literal["member.started"] = "member.started"
    member: str
    """Name of the runnable."""
    runnable_kind: str = ""
    """What kind of runnable that is, such as `agent`."""
    run_id: str
    """Id of the nested run, whose history has its transcript: `client.get(run_id)`."""
    call_id: str = ""
    """Id of the tool call that started it; empty where none did."""
    message: Message | None = None
    """What it is asked. None where it takes over a conversation."""


class MemberFinished(EventBase):
    """A nested run ended."""

    type: Literal["member.finished"] = "member.finished"
    member: str
    """Name of the runnable."""
    run_id: str
    """Id of the nested run."""
    status: Status
    """How it ended."""
    output: JsonValue = None
    """What it answered, as text or JSON; of one that did not complete, its last words."""
    reason: str = ""
    """Why it ended so; empty where the status tells enough."""
    transfer: str = ""
    """The member that it handed the conversation over to."""
    turns: int = 0
    """Model calls that were answered, with all that is nested in it."""
    usage: Usage = Usage()
    """Tokens that the run used, with all that is nested in it."""
    cost_usd: float = 0.0
    """US dollars that the run cost, of the calls whose price is known."""


class RunStalled(EventBase):
    """The code of a workflow failed, and is tried again until it is mended.

    Told of the first failure of several in a row.
    """

    type: Literal["run.stalled"] = "run.stalled"
    reason: str
    """What the code raised, or why it does not fit the history."""
    where: str = ""
    """File and line that raised it; empty where that is not known."""
    fits: bool = True
    """Whether the code fits the history: else another version of it wrote that."""
    unserved: bool = False
    """Whether the worker that took it has no such workflow: another one may."""


class RunFinished(EventBase):
    """A run ended."""

    type: Literal["run.finished"] = "run.finished"
    status: Status
    """How it ended."""
    output: JsonValue = None
    """What it answered, as text or JSON; of one that did not complete, its last words."""
    reason: str = ""
    """Why it ended so; empty where the status tells enough."""
    turns: int = 0
    """Model calls that were answered, with all that is nested in it."""
    usage: Usage = Usage()
    """Tokens that the run used, with all that is nested in it."""
    cost_usd: float = 0.0
    """US dollars that the run cost, of the calls whose price is known."""
    compensated: Compensation | None = None
    """What became of what it did, where that was to be undone."""


Event = Annotated[
    RunStarted
    | ModelRequested
    | ModelResponded
    | ToolRequested
    | ToolResponded
    | RetrievalResponded
    | DocumentIngested
    | DocumentFailed
    | FallbackUsed
    | RouteChosen
    | MemberStarted
    | MemberFinished
    | RunStalled
    | RunFinished
    | ToolsFaulty
    | ChatStarted
    | TurnQueued
    | TurnStarted
    | TurnFinished
    | ApprovalRequested
    | ApprovalDecided
    | BudgetWarned
    | BudgetSpent
    | BudgetToppedUp
    | MemoryCompacted
    | MemoryRecalled
    | MemoryWritten
    | MemoryForgotten
    | GuardrailDecided,
    Field(discriminator="type"),
]

EVENT: TypeAdapter[Event] = TypeAdapter(Event)
"""Reads and writes events as JSON."""
