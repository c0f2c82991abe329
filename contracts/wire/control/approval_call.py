"""Whether a call needs an approval: what a worker is asked, and what it says.

What it says stands in the history: it is the request for the approval.
"""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue

from ...contract import Contract
from ...control.approval import Approval
from ...tool import Effect


class ApprovalCall(Contract):
    """Asks about one call.

    It runs within a workflow task, so the history has only what comes of it.
    """

    name: str
    """What the model calls the tool."""
    asks: Approval
    """As the run has it."""
    arguments: dict[str, JsonValue] = {}
    parameters: dict[str, Any] = {}
    """JSON Schema of the arguments."""
    effect: Effect = Effect.ONCE
    server: str = ""
    """Of a tool of an MCP server, the server."""
    tool: str = ""
    """The server's own name of it."""
    destructive: bool = False
    """Whether the server calls it so."""
    edited: bool = False
    """Whether a person wrote the arguments: they need no further yes of the predicate."""
    in_doubt: bool = False
    """Whether the call was made and cut off: what came of it is asked, not whether it may be made."""
    direct: bool = False
    """Whether no model asked for the call, so that its arguments stand nowhere else."""
    undoes: str = ""
    """Place and id of the call that it undoes; empty of one that undoes nothing."""
    requester: str = ""
    """Whose run it is; empty where its context does not say."""


class ApprovalAsked(Contract):
    """What there is to say of a call before it is made."""

    needed: bool = True
    """Whether somebody has to say yes."""
    refused: str = ""
    """Why the call cannot be made at all, for the model; empty where it can."""
    name: str = ""
    """What the model calls the tool."""
    hash: str = ""
    """SHA-256 of tool and arguments: the yes is for these alone."""
    asks: Approval = Approval()
    """What it takes, with the app's own approval in place of its name. It is said here once more, so that a request
    stands in the history as it was made, whatever the app says later."""
    reason: str = ""
    """Why it is asked about although the predicate did not say so; empty where it did."""
    arguments: dict[str, JsonValue] | None = None
    """Of a call that no model asked for."""
    undoes: str = ""
    """Place and id of the call that it undoes; empty of one that undoes nothing."""
