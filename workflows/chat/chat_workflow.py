"""The workflow of a chat: one conversation with one runnable."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from ...activities.conversation.turn_end import turn_end
    from ...contracts import limits, names, template
    from ...contracts.errors import SpecError
    from ...contracts.message import Role
    from ...contracts.specs.runnable import check_input
    from ...contracts.text import first_line, plural, printable
    from ...contracts.wire.chats.chat import Asked, ChatForkQuery, ChatInput, SentMessage, Taken, TurnEnd, WhenBusy
    from ...contracts.wire.places import Place
    from ...contracts.wire.run import THE_RUN_WAS_CANCELLED, Result, Status
    from ...contracts.wire.totals import Totals
    from ...contracts.wire.transcript import TranscriptPage, TranscriptQuery
    from .. import policy
    from ..concurrency import CANCELLED, being_cancelled, cancel, result_of_error, uninterrupted
    from ..control.update_id import update_id
    from ..guardrails.releasing import held_back
    from ..interpreter import Interpreter
    from ..payload_limits import why_full
    from ..run_context import inherited_memo
    from ..search_attributes import SUMMARY_CHARS, leave
    from .conversation import conversation_of
    from .turns import mark_of, result_of

MOST_WAITING = 200
"""Messages that wait at once. More are refused until some are answered."""

_INTERRUPTED = "it was interrupted"
_NOT_BEGUN = "it was not begun: another message came"

# What an input that is no `ChatInput` raises before `run` can catch it: it must not retry the workflow task for ever.
_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError)


# Not sandboxed, as `RunWorkflow` is not, and for the same reason.
@workflow.defn(name=names.CHAT_WORKFLOW, sandboxed=False, failure_exception_types=_UNREADABLE)
class ChatWorkflow:
    """Answers messages, one after the other, until it is ended.

    States: open (idle or at work on a turn), ending, then ended. Open, it accepts a message, an interrupt, another
    title, an end, decisions on calls that wait for a person, and the queries; ending, it answers what waits and takes
    nothing new. A message is an update, whose id is that of the message and which is done once it is taken: a server
    lets few updates of a workflow be under way. The end of each turn is noted in the history. Between two turns it
    continues as new when the server suggests so, with all that was said and what waits. After a crash it goes on where
    the history ends.
    """

    @workflow.init
    def __init__(self, chat: ChatInput) -> None:
        self._chat = chat
        self._interpreter = Interpreter(Place(chat.runnable.name), offload=chat.offload)
        self._interpreter.tally.totals, self._interpreter.tally.turns = chat.totals, chat.model_turns
        self._interpreter.accounts.borrowing.resume(chat.told)
        self._interpreter.found.know(chat.passages)
        self._interpreter.guards.open(self._interpreter.root, chat.guardrails, chat.runnable.guardrails)
        self._interpreter.guards.seal(chat.carried.sealed if chat.carried else chat.sealed)
        self._interpreter.serve()
        self._conversation = conversation_of(chat, self._interpreter)
        self._title = chat.title
        self._turns = list(chat.turns)
        self._numbers = {mark.id: index for index, mark in enumerate(chat.turns)}
        self._waiting = list(chat.waiting)
        self._turn: asyncio.Task[Result] | None = None
        self._is_ending = False

    @workflow.run
    async def run(self, chat: ChatInput) -> Result:  # noqa: ARG002 - taken by __init__, as the SDK wants it
        """Answer until it is ended."""
        status, reason = Status.COMPLETED, ""
        try:
            await self._serve()
        except BaseException as error:  # noqa: BLE001 - a bug of ours must not retry the workflow task for ever
            broken = result_of_error(error)
            status, reason = broken.status, broken.reason
        if being_cancelled():
            status, reason = Status.CANCELLED, THE_RUN_WAS_CANCELLED
        self._is_ending = True
        for asked in list(self._waiting):
            await self._ended(asked, CANCELLED, self._conversation.said.count)
        await workflow.wait_condition(workflow.all_handlers_finished)
        if not self._conversation.is_settled:
            await uninterrupted(workflow.wait_condition(lambda: self._conversation.is_settled))
        result = self._interpreter.tally.result(status, reason)
        self._interpreter.cost.end(result.totals, status)
        leave(self._interpreter.details.text(result), result, self._interpreter.outbox)
        if status is Status.FAILED:
            raise ApplicationError(reason, result, type=names.RUN_FAILED, non_retryable=True)
        return result

    @workflow.update(name=names.CHAT_SEND_UPDATE)
    def send(self, sent: SentMessage) -> Taken:
        """Take a message. One of an id that was answered before is not answered again."""
        message_id = update_id()
        # The server itself knows those that this execution was sent.
        if self._knows(message_id):
            return Taken(result=self._result(message_id))
        self._waiting.append(Asked(id=message_id, message=sent.message, screened=sent.screened))
        if self._chat.when_busy is WhenBusy.INTERRUPT:
            self._stop_turn()
        return Taken()

    @send.validator
    def _check_send(self, sent: SentMessage) -> None:
        if self._knows(update_id()):
            return
        self._check_open()
        if sent.role is not Role.USER:
            raise _failure(names.CHAT_REFUSED, f"a message of role {sent.role} is none that it can be sent")
        if self._chat.when_busy is WhenBusy.REJECT and self._waiting:
            raise _failure(names.CHAT_BUSY, "it answers another message: send this one when that is done")
        if len(self._waiting) >= MOST_WAITING:
            raise _failure(names.CHAT_BUSY, f"{plural(len(self._waiting), 'message')} wait already: send it later")
        try:
            check_input(self._chat.runnable, sent.message, (template.HISTORY,))
        except SpecError as error:
            raise _failure(names.CHAT_REFUSED, str(error)) from None
        if full := why_full():
            raise _failure(
                names.CHAT_REFUSED,
                f"{full}, and what was said too large to continue as new: {limits.HOW_TO_KEEP_OUTSIDE}, and fork it",
            )

    @workflow.update(name=names.CHAT_INTERRUPT_UPDATE)
    def interrupt(self) -> None:
        """Cancel the turn under way, if there is one. What was said stays."""
        self._stop_turn()

    @workflow.update(name=names.CHAT_RENAME_UPDATE)
    def rename(self, title: str) -> None:
        """Give the chat another title."""
        self._name(title)

    @workflow.update(name=names.CHAT_END_UPDATE)
    def end(self) -> None:
        """Take no more messages, and end once those that wait are answered."""
        self._is_ending = True

    @interrupt.validator
    def _check_interrupt(self) -> None:
        self._check_open()

    @rename.validator
    def _check_rename(self, title: str) -> None:
        self._check_open()
        if not title.strip():
            raise _failure(names.CHAT_REFUSED, "a title has at least one character")

    @end.validator
    def _check_end(self) -> None:
        self._check_open()

    @workflow.query(name=names.TRANSCRIPT_QUERY)
    def transcript(self, query: TranscriptQuery) -> TranscriptPage:
        """Return a page of a transcript, for a model call whose worker does not have it."""
        return self._interpreter.page(query)

    @workflow.query(name=names.CHAT_FORK_QUERY)
    def fork(self, query: ChatForkQuery) -> ChatInput:
        """Return what a fork of this chat begins with.

        Raises:
            ValueError: There is no such turn.
        """
        turns = self._turns
        if query.at:
            known = [mark.id for mark in turns]
            if query.at not in known:
                raise ValueError(f"no turn of a message {query.at!r} has ended in this chat")
            turns = turns[: known.index(query.at) + 1]
        # A turn that is under way has said something already, maybe, and has calls without results.
        said = self._conversation.said.before(turns[-1].ends if turns else 0)
        return self._chat.model_copy(
            update={
                "forked_from": workflow.info().workflow_id,
                "turns": tuple(turns),
                "messages": tuple(said.messages) if said else (),
                "kept": said and said.kept,
                "are_left": said is None,
                "passages": tuple(self._conversation.passages),
                "sealed": self._interpreter.guards.sealed,
                "carried": None,
                "waiting": (),
                "totals": Totals(),
                "model_turns": 0,
                "told": {},
            }
        )

    @property
    def turn_under_way(self) -> str:
        """Id of the message that is being answered; empty where none is."""
        return self._waiting[0].id if self._turn else ""

    def _is_quiet(self) -> bool:
        told = not self._interpreter.accounts.is_telling
        return workflow.all_handlers_finished() and told and self._conversation.is_settled

    async def _serve(self) -> None:
        while True:
            if workflow.info().is_continue_as_new_suggested() and not self._is_ending:
                await workflow.wait_condition(lambda: self._is_quiet() or self._is_ending)
                # Of an end that came meanwhile the next execution would not know.
                if not self._is_ending:
                    self._continue()
            await workflow.wait_condition(lambda: bool(self._waiting) or self._is_ending)
            if not self._waiting:
                return
            await self._answer(self._waiting[0])
            if being_cancelled():
                return

    async def _answer(self, asked: Asked) -> None:
        begins = self._conversation.said.count
        if not self._title:
            self._name(first_line(asked.message.text, SUMMARY_CHARS) or self._chat.runnable.name)
        self._interpreter.guards.seal(asked.screened.sealed)
        if refused := await self._held_back(asked):
            result = refused
        elif self._chat.when_busy is WhenBusy.INTERRUPT and len(self._waiting) > 1:
            self._conversation.leave(asked.message)
            result = Result(status=Status.CANCELLED, reason=_NOT_BEGUN)
        else:
            self._turn = asyncio.create_task(self._conversation.answer(asked.message))
            result = await _outcome(self._turn)
            self._turn = None
            if result.status is Status.CANCELLED and not being_cancelled():
                result = result.model_copy(update={"reason": _INTERRUPTED})
        await self._ended(asked, result, begins)
        if not self._waiting:
            # Nothing may come for months.
            self._interpreter.cost.tell()

    async def _held_back(self, asked: Asked) -> Result | None:
        decisions, host, number = asked.screened.decisions, self._interpreter, len(self._turns)
        return await held_back(decisions, asked.message.text, host.approvals, host.root, number) if decisions else None

    async def _ended(self, asked: Asked, result: Result, begins: int) -> None:
        """Note the end of a turn, and let the next one begin."""
        result = result.model_copy(update={"sealed": self._interpreter.guards.mentioned_in(result)})
        result = self._interpreter.outbox.fitting(result)
        mark = mark_of(asked.id, result, self._conversation.said, begins)
        # What is no agent's stands nowhere else in the history.
        is_last_text = mark.is_last_text and self._chat.runnable.agent is not None
        end = TurnEnd(message_id=asked.id, result=mark.result if is_last_text else result, is_last_text=is_last_text)
        noting = workflow.start_local_activity(
            turn_end,
            end,
            activity_id=self._interpreter.root.turn_end(len(self._turns) + 1),
            **policy.turn_end_policy(),
        )
        # A cancel of the chat must not come between: whoever asked waits for this.
        while not noting.done():
            with suppress(asyncio.CancelledError):
                await workflow.wait([noting])
        self._numbers[asked.id] = len(self._turns)
        self._turns.append(mark)
        self._waiting.remove(asked)

    def _knows(self, message_id: str) -> bool:
        return message_id in self._numbers or any(asked.id == message_id for asked in self._waiting)

    def _result(self, message_id: str) -> Result | None:
        """Return what came of a message, as far as it is known; None while it waits."""
        index = self._numbers.get(message_id)
        return None if index is None else result_of(self._conversation.said, self._turns[index])

    def _check_open(self) -> None:
        if self._is_ending:
            raise _failure(names.CHAT_ENDED, "it takes no more messages")

    def _stop_turn(self) -> None:
        if self._turn:
            cancel(self._turn)

    def _name(self, title: str) -> None:
        self._title = printable(title)
        workflow.upsert_memo({names.CHAT_TITLE_MEMO: self._title})

    def _continue(self) -> None:
        tally = self._interpreter.tally
        chat = self._conversation.carried(
            self._chat.model_copy(
                update={
                    "title": self._title,
                    "turns": tuple(self._turns),
                    "waiting": tuple(self._waiting),
                    "totals": tally.totals,
                    "model_turns": tally.turns,
                    "told": self._interpreter.accounts.borrowing.told,
                    "sealed": self._interpreter.guards.sealed,
                }
            )
        )
        # A command that the server refuses would fail the workflow task for ever: the chat goes on here instead, until
        # its history is full.
        if self._chat.offload or limits.written_bytes(chat) < limits.CARRIED_BYTES:
            # Of itself the next execution has the memo that the first one began with.
            self._interpreter.cost.stop()
            title = {names.CHAT_TITLE_MEMO: self._title} if self._title else {}
            workflow.continue_as_new(chat, memo={**title, **inherited_memo()} or None)


async def _outcome(turn: asyncio.Task[Result]) -> Result:
    """Wait for the end of a turn; hand a cancel on to it."""
    while not turn.done():
        try:
            await workflow.wait([turn])
        except asyncio.CancelledError:
            cancel(turn)
    if turn.cancelled():
        return CANCELLED
    error = turn.exception()
    # A bug of ours must not take with it what came before.
    return result_of_error(error) if error else turn.result()


def _failure(kind: str, message: str) -> ApplicationError:
    return ApplicationError(message, type=kind, non_retryable=True)
