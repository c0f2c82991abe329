"""Shortens the prompt of an agent where it outgrows its window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from ...contracts.errors import SpecError
from ...contracts.limits import written_bytes
from ...contracts.memory.conversation import Memory, MemoryStrategy
from ...contracts.message import Message, Role, ToolResultPart
from ...contracts.model import Model
from ...contracts.wire.memory.compaction import Compaction
from ...contracts.wire.model_call import ModelReply
from ...contracts.wire.run import Counted
from ..agent.state import AgentState
from ..budget.spent_error import BudgetSpentError
from ..payload_limits import PayloadTooLargeError
from .leaving import LEAST_RESULT_BYTES, cut_result, old_results, oldest
from .prompt_size import PromptSize
from .summary import STUB, leaving_told, question, summary_told

_SUMMARY_PART = 0.25
"""Most of what a prompt keeps that a summary takes."""
_MOST_SUMMARY_TOKENS = 1_500
_TOKENS_PER_WORD = 1.5
_LEAST_CUT_CHARS = 500


class WindowTooSmallError(SpecError):
    """A prompt does not fit its window, whatever leaves it; says what is too large."""


class Summarize(Protocol):
    """Asks a model for a summary."""

    async def __call__(self, length: int, asked: Message, tokens: int) -> ModelReply:
        """Return what a model writes.

        Args:
            length: Of how many messages of the transcript, from the first on.
            asked: What asks for it.
            tokens: Most tokens that it may have.

        Raises:
            temporalio.exceptions.ActivityError: It could not be asked; the cause says why.
            BudgetSpentError: A budget is not enough for it.
            PayloadTooLargeError: It cannot be sent.
        """
        ...


class Compactor:
    """Keeps one agent's prompt within its window.

    Args:
        memory: What the agent says of it.
        state: What it knows, whose transcript is shortened.
        summarize: Asks for a summary.
        shown: Told each step by which the prompt was shortened.
    """

    def __init__(
        self, memory: Memory, state: AgentState, summarize: Summarize, shown: Callable[[Compaction], None]
    ) -> None:
        self._memory = memory
        self._state = state
        self._summarize = summarize
        self._shown = shown

    async def fit(self, model: Model) -> None:
        """Shorten the next prompt where it is longer than the window.

        Args:
            model: Who is asked next.

        Raises:
            WindowTooSmallError: It cannot be made short enough.
        """
        context = self._state.windows.get(model.name, 0)
        window = self._memory.tokens(context)
        if window is None or not self._memory.shortens or (size := self._size()).tokens <= window:
            return
        why = f"the next prompt would have about {size.tokens:,} tokens, and its window has {window:,}"
        await self._shorten(int(window * self._memory.keep), window, why)
        self._cut_results(window)
        # A part of a model's own window leaves room beyond it.
        most = window if isinstance(self._memory.window, int) else context
        if (size := self._size()).tokens > most:
            raise WindowTooSmallError(_too_small(size, most))

    async def after_overflow(self, model: Model) -> bool:
        """Shorten a prompt that a model refused as too long; return whether it is shorter now.

        Args:
            model: Who refused it.
        """
        if not self._memory.shortens:
            return False
        size = self._size()
        context = self._state.windows.get(model.name) or size.tokens
        # However many its window has, they are no more than this.
        self._state.windows[model.name] = min(context, size.tokens)
        window = min(self._memory.tokens(context) or context, size.tokens)
        await self._shorten(int(window * self._memory.keep), window, f"{model.name} refused the prompt as too long")
        self._cut_results(int(window * self._memory.keep))
        return self._size().tokens < size.tokens

    async def shorten(self, why: str) -> bool:
        """Shorten the next prompt, however long it is; return whether it is shorter now.

        Args:
            why: For what reason.
        """
        size = self._size()
        await self._shorten(int(size.tokens * self._memory.keep), size.tokens, why)
        return self._size().tokens < size.tokens

    def _size(self) -> PromptSize:
        transcript = self._state.transcript
        return PromptSize.of(transcript.head, transcript.messages, transcript.sent, self._state.counted)

    async def _shorten(self, target: int, window: int, why: str) -> None:
        """Shorten the prompt to so many tokens, as far as it can be.

        Args:
            target: Tokens that it is to have.
            window: Tokens that it may have at most.
            why: For what reason.
        """
        for strategy in self._memory.strategy:
            if self._size().tokens > target:
                await self._step(strategy, target, why, is_last=strategy == self._memory.strategy[-1])
        if self._size().tokens > window:
            await self._step("window", target, why, note="nothing else was left to shorten")

    async def _step(
        self, strategy: MemoryStrategy, target: int, why: str, *, note: str = "", is_last: bool = True
    ) -> None:
        transcript, size = self._state.transcript, self._size()
        known = transcript.messages[: transcript.sent]
        excess = size.bytes_of(size.tokens - target)
        if strategy == "clear_tools":
            cleared, is_enough = old_results(known, excess)
            # Of what leaves next a summary had better be told in full.
            if cleared and (is_enough or is_last):
                self._take(Compaction(strategy=strategy, cleared=cleared, stub=STUB, why=why, note=note), size)
            return
        dropped = oldest(known, size.known, self._staying(), excess, self._asked)
        if not dropped:
            return
        text = ""
        if strategy == "summary":
            text, note = await self._summary(dropped[-1][1], target, size)
        if not text:
            strategy = "window"
            gone = sum(stop - start for start, stop in dropped) + transcript.count - len(transcript.messages)
            text = leaving_told(gone)
        self._take(Compaction(strategy=strategy, dropped=dropped, told=text, why=why, note=note), size)

    async def _summary(self, length: int, target: int, size: PromptSize) -> tuple[str, str]:
        """Return how a summary is told, and a note where there is none."""
        tokens = min(int(target * _SUMMARY_PART), _MOST_SUMMARY_TOKENS)
        try:
            reply = await self._summarize(length, question(int(tokens / _TOKENS_PER_WORD)), tokens)
            return summary_told(reply, size.bytes_of(tokens)), ""
        except (BudgetSpentError, PayloadTooLargeError, ValueError) as error:
            return "", f"there is no summary: {error}"
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            cause = error.cause
            why = f"{cause.type}: {cause.message}" if isinstance(cause, ApplicationError) else str(cause or error)
            return "", f"there is no summary: {why}"

    def _take(self, step: Compaction, size: PromptSize) -> None:
        state, transcript = self._state, self._state.transcript
        transcript.compact(step)
        counted = state.counted
        state.counted = Counted()
        left = PromptSize.of(transcript.head, transcript.messages, transcript.sent, state.counted)
        tokens = size.per_byte * (left.head + sum(left.known))
        if counted.tokens:
            # What left took tokens with it, and what came has no more than bytes.
            most = counted.tokens + written_bytes(Message.user(step.told)) + len(step.cleared) * LEAST_RESULT_BYTES
            state.counted = Counted(tokens=most, model=counted.model, part=tokens / most)
        step = step.model_copy(update={"before": size.tokens, "after": self._size().tokens})
        transcript.steps = (*transcript.steps[:-1], step)
        self._shown(step)

    @property
    def _asked(self) -> int:
        """Index of what is asked now."""
        transcript = self._state.transcript
        return len(transcript.messages) - len(transcript.since(self._state.begins))

    def _staying(self) -> list[int]:
        """Return the indices of what stays: what is asked now, and what is pinned."""
        messages = self._state.transcript.messages
        return [self._asked, *(index for index, message in enumerate(messages) if message.pinned)]

    def _cut_results(self, window: int) -> None:
        """Tell the model less of what its tools have just returned, the longest first."""
        transcript = self._state.transcript
        while (size := self._size()).tokens > window:
            index, result = self._longest_result()
            if result is None:
                return
            room = len(result.content) - size.bytes_of(size.tokens - window, unsent=True) - _LEAST_CUT_CHARS
            shorter = result.model_copy(update={"content": cut_result(result.content, max(room, _LEAST_CUT_CHARS))})
            message = transcript.messages[index]
            parts = tuple(shorter if part is result else part for part in message.parts)
            transcript.shorten(index, message.model_copy(update={"parts": parts}))

    def _longest_result(self) -> tuple[int, ToolResultPart | None]:
        messages, sent = self._state.transcript.messages, self._state.transcript.sent
        found: tuple[int, ToolResultPart | None] = (0, None)
        longest = 2 * _LEAST_CUT_CHARS
        for index in range(sent, len(messages)):
            for part in messages[index].parts if messages[index].role is Role.TOOL else ():
                if isinstance(part, ToolResultPart) and len(part.content) > longest:
                    found, longest = (index, part), len(part.content)
        return found


def _too_small(size: PromptSize, most: int) -> str:
    head, asked = int(size.per_byte * size.head), int(size.per_byte * sum(size.unsent))
    return (
        f"the prompt does not fit its window of {most:,} tokens, whatever leaves it: instructions and tools have about "
        f"{head:,}, what is new {asked:,}, and what stays {max(size.tokens - head - asked, 0):,}: give Memory a larger "
        "window=, or ask for less"
    )
