"""What calls say while they are under way.

It may be lost, and enters no history. Workers send frames; `Run.stream` makes items of them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, JsonValue, TypeAdapter

from ..contract import Contract
from .event import Event


class FrameKind(StrEnum):
    """What a frame tells."""

    TEXT = "text"
    REASONING = "reasoning"
    TOOL_CALL = "tool_call"
    """Arguments of a tool call, as the model writes them."""
    PROGRESS = "progress"
    """How far a tool is."""
    FAILED = "failed"
    """The attempt failed: what it said is void."""


class Frame(Contract):
    """What a call said in one moment, some 50 ms."""

    run_id: str
    """Id of the run whose call it is, nested or not."""
    activity: str
    """Id of its activity, which has its path."""
    attempt: int
    """From 1."""
    number: int
    """Which frame of the attempt, from 0. One that is missing was lost."""
    kind: FrameKind
    text: str = ""
    tool: str = ""
    """Whose arguments the text has a piece of."""
    index: int = 0
    """Which tool call of the answer, from 0."""
    structured: bool = False
    """Whether the text is JSON: an answer of a type was asked for."""
    done: float | None = None
    """How much of `total` is done, where the tool says so."""
    total: float | None = None


class _Item(Contract):
    path: str
    """Place in the runnable tree."""
    position: str = ""
    """What `Run.stream(after=)` takes to go on after this item."""


class Token(_Item):
    """More of what a model says, of one token or many.

    All of a path since its last `model.requested` or `Retract` join to what was said so far.
    """

    type: Literal["token"] = "token"
    text: str
    kind: Literal["text", "reasoning"] = "text"
    """Reasoning is what a model says to itself."""


class Retract(_Item):
    """What was said at the path since its last `model.requested` is void.

    The attempt failed; another one begins anew, if any does.
    """

    type: Literal["retract"] = "retract"


class Partial(_Item):
    """What can be read so far of a value that is still being written.

    Each one takes the place of the one before. It is the answer, where one of a type was asked for, or the arguments
    of a tool call. Neither is final, and neither was validated: the answer comes with `model.responded`, the arguments
    with `tool.requested`.
    """

    type: Literal["partial"] = "partial"
    value: JsonValue
    tool: str = ""
    """Whose arguments they are; empty for the answer."""
    index: int = 0
    """Which tool call of the answer, from 0."""


class Progress(_Item):
    """How far a tool says it is. Told to who watches at that moment."""

    type: Literal["progress"] = "progress"
    text: str
    call_id: str
    """Id of the tool call."""
    done: float | None = None
    """How much of `total` is done."""
    total: float | None = None


LiveItem = Token | Retract | Partial | Progress

StreamItem = Annotated[LiveItem | Event, Field(discriminator="type")]
"""What `Run.stream` yields."""

STREAM_ITEM: TypeAdapter[StreamItem] = TypeAdapter(StreamItem)
"""Reads and writes items as JSON."""


def stream_name(execution: str) -> str:
    """Return the name of the live stream of a root run.

    What is nested in it speaks there too. By Temporal's run id of its first execution: nobody guesses it who was not
    told of the run.
    """
    return f"sostenuto:live:{execution}"
