"""A call that waits for a person, and what a decision does to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import JsonValue

from ...contracts.control.approval import LEAST_HASH_CHARS, Approval
from ...contracts.control.ask_person import options_of
from ...contracts.control.person import person
from ...contracts.text import plural
from ...contracts.tool import ToolSpec
from ...contracts.wire.control.decision import Decided, Decision, DecisionKind
from ...contracts.wire.places import Place
from ...contracts.wire.tool_call import ToolInvocation
from .said_by import why_not_said_by

MOST_ANSWER_BYTES = 16_000
"""Longest answer: the model is told it, and it stands in the history where it was given and where it is told."""


@dataclass(frozen=True, slots=True)
class Permit:
    """What came of a call that may have waited for a person."""

    arguments: Mapping[str, JsonValue]
    """Those that it is made with."""
    refused: str = ""
    """Why it is not made, for the model; empty where it is."""
    answer: str | None = None
    """What it comes to without being made, as a person says; None where nobody does."""
    edited: bool = False
    """Whether a person changed the arguments."""


@dataclass(frozen=True, slots=True)
class ApprovableCall:
    """A call about which a person may have to be asked."""

    tool: ToolSpec
    """What is called."""
    place: Place
    """Of the agent, or of the workflow, whose call it is."""
    call_id: str
    arguments: Mapping[str, JsonValue]
    """As they were asked for."""
    direct: bool = False
    """Whether no model asked for it."""
    undoes: str = ""
    """Place and id of the call that it undoes; empty of one that undoes nothing."""

    @classmethod
    def of(cls, tool: ToolSpec, place: Place, invocation: ToolInvocation, *, direct: bool) -> ApprovableCall:
        """Return it of a call that is to be made, or was made."""
        undoes = invocation.undoes.words if invocation.undoes else ""
        return cls(tool, place, invocation.call_id, invocation.arguments, direct, undoes)


@dataclass(slots=True)
class WaitingCall:
    """One call that waits."""

    tool: ToolSpec
    """What is called."""
    arguments: Mapping[str, JsonValue]
    hash: str
    asks: Approval
    requester: str
    """Whose run it is; empty where that is not known."""
    expires: datetime | None = None
    """When it is given up, or escalated."""
    is_escalated: bool = False
    permit: Permit | None = None
    """What came of it, once that is known."""
    is_edited: bool = False
    checks: int = 0
    """How many edits of it are being checked."""
    approvals: list[Decision] = field(default_factory=list)
    """Every yes to the arguments as they are now."""

    @property
    def is_granted(self) -> bool:
        """Whether everybody who said yes did so for the rest of the run."""
        return bool(self.approvals) and all(one.for_rest for one in self.approvals)

    def why_not(self, decision: Decision, now: datetime) -> str:
        """Return why a decision cannot be taken; empty where it can."""
        return self.why_no_more(decision, now) or self._why_not_by(decision) or self._why_not_so(decision)

    def why_no_more(self, decision: Decision, now: datetime) -> str:
        """Return why a decision comes too late; empty where it does not."""
        if self.permit:
            return "it was decided meanwhile"
        if self.expires and now >= self.expires and (self.is_escalated or not self.asks.escalate_to):
            return f"it expired at {self.expires:%Y-%m-%d %H:%M:%S} UTC: the call is not made"
        if decision.hash and (len(decision.hash) < LEAST_HASH_CHARS or not self.hash.startswith(decision.hash.lower())):
            return (
                f"the hash is not that of the call: it is {self.hash[:12]}…, and the decision is for "
                f"{decision.hash[:12]}: look at the call once more"
            )
        return ""

    def _why_not_by(self, decision: Decision) -> str:
        by = decision.by
        if why := why_not_said_by(by, decision.note):
            return why
        if decision.kind is DecisionKind.DENY:
            return ""
        if self.asks.four_eyes and person(by) == person(self.requester):
            return f"it takes another person than {self.requester!r}, who asked for it"
        if decision.kind is DecisionKind.APPROVE and any(person(one.by) == person(by) for one in self.approvals):
            return f"{by!r} has said yes already: it takes {plural(self.asks.quorum, 'different decider')}"
        return ""

    def _why_not_so(self, decision: Decision) -> str:
        kind = decision.kind
        if self.asks.question and kind in (DecisionKind.APPROVE, DecisionKind.EDIT):
            return "it is a question: answer it, or deny it"
        if decision.for_rest and (kind is not DecisionKind.APPROVE or not self.asks.grants):
            return f"a yes to {self.tool.name} is for one call: its approval has no grants=True"
        if kind is DecisionKind.EDIT and decision.arguments is None:
            return "an edit says with which arguments the call is made"
        if kind is DecisionKind.ANSWER:
            return self._why_no_answer(decision.answer)
        return ""

    def _why_no_answer(self, answer: JsonValue) -> str:
        if answer is None:
            return "an answer says what the call comes to"
        if self.asks.quorum > 1:
            return f"it takes {self.asks.quorum} people, who cannot give one answer: approve or deny it"
        if len(answer_text(answer).encode(errors="replace")) > MOST_ANSWER_BYTES:
            return f"the answer has more than {MOST_ANSWER_BYTES:,} bytes"
        is_question = self.tool.asks is not None and self.tool.asks.question
        options = options_of(self.arguments) if is_question else ()
        if options and answer not in options:
            return f"the answer is none of: {', '.join(options)}"
        return ""

    def late(self) -> None:
        """Take in that nobody decided in time: it is escalated, or given up."""
        # It may have been decided in the very moment.
        if self.permit:
            return
        if self.asks.escalate_to and not self.is_escalated:
            self.is_escalated = True
            return
        self.permit = Permit(self.arguments, refused=f"{self.tool.name} was not run: nobody decided on it in time.")

    def take(self, decision: Decision, hash_of_edit: str = "") -> Decided:
        """Take in a decision that can be taken.

        Args:
            decision: What a person says.
            hash_of_edit: Of an edit, the hash of the call with its arguments.
        """
        match decision.kind:
            case DecisionKind.DENY:
                note = f": {decision.note}" if decision.note.strip() else "."
                self.permit = Permit(self.arguments, refused=f"{self.tool.name} was not run: a person denied it{note}")
                return Decided()
            case DecisionKind.ANSWER:
                self.permit = Permit(self.arguments, answer=answer_text(decision.answer))
                return Decided()
            case DecisionKind.EDIT:
                self.arguments, self.hash, self.is_edited = decision.arguments or {}, hash_of_edit, True
                # What others said yes to was another call.
                self.approvals = [decision]
            case DecisionKind.APPROVE:
                self.approvals.append(decision)
        missing = self.asks.quorum - len(self.approvals)
        if missing <= 0:
            self.permit = Permit(self.arguments, edited=self.is_edited)
        return Decided(missing=max(missing, 0), hash=hash_of_edit)


def answer_text(answer: JsonValue) -> str:
    """Return what a person answers as a model reads it.

    A text as it is, all else as JSON.
    """
    return answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
