"""How a chat goes on from one turn to the next.

An agent, and a team that is led by one, keeps its whole transcript. Every other runnable runs anew for each message,
and its templates may call what was said before by the name `history`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, Protocol

from temporalio import workflow

from ...contracts import template
from ...contracts.message import Message, Role, TextPart
from ...contracts.specs.agent import Agent
from ...contracts.specs.runnable import Runnable
from ...contracts.tool import ToolDefinition
from ...contracts.wire.chats.chat import ChatInput
from ...contracts.wire.places import numbered
from ...contracts.wire.retrieval import Passage
from ...contracts.wire.run import Result, Status
from ..agent.loop import AgentLoop
from ..agent.mcp_catalogue import mcp_tools
from ..agent.state import AgentState
from ..concurrency import own_workflow, result_of_error
from ..interpreter import Interpreter
from ..memory.later_memory import LaterMemory
from ..payload_limits import why_full
from ..scope import Scope
from .said import Said

HISTORY_CHARS = 8_000
"""Most characters of what was said before that a template is given: whole turns, the newest."""

TURN = "turn"
"""Place of a turn, below that of the chat's runnable."""


class ChatConversation(Protocol):
    """What was said in a chat, and who goes on with it."""

    @property
    def said(self) -> Said:
        """What was said so far."""
        ...

    async def answer(self, message: Message) -> Result:
        """Return what comes of a message, also where it is cancelled."""
        ...

    def leave(self, message: Message) -> None:
        """Take in a message that is not answered: the next one came before."""
        ...

    @property
    def is_settled(self) -> bool:
        """Whether nothing of a turn that has ended is under way."""
        ...

    @property
    def passages(self) -> Iterable[Passage]:
        """What searches found so far, for answers that cite."""
        ...

    def carried(self, chat: ChatInput) -> ChatInput:
        """Return the input of a next execution, with all that was said."""
        ...


def conversation_of(chat: ChatInput, interpreter: Interpreter) -> ChatConversation:
    """Return the conversation of a chat, as far as it is."""
    agent: Agent | None = chat.runnable.agent
    if agent is None:
        return RunByRun(chat.runnable, chat, interpreter)
    return OneTranscript(agent, chat, interpreter)


class OneTranscript:
    """An agent that goes on in one transcript."""

    def __init__(self, agent: Agent, chat: ChatInput, interpreter: Interpreter) -> None:
        self._agent = agent
        self._interpreter = interpreter
        self._place = interpreter.root
        self._chat = chat
        self._loop: AgentLoop | None = None
        self._left: list[Message] = []
        self._tries = 0
        self._memory = LaterMemory.of(agent, interpreter, chat.carried)

    @property
    def said(self) -> Said:
        """What was said so far."""
        if self._loop:
            transcript = self._loop.state.transcript
            return Said(transcript.messages, transcript.kept)
        return Said.in_input(self._chat).and_more(self._left)

    async def answer(self, message: Message) -> Result:
        """Let the agent answer."""
        if self._loop is None:
            try:
                self._loop = await self._begun()
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - the next message tries it again
                result = result_of_error(error)
                if result.status is Status.CANCELLED:
                    self._left.append(message)
                return result
            for left in self._left:
                self._loop.tell(left, stands=True)
        loop = self._loop
        try:
            await self._memory.settled()
        except asyncio.CancelledError:
            # What was said stays.
            loop.tell(message, stands=True)
            raise
        # Nothing undoes what a chat did.
        self._interpreter.effects.forget(self._place)
        self._interpreter.accounts.open(self._place, self._chat.runnable.budget)
        is_at_work = own_workflow()
        answered: Result | None = None
        try:
            if ended := await self._memory.before(loop, message):
                return ended
            answered = await loop.answer(message, lambda: _ended_by_a_full_history(loop.state))
            return answered
        finally:
            if is_at_work() and not self._memory.after(loop.state, answered, self._close):
                await self._close()

    async def _close(self) -> None:
        await self._interpreter.accounts.close(self._place)
        # A budget is of one question, as all limits are: what is allowed after it would be of nothing.
        self._interpreter.accounts.forget(self._place)

    @property
    def is_settled(self) -> bool:
        """Whether nothing is written of a turn that has ended."""
        return self._memory.is_settled

    def leave(self, message: Message) -> None:
        """Add the message to what the agent is told next."""
        if self._loop:
            self._loop.tell(message, stands=True)
        else:
            self._left.append(message)

    @property
    def passages(self) -> Iterable[Passage]:
        """What searches found so far."""
        if self._loop is None and self._chat.carried:
            return self._chat.carried.passages
        return self._interpreter.found.passages.values()

    def carried(self, chat: ChatInput) -> ChatInput:
        """Return the input with the whole state of the agent."""
        if self._loop is None:
            said = self.said
            told = {"messages": tuple(said.messages), "kept": said.kept}
            if self._chat.carried is None:
                return chat.model_copy(update=told)
            return chat.model_copy(update={"carried": self._chat.carried.model_copy(update=told)})
        carried = self._loop.state.carried(self._interpreter.places, self._interpreter.tally)
        granted = tuple(sorted(self._interpreter.approvals.granted))
        carried = carried.model_copy(update={"granted": granted, "remembering": self._memory.carried})
        guards = self._interpreter.guards
        carried = carried.model_copy(update={"sealed": guards.sealed, "tainted": guards.tainted})
        told_else: dict[str, Any] = {"messages": (), "kept": None, "passages": (), "sealed": {}}
        return chat.model_copy(update={**told_else, "carried": carried})

    async def _begun(self) -> AgentLoop:
        agent, place, found = self._agent, self._place, self._interpreter.found
        tools: tuple[ToolDefinition, ...]
        guardrails = self._interpreter.guards.at(place)
        if carried := self._chat.carried:
            tools = carried.mcp
            self._interpreter.resume(carried)
            state = AgentState.resumed(agent, carried, found, tools, guardrails)
        else:
            self._tries += 1
            # The server may still be asked for the last time.
            tools = await mcp_tools(agent, place.numbered(self._tries))
            said = self._chat.messages
            after = place.before_first_reply(workflow.info().run_id)
            state = AgentState.begun(
                agent,
                said,
                found,
                tools,
                after=after,
                standing=len(said),
                head_stands=not tools,
                kept=self._chat.kept,
                guardrails=guardrails,
            )
        return AgentLoop(self._interpreter, agent, place, state, tools, keep=True)


