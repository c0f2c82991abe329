"""Calls whose outcome is unknown: what a tool's own hook is asked, and says."""

from __future__ import annotations

from ...contract import Contract
from ..tool_call import ToolOutput


class ReconcileCall(Contract):
    """Asks what came of a call that was cut off."""

    name: str
    """Name of the tool."""
    call_id: str
    reply: str
    """As the call itself had it: the idempotency key is made of both."""
    key: str = ""
    """The idempotency key itself, of a call of another run; empty of one of this run."""


class Reconciled(Contract):
    """What came of the call."""

    output: ToolOutput | None = None
    """What it returned, where it took effect; None where it did not, or that is not known."""
    not_done: bool = False
    """Whether it took no effect, and will not any more."""
    note: str = ""
    """Why nothing is known, where something is to be said of that."""
