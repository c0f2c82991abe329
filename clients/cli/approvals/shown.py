"""A call that waits, as lines for a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from ....contracts.text import plural, shorten
from ....contracts.wire.control.approval_event import PendingApproval
from ....contracts.wire.control.top_up import PendingTopUp
from ...approvals.how_to_decide import decide_command, top_up_command

_VALUE_CHARS = 2_000
"""Longest argument that is shown: what is said yes to is to be seen, and what is longer is in the JSON."""
_HASH_CHARS = 12


def lines_of(call: PendingApproval) -> Iterator[str]:
    """Yield the lines of a call that waits, the command that decides it last."""
    place = f" at {call.path}" if call.path else ""
    yield f"{call.run_id}  {call.call_id}  {call.tool}{place}  {', '.join(_facts(call))}"
    yield from (f"    {line}" for line in argument_lines(call.arguments))
    yield f"    {decide_command(call)}{or_otherwise(call)}"


def argument_lines(arguments: Mapping[str, JsonValue]) -> Iterator[str]:
    """Yield the arguments of a call, a line each.

    No text of a model's can look like another line.
    """
    for name, value in arguments.items():
        yield f"{json.dumps(name)[1:-1]} = {shorten(json.dumps(value, ensure_ascii=False), _VALUE_CHARS)}"


def or_otherwise(call: PendingApproval) -> str:
    """Return what else may be said of a call than the command does that decides it."""
    return "" if call.question else "   (or deny, edit, answer)"


def top_up_lines(budget: PendingTopUp) -> Iterator[str]:
    """Yield the lines of a budget that waits for a top-up."""
    until = f", until {budget.expires.astimezone():%Y-%m-%d %H:%M:%S %Z}" if budget.expires else ""
    yield f"{budget.run_id}  a budget at {budget.path}, since {budget.since.astimezone():%Y-%m-%d %H:%M:%S %Z}{until}"
    yield f"    {budget.reason}"
    yield f"    {top_up_command(budget)}   (or more)"


def _facts(call: PendingApproval) -> Iterator[str]:
    if call.group:
        yield f"by {call.group}" + (", where it was escalated to" if call.escalated else "")
    yield f"since {call.since.astimezone():%Y-%m-%d %H:%M:%S %Z}"
    if call.quorum > 1:
        yes = f", yes from {', '.join(call.deciders)}" if call.deciders else ""
        yield f"{plural(call.quorum, 'decider')} needed{yes}"
    if call.expires:
        yield f"until {call.expires.astimezone():%Y-%m-%d %H:%M:%S %Z}"
    yield f"hash {call.hash[:_HASH_CHARS]}"
    if call.reason:
        yield call.reason