class RunByRun:
    """A runnable that runs anew for each message."""

    def __init__(self, runnable: Runnable, chat: ChatInput, interpreter: Interpreter) -> None:
        self._runnable = runnable
        self._interpreter = interpreter
        self.is_settled = True
        self._turns = len(chat.turns)
        self.messages: list[Message] = list(chat.messages)

    @property
    def said(self) -> Said:
        """What was said so far."""
        return Said(self.messages)

    async def answer(self, message: Message) -> Result:
        """Run the runnable at a place of the turn's own."""
        self._turns += 1
        place = self._interpreter.root / numbered(TURN, self._turns)
        scope = Scope.root(place, message, {template.HISTORY: history_text(self.messages)})
        result = await self._interpreter.run(self._runnable, scope)
        result = result.model_copy(update={"compensated": self._interpreter.effects.compensated})
        self._interpreter.forget(place)
        if result.output is None and result.status is Status.FAILED:
            return result
        self.messages.append(message)
        if result.output is not None:
            said = TextPart(text=template.as_text(result.output))
            self.messages.append(Message(role=Role.ASSISTANT, parts=(said,)))
        return result

    def leave(self, message: Message) -> None:
        """Add the message to what was said."""
        self._turns += 1
        self.messages.append(message)

    @property
    def passages(self) -> Iterable[Passage]:
        """What searches found so far."""
        return self._interpreter.found.passages.values()

    def carried(self, chat: ChatInput) -> ChatInput:
        """Return the input with what was said."""
        return chat.model_copy(update={"messages": tuple(self.messages)})


def history_text(messages: Sequence[Message]) -> str:
    """Return what was said as text for templates.

    As many of the newest turns as fit, and at least a part of the last.
    """
    spoken = [message for message in messages if message.text and message.role is not Role.TOOL]
    begins = [index for index, message in enumerate(spoken) if message.role is Role.USER]
    turns = ["\n".join(map(_line, spoken[begin:end])) for begin, end in pairwise([*begins, len(spoken)])]
    shown: list[str] = []
    room = HISTORY_CHARS
    for turn in reversed(turns):
        if len(turn) > room:
            break
        shown.append(turn)
        room -= len(turn) + 2
    if turns and not shown:
        shown = [f"…{turns[-1][-HISTORY_CHARS:]}"]
    return "\n\n".join(reversed(shown))


def _line(message: Message) -> str:
    # No line of what somebody said may look like the beginning of what somebody else did.
    text = message.text.replace("\n", "\n  ")
    return f"{'Assistant' if message.role is Role.ASSISTANT else 'User'}: {text}"


def _ended_by_a_full_history(state: AgentState) -> Result | None:
    full = why_full()
    return state.result(Status.EXHAUSTED, full) if full else None
