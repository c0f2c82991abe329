"""Asks for what a tool returned, once that has left the prompt."""

from __future__ import annotations

from ...contract import Contract


class ResultQuery(Contract):
    """Input of the activity that reads it from the history of its run."""

    path: str
    """Place of the agent that called the tool."""
    call_id: str
    """Id of the call."""
