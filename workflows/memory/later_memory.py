"""Long-term memory of a chat.

What a turn said is written while nobody waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from temporalio import workflow

from ...contracts.message import Message
from ...contracts.specs.agent import Agent
from ...contracts.wire.memory.calls import Remembering
from ...contracts.wire.places import Place
from ...contracts.wire.run import Carried, Result, Status
from ..agent.loop import AgentLoop
from ..agent.state import AgentState
from .turn_memory import MemoryHost, TurnMemory


class ChatHost(MemoryHost, Protocol):
    """What a chat's memory may ask for."""

    root: Place
    """Place of the workflow's own runnable."""


class LaterMemory:
    """Memory around the turns of a chat.

    The next turn waits for what the one before it writes where it recalls, and nothing else does.

    Args:
        memory: Around each turn. None: the agent has none, and nothing of this does anything.
    """

    def __init__(self, memory: TurnMemory | None) -> None:
        self._memory = memory
        self._writing: list[asyncio.Task[None]] = []

    @classmethod
    def of(cls, agent: Agent, host: ChatHost, carried: Carried | None) -> LaterMemory:
        """Return the memory of an agent in a chat.

        As an earlier execution has left it, where there was one.
        """
        if agent.long_term is None:
            return cls(None)
        return cls(TurnMemory(host, agent.long_term, host.root, carried.remembering if carried else None))

    @property
    def carried(self) -> Remembering | None:
        """What a next execution goes on with."""
        return self._memory.carried if self._memory else None

    @property
    def is_settled(self) -> bool:
        """Whether nothing is being written."""
        return not self._writing

    async def settled(self) -> None:
        """Wait for what the turn before writes, where the next one needs that."""
        if self._memory and self._memory.is_awaited and not self.is_settled:
            await workflow.wait_condition(lambda: self.is_settled)

    async def before(self, loop: AgentLoop, message: Message) -> Result | None:
        """Tell the agent what is remembered; return a result to end with, if any."""
        if self._memory is None:
            return None
        try:
            kept = loop.state.transcript.kept
            told = await self._memory.before(message, loop.state.tally, kept.left_before if kept else 0)
        except asyncio.CancelledError:
            # What was said stays.
            loop.tell(message, stands=True)
            raise
        if isinstance(told, Result):
            return told
        if told:
            loop.tell(told)
        return None

    def after(self, state: AgentState, result: Result | None, close: Callable[[], Awaitable[None]]) -> bool:
        """Begin to write what a turn said, if it completed.

        Return whether that closes what the turn is charged to.

        Args:
            state: What the agent knows.
            result: What the turn came to. None: it has none.
            close: Closes what the turn was charged to, once all is.
        """
        if self._memory is None or result is None or result.status is not Status.COMPLETED:
            return False
        memory = self._memory

        async def write() -> None:
            await memory.after(state, result)
            if memory.is_awaited:
                await close()

        writing = asyncio.create_task(write())
        self._writing.append(writing)
        writing.add_done_callback(self._ended)
        # Where the next turn does not wait for it, it must not close what that one is charged to.
        return memory.is_awaited

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._writing.remove(task)
        if not task.cancelled() and (error := task.exception()):
            workflow.logger.error("what a turn said could not be remembered: %s", error, exc_info=error)
