"""From history to events.

Pure and linear: each history event is read once, and no I/O happens here.

Payloads must have been decoded before, see `clients.history`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent, WorkflowExecutionStartedEventAttributes
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError

from ...contracts import names
from ...contracts.message import Message, Role
from ...contracts.wire.chats.chat import ChatInput
from ...contracts.wire.chats.chat_event import ChatStarted
from ...contracts.wire.control.compensation import TakenEffects
from ...contracts.wire.event import Event, RunFinished, RunStarted
from ...contracts.wire.ingest.ingest import INGEST_KIND, IngestInput
from ...contracts.wire.run import THE_RUN_WAS_CANCELLED, Carried, Result, RunInput, Status
from ...workflows.tally import Tally
from .activities import Activities
from .chats.turns import ChatTurns
from .chats.updates import ChatSends
from .control.approvals import Decisions
from .control.budgets import read_exhausted
from .control.top_ups import TopUpReader, WaitingBudgets
from .control.waiting import WaitingCalls
from .guardrails.decisions import read_decisions
from .history_event import RecordedEvent, end_fields
from .nested_runs import Member, Members
from .outcome import Accumulated
from .own_workflows import read_failure, read_input, read_output
from .stalls import read_stall
from .tool_calls import responses_first_told, responses_never_told
from .transcript import RebuiltTranscript, SentPrompt
from .updates import Updates


class Projection:
    """Reads one workflow's history, over all its executions, and tells it as events.

    The workflow is a run, nested or not, a code-first one, a chat or an ingest. What happens inside the runs that it
    started as child workflows stands in their histories.

    Args:
        converter: The run's data converter, of which only the parts without I/O are used.
    """

    def __init__(self, converter: DataConverter) -> None:
        self.converter = converter
        self._so_far = Accumulated()
        self._activities = Activities(self._so_far)
        self._members = Members(self._so_far)
        self._decisions = Decisions(self._so_far)
        self._updates = Updates(
            {
                names.CHAT_SEND_UPDATE: ChatSends(self._so_far),
                names.DECIDE_UPDATE: self._decisions,
                names.TOP_UP_UPDATE: TopUpReader(),
            }
        )
        self._handlers: Mapping[int, Callable[[RecordedEvent], Iterator[Event]]] = {
            **self._activities.handlers,
            **self._members.handlers,
            **self._updates.handlers,
            **self._decisions.handlers,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: self._started,
            EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED: self._stalled,
            EventType.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED: self._noted,
            EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED: self._decided,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: self._completed,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: self._failed,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: self._cancelled,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: self._terminated,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: self._timed_out,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: self._continued,
        }
        self._path = self._stall = ""
        self._own = False
        self._left: Result | None = None
        self.runnable = self.runnable_kind = ""
        """Name and kind of what runs, once its start was read; no kind of a code-first workflow."""
        self.is_chat = False
        self.numbers_anew = False
        """Whether each of its executions numbers its steps from the first on."""
        self.next_execution = ""
        """Where the run goes on, once this execution has continued as new."""
        self.result: Result | None = None
        """What the run came to, once it has ended; without messages."""

    @property
    def path(self) -> str:
        """Its own place in the runnable tree; empty before its start was read."""
        return self._path

    @property
    def members(self) -> Mapping[str, Member]:
        """The nested runs that have begun and not ended, by path."""
        return self._members.open

    @property
    def approvals(self) -> WaitingCalls:
        """The calls that wait for a person."""
        return self._so_far.approvals

    @property
    def budgets(self) -> WaitingBudgets:
        """The budgets that wait for a top-up."""
        return self._so_far.budgets

    @property
    def paths(self) -> Iterable[str]:
        """Where it has transcripts."""
        return self._so_far.transcripts.keys()

    @property
    def chat(self) -> ChatTurns:
        """The turns of a chat, and what was said before; none of a run."""
        return self._so_far.chat

    @property
    def sealed(self) -> Mapping[str, str]:
        """Originals of what guardrails redacted, as ciphertext, by placeholder."""
        return self._so_far.sealed

    def feed(self, event: HistoryEvent, execution: str) -> list[Event]:
        """Return the events that one history event means, in order.

        Args:
            event: With its payloads decoded.
            execution: Temporal's run id of the execution whose history it is in. No event tells that itself: those of
                an execution that was reset name the one that it was before.
        """
        handler = self._handlers.get(event.event_type)
        return list(handler(RecordedEvent(event, execution, self.converter))) if handler else []

    def transcript(self, path: str | None = None) -> tuple[Message, ...]:
        """Return the messages so far of the agent or prompt at a path.

        By default of the root.
        """
        known = self._so_far.transcripts.get(self._path if path is None else path)
        return known.snapshot() if known else ()

    def prompt(self, turn: int, path: str | None = None) -> SentPrompt:
        """Return what the model call of that turn sent.

        Raises:
            KeyError: The history read so far tells of no such call.
        """
        return self._so_far.transcripts[self._path if path is None else path].prompt(turn)

    def _started(self, recorded: RecordedEvent) -> Iterator[Event]:
        attributes = recorded.event.workflow_execution_started_event_attributes
        self._activities.forget()
        self._updates.forget()
        self._decisions.forget()
        self._so_far.budgets.forget()
        self.next_execution = ""
        self._left = None
        kind = attributes.workflow_type.name
        self._own = self.numbers_anew = not names.is_of_runnables(kind)
        self.is_chat = kind == names.CHAT_WORKFLOW
        if kind == names.CHAT_WORKFLOW:
            yield from self._chat_started(recorded, attributes)
            return
        if kind == names.INGEST_WORKFLOW:
            yield from self._ingest_started(recorded, attributes)
            return
        self._so_far.code_first = self._own
        if self._own:
            self._path = self.runnable = attributes.workflow_type.name
            # An execution that goes on from another one, or tries again what it failed at, began with that one.
            if not attributes.continued_execution_run_id:
                yield self._began(recorded, attributes, self._path, read_input(recorded, attributes.input))
            return
        run = recorded.value(attributes.input, RunInput)
        self._path = run.path or run.runnable.name
        self.runnable, self.runnable_kind = run.runnable.name, run.runnable.kind
        if run.carried:
            self._so_far.sealed |= run.carried.sealed
            yield from self._resumed(recorded, run, run.carried)
            return
        # A prompt is asked what its template makes of the message: its first model call has that.
        if run.head and not run.runnable.takes_template:
            messages = (*run.before, *((run.message,) if run.message else ()))
            asks = run.message is not None
            self._so_far.transcripts[self._path] = RebuiltTranscript(run.head, messages, asks=asks)
        message = run.message or Message(role=Role.USER, parts=())
        yield self._began(recorded, attributes, run.runnable.name, message, run.runnable.kind)
        yield from read_decisions(recorded, self._path, run, self._so_far)

    def _chat_started(
        self, recorded: RecordedEvent, attributes: WorkflowExecutionStartedEventAttributes
    ) -> Iterator[Event]:
        chat = recorded.value(attributes.input, ChatInput)
        self._path = self.runnable = chat.runnable.name
        self.runnable_kind = chat.runnable.kind
        self._so_far.chat.begin(chat)
        self._so_far.tell(chat.said)
        self._so_far.tally = Tally(chat.totals, chat.model_turns)
        self._so_far.sealed |= chat.carried.sealed if chat.carried else chat.sealed
        for asked in chat.waiting:
            self._so_far.sealed |= asked.screened.sealed
        head = chat.head
        if head and not chat.runnable.takes_template:
            known = chat.carried.known if chat.carried else None
            yield from self._goes_on(recorded, RebuiltTranscript(head, chat.said, known=known))
        if not attributes.continued_execution_run_id:
            yield ChatStarted(
                **recorded.stamp(self._path),
                run_id=attributes.workflow_id,
                runnable=chat.runnable.name,
                runnable_kind=chat.runnable.kind,
                forked_from=chat.forked_from,
            )

    def _ingest_started(
        self, recorded: RecordedEvent, attributes: WorkflowExecutionStartedEventAttributes
    ) -> Iterator[Event]:
        asked = recorded.value(attributes.input, IngestInput)
        self._path, self.runnable, self.runnable_kind = asked.collection, attributes.workflow_id, INGEST_KIND
        if asked.carried:
            self._so_far.tally = Tally(asked.carried.progress.totals)
        else:
            yield self._began(recorded, attributes, self.runnable, Message.user("\n".join(asked.sources)), INGEST_KIND)

    def _began(
        self,
        recorded: RecordedEvent,
        attributes: WorkflowExecutionStartedEventAttributes,
        runnable: str,
        message: Message,
        kind: str = "",
    ) -> RunStarted:
        stamp = recorded.stamp(self._path)
        run_id = attributes.workflow_id
        return RunStarted(**stamp, run_id=run_id, runnable=runnable, runnable_kind=kind, message=message)

    def _resumed(self, recorded: RecordedEvent, run: RunInput, carried: Carried) -> Iterator[Event]:
        self._so_far.tally = Tally(carried.totals, carried.turns + carried.nested_turns)
        if run.head:
            yield from self._goes_on(recorded, RebuiltTranscript.resumed(run.head, carried))

    def _goes_on(self, recorded: RecordedEvent, begins: RebuiltTranscript) -> Iterator[Event]:
        """Take in what an execution begins with that goes on from another."""
        known = self._so_far.transcripts.setdefault(self._path, begins)
        if known is not begins:
            known.go_on(begins)
            yield from responses_first_told(recorded, self._path, known)

    def _stalled(self, recorded: RecordedEvent) -> Iterator[Event]:
        # The server notes the first two failures of each worker.
        for stall in read_stall(recorded, self._path):
            before, self._stall = self._stall, f"{stall.reason} {stall.where}"
            if before != self._stall:
                yield stall

    def _decided(self, _: RecordedEvent) -> Iterator[Event]:
        self._stall = ""
        yield from ()

    def _completed(self, recorded: RecordedEvent) -> Iterator[Event]:
        attributes = recorded.event.workflow_execution_completed_event_attributes
        self.next_execution = attributes.new_execution_run_id
        if self._own:
            output = read_output(recorded, attributes.result)
            yield from self._ended(recorded, self._partial(Status.COMPLETED, "", output))
        else:
            yield from self._came_to(recorded, recorded.value(attributes.result, Result))

    def _failed(self, recorded: RecordedEvent) -> Iterator[Event]:
        attributes = recorded.event.workflow_execution_failed_event_attributes
        self.next_execution = attributes.new_execution_run_id
        error = recorded.error(attributes.failure)
        if self._own:
            yield from self._ended(recorded, self._partial(Status.FAILED, read_failure(error)))
        elif isinstance(error, ApplicationError) and error.type == names.RUN_FAILED and error.details:
            yield from self._came_to(recorded, Result.model_validate(error.details[0]))
        else:
            yield from self._ended(recorded, self._partial(Status.FAILED, str(error), self._last_words()))

    def _noted(self, recorded: RecordedEvent) -> Iterator[Event]:
        """Take in what a run notes in its memo.

        Which budgets wait, and what a cancelled one leaves before its end.
        """
        memo = recorded.event.workflow_properties_modified_event_attributes.upserted_memo.fields
        if names.RESULT_MEMO in memo and not self._own:
            self._left = recorded.value(Payloads(payloads=[memo[names.RESULT_MEMO]]), Result)
        if names.TOP_UPS_MEMO in memo:
            yield from self._so_far.budgets.noted(recorded, memo[names.TOP_UPS_MEMO])

    def _cancelled(self, recorded: RecordedEvent) -> Iterator[Event]:
        if self._left:
            yield from self._came_to(recorded, self._left)
        else:
            result = self._partial(Status.CANCELLED, THE_RUN_WAS_CANCELLED, self._last_words())
            yield from self._ended(recorded, result)

    def _terminated(self, recorded: RecordedEvent) -> Iterator[Event]:
        reason = recorded.event.workflow_execution_terminated_event_attributes.reason
        text = f"the run was terminated: {reason}" if reason else "the run was terminated"
        yield from self._ended(recorded, self._partial(Status.FAILED, text, self._last_words()))

    def _timed_out(self, recorded: RecordedEvent) -> Iterator[Event]:
        self.next_execution = recorded.event.workflow_execution_timed_out_event_attributes.new_execution_run_id
        text = "the run took longer than its Temporal timeout"
        yield from self._ended(recorded, self._partial(Status.FAILED, text, self._last_words()))

    def _continued(self, recorded: RecordedEvent) -> Iterator[Event]:
        self.next_execution = recorded.event.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
        yield from self._so_far.approvals.withdrawn(recorded)
        yield from self._members.left(recorded)

    def _came_to(self, recorded: RecordedEvent, result: Result) -> Iterator[Event]:
        """Yield the end of a run with a result of its own, and the errors only it tells."""
        self._so_far.sealed |= result.sealed
        yield from self._so_far.approvals.withdrawn(recorded)
        if transcript := self._so_far.transcripts.get(self._path):
            yield from responses_never_told(recorded, self._path, transcript, result.untold)
        yield from read_exhausted(recorded, self._path, result, self._so_far)
        yield from self._ended(recorded, result.model_copy(update={"untold": (), "effects": TakenEffects()}))

    def _ended(self, recorded: RecordedEvent, result: Result) -> Iterator[Event]:
        yield from self._so_far.approvals.withdrawn(recorded)
        yield from self._members.left(recorded)
        self._so_far.budgets.forget()
        # One that is tried again or runs on a schedule goes on in its next execution.
        if self.next_execution:
            return
        self.result = result
        yield RunFinished(**recorded.stamp(self._path), **end_fields(result), compensated=result.compensated)

    def _last_words(self) -> str | None:
        return Message.last_words(self.transcript())

    def _partial(self, status: Status, reason: str, output: object = None) -> Result:
        """Return a result for a workflow that could not make its own."""
        transcript = self._so_far.transcripts.get(self._path)
        result = self._so_far.tally.result(status, reason, output=output)
        return result.model_copy(update={"rejected": tuple(transcript.rejected) if transcript else ()})
