"""One step of a run, with all that it is made of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

from pydantic import JsonValue

from ...contracts.contract import Contract
from ...contracts.control.usage import Usage
from ...contracts.head import Head
from ...contracts.message import Message
from ...contracts.wire.model_call import StopReason

StepKind = Literal["run", "turn", "model", "tool", "retrieval", "document", "embeddings", "rerank", "route", "notice"]


class TraceStep(Contract):
    """Something that a run did."""

    id: str = ""
    """Tells it from all others of its run: of a call the id of its activity, of a nested run that run's id."""
    kind: StepKind
    """`run` is one nested in it, too, or an ingest, whose documents are `document`. `embeddings` and `rerank` are parts
    of a search or a document. `notice` is what there is to say in between, such as a fallback."""
    name: str
    """Name of the runnable, the tool, the collection, the file or the route; of a model `provider/model`."""
    path: str
    """Place in the runnable tree."""
    started_at: datetime
    """When, by the Temporal server's clock, in UTC."""
    seconds: float | None = None
    """How long it took. None while it goes on."""
    waited_seconds: float = 0.0
    """How much of that went before its last attempt began: waiting for a person, in the queue, and with earlier
    attempts."""
    person_seconds: float = 0.0
    """How much of `waited_seconds` it waited for a person."""
    awaits: str = ""
    """What it waits for a person for now, in words, such as `a yes of finance`; empty where for nothing."""
    attempt: int = 1
    """Which attempt had this outcome, from 1."""
    status: str = ""
    """`completed`, `failed` or another status of a result; empty while it goes on. Of a notice `completed` where it
    tells of something in order, such as a recall."""
    reason: str = ""
    """Why it ended so; of a decision, why it was taken."""
    turn: int = 0
    """Which model call of its agent or prompt, from 1, this is or was asked for by; 0 of anything else."""
    undoes: str = ""
    """Of a tool call that undoes another one, place and id of that."""
    asked: JsonValue = None
    """What was asked: a text, or the arguments of a tool."""
    answered: JsonValue = None
    """What it came to, as text or JSON; of a search the ids of the passages with the scores of each stage."""
    head: Head | None = None
    """What a model was told beside messages: instructions, tools, the form of the answer. None where it is as in the
    call before."""
    told: tuple[Message, ...] = ()
    """What a model was told that it was not told by the call before. Empty too of a call that another model took over:
    it was told the same as that one."""
    messages: int = 0
    """Messages in the whole prompt of a model call. Those before `told` are the first ones of the call before."""
    order: tuple[int, ...] = ()
    """Of each message of the whole prompt its place in that of the call before, from 0, or -1 of the next of `told`.
    Empty where it is as `messages` says: nothing has left the prompt."""
    summary: bool = False
    """Whether the model is asked for a summary of what leaves the prompt. The call before it is then its agent's."""
    prompt_hash: str = ""
    """SHA-256 of the exact prompt that was sent, as the history has it."""
    proven: bool | None = None
    """Whether the prompt that was rebuilt from the history has that hash. None where there is no prompt or answer."""
    turns: int = 0
    """Model calls in it, with all that is nested."""
    usage: Usage = Usage()
    cost_usd: float | None = None
    """US dollars; None where no price is known."""
    unpriced_calls: int = 0
    """Of a search, a document or a stage: calls whose price is not known, which `cost_usd` lacks."""
    run_id: str = ""
    """Id of the run, of one that has a history of its own."""
    runnable_kind: str = ""
    """Of a run the kind of its runnable, such as `agent`, or `ingest`; empty of a code-first workflow."""
    requested: str = ""
    """Of a model call `provider/model` that was asked: `name` is what the provider reports."""
    stop: StopReason | None = None
    """Of a model call why its answer ends where it does."""
    untold: str = ""
    """Why nothing is told of what is in it, of a nested run whose history was not there to read."""
    steps: tuple[TraceStep, ...] = ()
    """What it is made of, in order."""

    @property
    def ended_at(self) -> datetime | None:
        """When it ended; None while it goes on."""
        return None if self.seconds is None else self.started_at + timedelta(seconds=self.seconds)

    def walk(self) -> Iterator[TraceStep]:
        """Yield it and everything in it, at any depth."""
        yield self
        for step in self.steps:
            yield from step.walk()


class Share(Contract):
    """A part of the time that a run took."""

    what: Literal["model", "tool", "retrieval", "document", "run", "person", "waiting", "between"]
    """What the run waited for: a model, a tool, a search, a document; a nested run of which nothing else is told; a
    person; a worker or another attempt; nothing of these."""
    seconds: float


class Trace(Contract):
    """What a run did."""

    run: TraceStep
    shares: tuple[Share, ...] = ()
    """Where the time went, along the steps without which it would have ended sooner; the largest first."""
