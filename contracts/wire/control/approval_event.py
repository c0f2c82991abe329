"""The events of calls that wait for a person, and such a call itself."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import JsonValue

from ...contract import Contract
from ...text import plural
from ..event_base import EventBase

DecisionOutcome = Literal["approve", "deny", "edit", "answer", "expired", "withdrawn"]
"""What is said of a call that waits; that nobody said anything in time; that what it was a call of has ended."""


class ApprovalRequested(EventBase):
    """A tool call waits for a person; told once more where it goes to another group."""

    type: Literal["approval.requested"] = "approval.requested"
    call_id: str
    """Id of the call, unique in its transcript."""
    name: str
    """Name of the tool, as the model calls it."""
    arguments: dict[str, JsonValue] = {}
    """Arguments of the call, as JSON."""
    hash: str
    """SHA-256 of tool and arguments: a yes is for these alone."""
    group: str = ""
    """Whose yes is wanted; empty where anybody's will do."""
    policy: str = ""
    """Name of the app's approval that says so; empty where the tool itself does."""
    expires: datetime | None = None
    """When it is given up, or goes to another group, where nobody decides. None: never."""
    quorum: int = 1
    """How many different people have to say yes."""
    grants: bool = False
    """Whether a yes may be for this tool for the rest of the run."""
    question: bool = False
    """Whether it is a question, which is answered."""
    escalated: bool = False
    """Whether it went to another group, as nobody had decided in time."""
    reason: str = ""
    """Why it is asked about although the predicate did not say so."""


class ApprovalDecided(EventBase):
    """Somebody decided on a tool call that waits, or it waits no more."""

    type: Literal["approval.decided"] = "approval.decided"
    call_id: str
    """Id of the call, unique in its transcript."""
    name: str
    """Name of the tool, as the model calls it."""
    decision: DecisionOutcome
    """What was decided."""
    by: str = ""
    """Who decided, as they said; empty where nobody did."""
    note: str = ""
    """Why."""
    hash: str = ""
    """SHA-256 of the call that the decision is for; of an edit, of the call as it is made."""
    arguments: dict[str, JsonValue] | None = None
    """Of an edit, the arguments that the call is made with."""
    answer: JsonValue = None
    """Of an answer, what the call comes to."""
    for_rest: bool = False
    """Whether the yes is for this tool for the rest of the run."""
    missing: int = 0
    """How many people have to say yes yet: 0 where the call waits no more."""

    @property
    def who(self) -> str:
        """Who decided, or why nobody did, for a person."""
        if self.by:
            return f"by {self.by}{', for the rest of the run' if self.for_rest else ''}"
        return "what it was a call of has ended" if self.decision == "withdrawn" else "nobody decided in time"

    @property
    def words(self) -> str:
        """Who decided, for how long, and why, for a person."""
        missing = f"; {plural(self.missing, 'more decider')} needed" if self.missing else ""
        return f"{self.who}{missing}{f': {self.note}' if self.note else ''}"


class PendingApproval(Contract):
    """A tool call that waits for a person."""

    run_id: str
    """Id of the run whose call it is: of a nested one, its own."""
    path: str
    """Place in the runnable tree."""
    call_id: str
    """Id of the call, unique in its transcript."""
    tool: str
    """Name of the tool, as the model calls it."""
    arguments: dict[str, JsonValue] = {}
    """Arguments of the call, as they are now."""
    hash: str
    """SHA-256 of tool and arguments: a yes is for these alone."""
    since: datetime
    """When it began to wait."""
    expires: datetime | None = None
    """When it is given up, or goes to another group, where nobody decides. None: never."""
    policy: str = ""
    """Name of the app's approval that says so; empty where the tool itself does."""
    group: str = ""
    """Whose yes is wanted; empty where anybody's will do."""
    escalated: bool = False
    """Whether it went to another group, as nobody had decided in time."""
    quorum: int = 1
    """How many different people have to say yes."""
    deciders: tuple[str, ...] = ()
    """Who said yes so far."""
    grants: bool = False
    """Whether a yes may be for this tool for the rest of the run."""
    question: bool = False
    """Whether it is a question, which is answered."""
    reason: str = ""
    """Why it is asked about although the predicate did not say so."""

    @property
    def words(self) -> str:
        """What it waits for, for a person."""
        whose = f" of {self.group}" if self.group else ""
        until = f" until {self.expires:%Y-%m-%d %H:%M:%S} UTC" if self.expires else ""
        said = f", beside that of {', '.join(self.deciders)}" if self.deciders else ""
        return f"{'an answer' if self.question else 'a yes'}{whose}{until}{said}"
