"""A call that waits, as lines for a terminal."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from ....contracts.text import plural, shorten
from ....contracts.wire.control.approval_event import PendingApproval
from ....contracts.wire.control.top_up import PendingTopUp

_VALUE_CHARS = 2_000
"""Longest argument that is shown: what is said yes to is to be seen, and what is longer is in the JSON."""
_HASH_CHARS = 12


def lines_of(call: PendingApproval) -> Iterator[str]:
    """Yield the lines of a call that waits, the command that decides it last."""
    place = f" at {call.path}" if call.path else ""
    yield f"{call.run_id}  {call.call_id}  {call.tool}{place}  {', '.join(_facts(call))}"
    yield from (f"    {line}" for line in argument_lines(call.arguments))
    yield f"    {command_for(call.run_id, call.call_id, question=call.question)}"


def argument_lines(arguments: Mapping[str, JsonValue]) -> Iterator[str]:
    """Yield the arguments of a call, a line each.

    No text of a model's can look like another line.
    """
    for name, value in arguments.items():
        yield f"{json.dumps(name)[1:-1]} = {shorten(json.dumps(value, ensure_ascii=False), _VALUE_CHARS)}"


def command_for(run_id: str, call_id: str, *, question: bool) -> str:
    """Return the command by which a call is decided."""
    named = f"{shlex.quote(run_id)} {shlex.quote(call_id)}"
    return f"sostenuto answer {named} ANSWER" if question else f"sostenuto approve {named}   (or deny, edit, answer)"


def top_up_lines(budget: PendingTopUp) -> Iterator[str]:
    """Yield the lines of a budget that waits for a top-up."""
    until = f", until {budget.expires.astimezone():%Y-%m-%d %H:%M:%S %Z}" if budget.expires else ""
    yield f"{budget.run_id}  a budget at {budget.path}, since {budget.since.astimezone():%Y-%m-%d %H:%M:%S %Z}{until}"
    yield f"    {budget.reason}"
    yield f"    {top_up_command(budget.run_id, budget)}"


def top_up_command(run_id: str, budget: PendingTopUp) -> str:
    """Return the command that allows a budget, or its ledger, what it lacks."""
    whose = f"ledger top-up {shlex.quote(budget.ledger)}" if budget.ledger else f"top-up {shlex.quote(run_id)}"
    return f"sostenuto {whose} {least_top_up(budget)}   (or more)"


def least_top_up(budget: PendingTopUp) -> str:
    """Return, as it is written, the least that a budget has to be allowed."""
    missing = budget.missing
    written = {
        "usd": f"{missing.usd:.6f}".rstrip("0").rstrip("."),
        "tokens": f"tokens={missing.tokens}",
        "turns": f"turns={missing.turns}",
    }
    return written.get(budget.limit, "seconds=600")


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
