"""A run's events as lines for a terminal.

One line per step, the same for every command.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import JsonValue

from ...contracts import template
from ...contracts.model import Model
from ...contracts.names import LOCAL_PROVIDER
from ...contracts.text import one_line, plural
from ...contracts.wire.chats.chat_event import ChatStarted, TurnFinished, TurnQueued, TurnStarted
from ...contracts.wire.control.approval_event import ApprovalDecided, ApprovalRequested
from ...contracts.wire.control.budget_event import BudgetSpent, BudgetToppedUp, BudgetWarned
from ...contracts.wire.event import (
    Event,
    FallbackUsed,
    MemberFinished,
    MemberStarted,
    ModelResponded,
    RetrievalResponded,
    RouteChosen,
    RunFinished,
    RunStalled,
    RunStarted,
    ToolRequested,
    ToolResponded,
    ToolsFaulty,
)
from ...contracts.wire.guardrails.decision import Verdict
from ...contracts.wire.guardrails.guardrail_event import GuardrailDecided
from ...contracts.wire.memory.memory_event import MemoryCompacted, MemoryEvent
from ...contracts.wire.places import Place
from .terminal import harmless

if TYPE_CHECKING:
    from ..waiting import HeldUp

_OR_END_IT = "or terminate it in the Temporal UI"
_HOW_TO_SERVE = f"run a worker whose App has it in workflows=[…], {_OR_END_IT}"
_CHARS = 100
_SHIELD = "\u25c8"
_REASON_CHARS = 300


def line(event: Event) -> str | None:
    """Return the line of an event; None where it needs none, as `model.requested`."""
    if isinstance(event, _OF_RUNS):
        text: str | None = _line_of_run(event)
    elif isinstance(event, _OF_CHATS):
        text = _line_of_chat(event)
    elif isinstance(event, RetrievalResponded):
        text = _line_of_search(event)
    elif isinstance(event, BudgetWarned | BudgetSpent):
        text = f"     ⚠ {one_line(event.words, _REASON_CHARS)}"
    elif isinstance(event, MemoryEvent):
        text = f"     {'⚠' if event.problem else '✎'} {one_line(event.words, _REASON_CHARS)}"
    elif isinstance(event, GuardrailDecided):
        text = None if event.verdict is Verdict.PASSED else f"     {_SHIELD} {one_line(event.words, _REASON_CHARS)}"
    elif isinstance(event, BudgetToppedUp):
        text = f"     ✓ {_line(event.words)}"
    elif isinstance(event, MemoryCompacted):
        text = f"     ✂ {one_line(event.words, _REASON_CHARS)}"
    elif isinstance(event, ApprovalRequested | ApprovalDecided):
        text = _line_of_approval(event)
    else:
        text = _line_of_call(event)
    return None if text is None else harmless(text)


def hindrance_line(held: HeldUp) -> str:
    """Return the line of what holds a run up."""
    return harmless(f"     ⚠ {held}")


_OF_CHATS = ChatStarted | TurnQueued | TurnStarted | TurnFinished
_OF_RUNS = RunStarted | RunFinished | MemberStarted | MemberFinished


def _line_of_run(event: RunStarted | RunFinished | MemberStarted | MemberFinished) -> str:
    match event:
        case RunStarted():
            return f"▶ {event.run_id}  {event.runnable}: {_line(event.message.text)}"
        case MemberStarted():
            return f"▷ {_name(event)}{_task(event)}"
        case MemberFinished():
            return f"□ {_name(event)} {_end(event)}"
        case RunFinished():
            return f"■ {_end(event)}"


def _line_of_chat(event: ChatStarted | TurnQueued | TurnStarted | TurnFinished) -> str:
    match event:
        case ChatStarted():
            forked = f", forked from {event.forked_from}" if event.forked_from else ""
            return f"▶ {event.run_id}  a chat with {event.runnable}{forked}"
        case TurnQueued():
            return f"… {_line(event.message.text)}  waits"
        case TurnStarted():
            return f"» {_line(event.message.text)}"
        case TurnFinished():
            return f"□ {_end(event)}"


def _line_of_search(event: RetrievalResponded) -> str:
    found = f"{event.collection}  {len(event.passages)} of {event.searched:,}"
    cost = f"  {event.totals.told}" if event.totals.told else ""
    note = f"  ⚠ {one_line(event.note, _REASON_CHARS)}" if event.note else ""
    return f"     ⌕ {found}  {event.seconds * 1000:.0f} ms{cost}  {_line(event.query)}{note}"


def _line_of_approval(event: ApprovalRequested | ApprovalDecided) -> str:
    if isinstance(event, ApprovalRequested):
        wanted = "an answer" if event.question else "a yes"
        whose = f" of {event.group}" if event.group else ""
        late = ", as nobody decided in time" if event.escalated else ""
        why = f"  ({_line(event.reason)})" if event.reason else ""
        until = f" until {event.expires.astimezone():%Y-%m-%d %H:%M:%S %Z}" if event.expires else ""
        return f"     ? {event.name} waits for {wanted}{whose}{until}{late}: {event.call_id}{why}"
    if event.decision in ("expired", "withdrawn"):
        return f"     ✗ {event.name} waits no more: {event.who}"
    note = f": {_line(event.note)}" if event.note else ""
    changed = f" to {_arguments(event.arguments)}" if event.arguments is not None else ""
    missing = f"  {plural(event.missing, 'more decider')} needed" if event.missing else ""
    mark = "✗" if event.decision == "deny" else "✓"
    return f"     {mark} {event.name}: {event.decision}{changed} {event.who}{note}{missing}"


def _line_of_call(event: Event) -> str | None:
    match event:
        case ModelResponded():
            said = _line(template.told_answer(event.message.text)) if event.message.text else ""
            what = f"     ≡ summary by {event.model}" if event.summary else f"{event.turn:>3}  {event.model}"
            return f"{what}  {_facts(event)}  {said}".rstrip()
        case ToolRequested():
            undoes = f"  ↶ undoes {event.undoes}" if event.undoes else ""
            return f"     → {event.name}({_arguments(event.arguments)}){undoes}"
        case ToolResponded():
            return f"     {'✗' if event.is_error else '↳'} {event.name}  {_timing(event)}  {_line(event.content)}"
        case ToolsFaulty():
            told = one_line("; ".join(fault.told for fault in event.faults), _REASON_CHARS)
            return f"     ⚠ MCP server {event.server}: {told}"
        case FallbackUsed():
            return f"     ⚠ {event.failed} failed, {event.model} takes over: {_line(event.reason)}"
        case RunStalled():
            failed = "" if event.unserved else "its code failed, and is tried again: "
            return f"     ⚠ {failed}{_stall(event)}"
        case RouteChosen():
            return f"     ⇢ {event.route or 'no route'}  {event.confidence:.2f}  {_line(event.reason)}"
        case _:
            return None


def _stall(event: RunStalled) -> str:
    if event.unserved:
        return f"it waits for another worker: {_line(event.reason)}; {_HOW_TO_SERVE}"
    if not event.fits:
        return f"{_line(event.reason)}: another version of the code wrote its history; run workers that have it"
    where = f" at {event.where}" if event.where else ""
    return f"{_line(event.reason)}{where}; if it stays so, mend the code and start its workers again, {_OR_END_IT}"


def _facts(event: ModelResponded) -> str:
    cost = "" if event.cost_usd is None else f"  ${event.cost_usd:.4f}"
    tries = f"  attempt {event.attempt}" if event.attempt > 1 else ""
    without = f"  without {', '.join(event.without)}" if event.without else ""
    used = f"  used {', '.join(event.message.provider_tools)}" if event.message.provider_tools else ""
    return f"{event.seconds:.2f} s  {_tokens(event)}{cost}{tries}{without}{used}"


def _tokens(event: ModelResponded) -> str:
    if event.usage.total_tokens:
        return f"{event.usage.input_tokens}→{event.usage.output_tokens} tok"
    # It decides by closeness in meaning where it can: that takes time, and no token.
    return "by meaning, without tokens" if Model(name=event.model).provider == LOCAL_PROVIDER else "tokens not told"


def _timing(event: ToolResponded) -> str:
    return f"{event.seconds:.2f} s" + (f"  attempt {event.attempt}" if event.attempt > 1 else "")


def _name(event: MemberStarted | MemberFinished) -> str:
    """Return the last step of its path, whose number tells repeated uses apart."""
    return Place(event.path).name


def _task(event: MemberStarted) -> str:
    return f": {_line(event.message.text)}" if event.message else " takes over the conversation"


def _end(event: RunFinished | MemberFinished | TurnFinished) -> str:
    reason = f": {' '.join(event.reason.split())}" if event.reason else ""
    if isinstance(event, RunFinished) and event.compensated:
        reason = f"{reason or ':'} ({' '.join(event.compensated.words.split())})"
    handed = f", handing over to {event.transfer}" if isinstance(event, MemberFinished) and event.transfer else ""
    # Nothing known is not the same as free.
    cost = f"  ${event.cost_usd:.4f}" if event.cost_usd else ""
    tokens = f"{event.usage.input_tokens}→{event.usage.output_tokens} tok"
    return f"{event.status}{handed}{reason}  {plural(event.turns, 'turn')}  {tokens}{cost}"


def _line(text: str) -> str:
    return one_line(text, _CHARS)


def _arguments(arguments: Mapping[str, JsonValue]) -> str:
    return _line(", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in arguments.items()))
