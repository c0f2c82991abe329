"""Decisions on calls that wait: what a person says, and what comes of it."""

from __future__ import annotations

from enum import StrEnum

from pydantic import JsonValue

from ...contract import Contract


class DecisionKind(StrEnum):
    """What a person says of a call that waits."""

    APPROVE = "approve"
    """It is made as it stands."""
    DENY = "deny"
    """It is not made; the model is told so, with the note."""
    EDIT = "edit"
    """It is made with other arguments."""
    ANSWER = "answer"
    """It is not made: the person says what it comes to."""


class Decision(Contract):
    """What a person says of one call."""

    path: str
    """Place of the agent, or of the workflow, whose call it is."""
    call_id: str
    kind: DecisionKind
    by: str
    """Who says so, as they say: nothing checks it."""
    note: str = ""
    """Why. Of a no the model reads it."""
    hash: str = ""
    """SHA-256 of the call that was looked at, or the beginning of it. Empty: whatever it is now."""
    arguments: dict[str, JsonValue] | None = None
    """Of an edit, those that the call is made with."""
    answer: JsonValue = None
    """Of an answer, what the call comes to."""
    for_rest: bool = False
    """Whether the yes is for this tool for the rest of the run."""


class Decided(Contract):
    """What came of a decision that was taken."""

    missing: int = 0
    """How many people have to say yes yet."""
    hash: str = ""
    """SHA-256 of the call that the decision is for; of an edit, of the call as it is made."""
