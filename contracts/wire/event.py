"""The events of a run: a projection of its history, so that watching costs the run nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, JsonValue, TypeAdapter

from ..contract import Contract
from ..message import Message
from ..specs.router import Strategy
from ..usage import Usage
from .run import Status


class _Event(Contract):
    id: str
    """`execution/history event/index`: a stream resumes after it, see `Run.events`."""
    at: datetime
    """When, by the Temporal server's clock, in UTC."""
    path: str
    """Place in the runnable tree."""
    cursor: str = ""
    """Where the stream stands while nested runs are under way: `Run.events(after=)` takes it in place of the id. Empty
    where the id is enough."""

    @property
    def position(self) -> str:
        """What `Run.events(after=)` takes to go on after this event."""
        return self.cursor or self.id


class RunStarted(_Event):
    """A run began."""

    type: Literal["run.started"] = "run.started"
    run_id: str
    runnable: str
    message: Message


class ModelRequested(_Event):
    """A model call was scheduled."""

    type: Literal["model.requested"] = "model.requested"
    turn: int
    model: str


class ModelResponded(_Event):
    """A model answered."""

    type: Literal["model.responded"] = "model.responded"
    turn: int
    model: str
    message: Message
    usage: Usage
    cost_usd: float | None = None
    attempt: int = 1
    """From 1: how many tries it took."""
    seconds: float
    """From scheduling to the answer."""
    prompt_hash: str


class ToolRequested(_Event):
    """A model asked for a tool."""

    type: Literal["tool.requested"] = "tool.requested"
    turn: int
    call_id: str
    name: str
    arguments: dict[str, JsonValue] = {}


class ToolResponded(_Event):
    """A tool call came to something, be it an error."""

    type: Literal["tool.responded"] = "tool.responded"
    turn: int
    call_id: str
    name: str
    content: str
    is_error: bool = False
    attempt: int = 1
    seconds: float


class FallbackUsed(_Event):
    """A model failed for good and the next one took over."""

    type: Literal["fallback.used"] = "fallback.used"
    turn: int
    failed: str
    """Model that failed."""
    model: str
    """Model that took over."""
    reason: str


class RouteChosen(_Event):
    """A router decided."""

    type: Literal["route.chosen"] = "route.chosen"
    route: str
    """Empty where the input belongs nowhere and there is no default."""
    confidence: float
    """0 to 1."""
    reason: str
    strategy: Strategy


class MemberStarted(_Event):
    """A nested run began: a member of a team, a runnable called as a tool, an agent in a chain, router or branch.

    `path` is the place of the nested run.
    """

    type: Literal["member.started"] = "member.started"
    member: str
    """Name of the runnable."""
    run_id: str
    """Id of the nested run, whose history has its transcript: `client.get(run_id)`."""
    message: Message | None = None
    """What it is asked. None where it takes over a conversation."""


class MemberFinished(_Event):
    """A nested run ended."""

    type: Literal["member.finished"] = "member.finished"
    member: str
    run_id: str
    status: Status
    output: JsonValue = None
    reason: str = ""
    transfer: str = ""
    """The member that it handed the conversation over to."""
    turns: int = 0
    usage: Usage = Usage()
    cost_usd: float = 0.0


class RunFinished(_Event):
    """A run ended."""

    type: Literal["run.finished"] = "run.finished"
    status: Status
    output: JsonValue = None
    reason: str = ""
    turns: int = 0
    usage: Usage = Usage()
    cost_usd: float = 0.0


Event = Annotated[
    RunStarted
    | ModelRequested
    | ModelResponded
    | ToolRequested
    | ToolResponded
    | FallbackUsed
    | RouteChosen
    | MemberStarted
    | MemberFinished
    | RunFinished,
    Field(discriminator="type"),
]

EVENT: TypeAdapter[Event] = TypeAdapter(Event)
"""Reads and writes events as JSON."""
