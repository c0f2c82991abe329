"""Makes steps of the events of a run. Does no I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ...contracts.wire.chats.chat_event import ChatStarted, TurnFinished, TurnStarted
from ...contracts.wire.control.approval_event import ApprovalDecided, ApprovalRequested
from ...contracts.wire.control.budget_event import BudgetSpent, BudgetToppedUp, BudgetWarned
from ...contracts.wire.event import (
    Event,
    FallbackUsed,
    MemberFinished,
    MemberStarted,
    ModelRequested,
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
from ...contracts.wire.guardrails.guardrail_event import GuardrailDecided
from ...contracts.wire.ingest.ingest_event import DocumentFailed, DocumentIngested
from ...contracts.wire.memory.compaction import NO_SUMMARY
from ...contracts.wire.memory.memory_event import MemoryCompacted, MemoryEvent
from ...contracts.wire.places import Place, numbered
from ...contracts.wire.run import Status
from ..events.projection import Projection
from .growing import EndedStep, GrowingStep, call_of, seconds_between, status_of_notice
from .model_steps import ToldPrompts, answer_fields
from .proving import proven
from .step import TraceStep
from .whole_steps import WholeStep, stages_fields, step_fields

_FAILED, _COMPLETED = "failed", "completed"
_NO_ANSWER = "no answer: its worker died, or the answer broke off"
_CALLS = ("model", "tool")
_IN_WORDS = BudgetWarned | BudgetSpent | BudgetToppedUp | MemoryEvent | GuardrailDecided


class TraceBuilder:
    """Takes in the events of the workflows of one run.

    Args:
        keep: Whether to keep all steps for `root`, and to rebuild and prove what models were told. Else each is
            forgotten once `ended` has told of it.
    """

    def __init__(self, *, keep: bool = True) -> None:
        self._keep = keep
        self._root: GrowingStep | None = None
        self._ended: list[tuple[GrowingStep, Event]] = []
        self._holders: dict[str, GrowingStep] = {}
        """What steps stand in, by path: the run, nested runs; of a chat the turn under way."""
        self._calls: dict[str, GrowingStep] = {}
        self._failed: dict[str, int] = {}
        """How many models have failed in a turn, by the model call that began it."""
        self._cut: set[str] = set()
        """Calls that were ended by the end of what they were in, and may be told of after it."""
        self._runs: dict[str, GrowingStep] = {}
        self._prompts = ToldPrompts()
        self._known: Counter[str] = Counter()
        """Ids of steps."""

    def go_on(self, run_id: str, path: str, at: datetime, reason: str) -> None:
        """Take in a run whose beginning is not told.

        Args:
            run_id: Its id.
            path: Its place in the runnable tree.
            at: When what is told begins.
            reason: Why its beginning is not told.
        """
        begun = {"path": path, "started_at": at}
        why = {"id": f"{run_id}-earlier", "name": "it began earlier", "reason": reason}
        name = Place(path).unnumbered_name
        self._root = GrowingStep({**begun, "kind": "run", "id": run_id, "name": name, "run_id": run_id})
        self._root.steps.append(GrowingStep({**begun, **why, "kind": "notice", "seconds": 0.0}, self._root))
        self._runs[run_id] = self._holders[path] = self._root

    def take(self, event: Event, projection: Projection) -> None:
        """Take in an event.

        What has ended by it, `ended` returns.

        Args:
            event: The event, in the order of its workflow.
            projection: Has read the history of the workflow.
        """
        match event:
            case RunStarted() | ChatStarted() | MemberStarted() | TurnStarted():
                self._begin(event)
            case MemberFinished() | RunFinished() | TurnFinished():
                self._end(event)
            case ModelRequested() | ModelResponded() | FallbackUsed():
                self._take_model(event, projection)
            case ToolRequested() | ToolResponded():
                self._take_tool(event)
            case RetrievalResponded() | DocumentIngested() | DocumentFailed():
                self._take_whole(event)
            case _:
                self._note(event)

    def open_step(self, path: str, call_id: str) -> GrowingStep | None:
        """Return what has not ended: a call, or what a place is in.

        Args:
            path: The place.
            call_id: Id of the call; empty of none.
        """
        call = self._calls.get(Place(path).tool_call(call_id)) if call_id else None
        step = call or (self._holder(path) if self._root else None)
        return step if step and "seconds" not in step.fields else None

    def ended(self) -> list[EndedStep]:
        """Return the steps that have ended since this was asked last, in that order."""
        steps, self._ended = self._ended, []
        told = [step.ended_by(event) for step, event in steps]
        if not self._keep:
            for step, _ in steps:
                self._forget(step)
        return told

    def _forget(self, step: GrowingStep) -> None:
        if step.within and step in step.within.steps:
            step.within.steps.remove(step)
        if step.call and self._calls.get(step.call) is step:
            del self._calls[step.call]
        if step.fields["kind"] == "run" and step is not self._root:
            self._runs.pop(step.fields["run_id"], None)
            self._holders.pop(step.fields["path"], None)

    def root(self, untold: Mapping[str, str] | None = None) -> TraceStep | None:
        """Return the run with all its steps; None where nothing was told of it.

        Args:
            untold: Why the histories of nested runs were not read, by the ids of those runs.
        """
        for run_id, reason in (untold or {}).items():
            if run_id in self._runs:
                self._runs[run_id].fields["untold"] = reason
        return self._root.made() if self._root else None

    def _begin(self, event: RunStarted | ChatStarted | MemberStarted | TurnStarted) -> None:
        if isinstance(event, TurnStarted):
            asked = event.message.text
            about = {"id": event.message_id, "name": event.message_id, "asked": asked}
            self._holders[event.path] = self._add(event, kind="turn", **about)
            return
        # A nested run is told of by its parent, and by itself.
        known = self._runs.get(event.run_id)
        if known is None:
            name = event.member if isinstance(event, MemberStarted) else event.runnable
            message = None if isinstance(event, ChatStarted) else event.message
            asked_of = message.text if message else None
            about = {"id": event.run_id, "run_id": event.run_id, "runnable_kind": event.runnable_kind}
            call = self._calls.get(call_of(event)) if isinstance(event, MemberStarted) else None
            known = self._add(event, call, kind="run", name=name, asked=asked_of, **about)
            self._runs[event.run_id] = known
        self._holders[event.path] = known
        self._root = self._root or known

    def _end(self, event: MemberFinished | RunFinished | TurnFinished) -> None:
        ended = self._holders.get(event.path)
        if ended is None:
            return
        ended.fields |= {
            "seconds": seconds_between(ended.fields["started_at"], event.at),
            "status": event.status.value,
            "reason": event.reason,
            "answered": event.output,
            "turns": event.turns,
            "usage": event.usage,
            "cost_usd": event.cost_usd,
        }
        if isinstance(event, TurnFinished) and self._root:
            self._holders[event.path] = self._root
        self._cut_off(ended, event)
        self._ended.append((ended, event))

    def _cut_off(self, ended: GrowingStep, event: MemberFinished | RunFinished | TurnFinished) -> None:
        """Take in that the calls which have no outcome yet will have none."""
        what = "turn" if isinstance(event, TurnFinished) else "run"
        open_ones = [step for step in ended.steps if step.fields["kind"] in _CALLS and "seconds" not in step.fields]
        for step in open_ones:
            at_fault = event.status is Status.FAILED and step.fields["kind"] == "model" and len(open_ones) == 1
            step.fields |= {
                "seconds": seconds_between(step.fields["started_at"], event.at),
                "status": _FAILED if at_fault else Status.CANCELLED.value,
                "reason": event.reason if at_fault else f"it had no outcome when the {what} ended",
            }
            self._ended.append((step, event))
            self._cut.add(step.call)

    def _note(self, event: Event) -> None:
        match event:
            case RouteChosen():
                why = {"reason": event.reason, "answered": event.confidence, "asked": event.strategy}
                why |= {"id": Place(event.path).route_decision(), "name": event.route, "status": _COMPLETED}
                self._note_at_once(event, kind="route", **why)
            case RunStalled():
                name = "not served there" if event.unserved else "its code failed"
                self._note_at_once(event, kind="notice", name=name, reason=event.reason)
            case ApprovalRequested() | ApprovalDecided():
                self._take_approval(event)
            case MemoryCompacted():
                self._compacted(event)
            case _ if isinstance(event, _IN_WORDS) and getattr(event, "verdict", "") != "passed":
                self._note_at_once(event, kind="notice", name=event.type, reason=event.words)
            case ToolsFaulty():
                told = "; ".join(fault.told for fault in event.faults)
                self._note_at_once(event, kind="notice", name=f"MCP server {event.server}", reason=told)

    def _take_approval(self, event: ApprovalRequested | ApprovalDecided) -> None:
        call = self._calls.get(Place(event.path).tool_call(event.call_id))
        if isinstance(event, ApprovalDecided):
            self._note_at_once(event, kind="notice", name=f"{event.name}: {event.decision}", reason=event.words)
            if call and not event.missing:
                call.person_said(event.at)
        elif call:
            call.ask_person(event.at)

    def _note_at_once(self, event: Event, **fields: Any) -> None:
        begun = {"id": event.id, "seconds": 0.0, "status": status_of_notice(event), **fields}
        self._ended.append((self._add(event, **begun), event))

    def _compacted(self, event: MemoryCompacted) -> None:
        """Take in that a prompt is shorter.

        A summary may have failed before that, or a call that refused the longer one.
        """
        place = Place(event.path)
        self._give_up(place.summary(event.turn), event, event.note.removeprefix(NO_SUMMARY))
        self._give_up(place.model_call(event.turn), event, event.reason)
        self._note_at_once(event, kind="notice", name=event.type, reason=f"{event.words}; {event.reason}")

    def _give_up(self, key: str, event: Event, reason: str = _NO_ANSWER) -> None:
        """End the call of a turn that is made again, where nothing told its end."""
        call = self._calls.get(key)
        if call is None or "seconds" in call.fields:
            return
        self._ended.append((call, event))
        call.fields["seconds"] = seconds_between(call.fields["started_at"], event.at)
        self._fail(key, call, reason)

    def _fail(self, key: str, call: GrowingStep, reason: str) -> None:
        call.fields |= {"status": _FAILED, "reason": reason}
        if not call.fields["summary"]:
            # What it was told is said once, at the call that comes in its place.
            call.fields |= {"told": (), "order": (), "messages": 0}
        self._failed[key] = self._failed.get(key, 0) + 1

    def _take_model(self, event: ModelRequested | ModelResponded | FallbackUsed, projection: Projection) -> None:
        place = Place(event.path)
        is_summary = not isinstance(event, FallbackUsed) and event.summary
        id_of = place.parent.summary if is_summary else place.model_call
        key = id_of(event.turn)
        if isinstance(event, ModelRequested):
            self._give_up(key, event)
            about = {"id": id_of(event.turn, self._failed.get(key, 0)), "name": event.model, "requested": event.model}
            about |= self._prompts.fields(event, projection) if self._keep else {}
            # A nested run may be called as the place of summaries is.
            inside = self._holder(place.parent) if is_summary and self._root else None
            step = self._add(event, inside, kind="model", turn=event.turn, summary=is_summary, **about)
            self._begin_call(key, step)
            return
        call = self._calls.get(key)
        if call is None:
            return
        self._ended.append((call, event))
        call.fields["seconds"] = seconds_between(call.fields["started_at"], event.at)
        if isinstance(event, FallbackUsed):
            self._fail(key, call, event.reason)
            return
        if is_summary:
            # Of one turn there may be several.
            self._failed[key] = self._failed.get(key, 0) + 1
        else:
            self._failed.pop(key, None)
            self._failed.pop(place.summary(event.turn), None)
        call.fields |= {"status": _COMPLETED, "reason": "", **answer_fields(event)}
        call.fields["proven"] = proven(event, projection) if self._keep else None

    def _take_tool(self, event: ToolRequested | ToolResponded) -> None:
        key = Place(event.path).tool_call(event.call_id)
        call = self._calls.get(key)
        if call is None and key in self._cut:
            return
        if call is None or isinstance(event, ToolRequested):
            about = {"asked": event.arguments, "undoes": event.undoes} if isinstance(event, ToolRequested) else {}
            call = self._add(event, kind="tool", id=key, name=event.name, turn=event.turn, **about)
            self._begin_call(key, call)
        if isinstance(event, ToolRequested):
            return
        if key not in self._cut:
            self._ended.append((call, event))
        call.fields |= {
            "seconds": seconds_between(call.fields["started_at"], event.at),
            "waited_seconds": event.waited_seconds + call.fields.get("person_seconds", 0.0),
            "attempt": event.attempt,
            "status": _FAILED if event.is_error else _COMPLETED,
            # It may be told after the end of its turn.
            "reason": "",
            "answered": event.content,
        }

    def _begin_call(self, key: str, step: GrowingStep) -> None:
        step.call = key
        self._calls[key] = step

    def _take_whole(self, event: WholeStep) -> None:
        by_call = isinstance(event, RetrievalResponded) and event.call_id
        call = self._calls.get(Place(event.path).tool_call(by_call)) if by_call else None
        step = self._add(event, call, **step_fields(event))
        for fields in stages_fields(event, step.fields):
            self._ended.append((self._add(event, step, **fields), event))
        self._ended.append((step, event))

    def _add(self, event: Event, inside: GrowingStep | None = None, /, **fields: Any) -> GrowingStep:
        """Add a step, by default to the innermost run or turn that its place is in."""
        step = GrowingStep({"path": event.path, "started_at": event.at, **fields})
        if self._keep:
            self._number(step)
        if self._root:
            step.within = inside or self._holder(event.path)
            step.within.steps.append(step)
        return step

    def _number(self, step: GrowingStep) -> None:
        """Give a step a number where others have its id.

        Some workflows count anew in each execution.
        """
        known = self._known[step.fields["id"]]
        self._known[step.fields["id"]] += 1
        if known:
            step.fields["id"] = numbered(step.fields["id"], known + 1)

    def _holder(self, path: str) -> GrowingStep:
        """Return the innermost run or turn that a place is in."""
        assert self._root  # noqa: S101 - asked for nothing before there is one
        inward = reversed([*Place(path).with_parents()])
        return next((self._holders[one] for one in inward if one in self._holders), self._root)
