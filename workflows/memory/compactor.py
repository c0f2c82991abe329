"""Shortens the prompt of an agent where it outgrows its window."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from ...contracts.errors import SpecError
from ...contracts.limits import written_bytes
from ...contracts.memory.conversation import Memory, MemoryStrategy
from ...contracts.message import FilePart, ImagePart, Message, Part, Role, ToolResultPart
from ...contracts.model import Model
from ...contracts.wire.memory.compaction import NO_SUMMARY, Compaction
from ...contracts.wire.model_call import ModelReply
from ..agent.state import AgentState
from ..budget.spent_error import BudgetSpentError
from ..payload_limits import PayloadTooLargeError
from .cutting import cut_part, longest_new
from .leaving import beyond_window, old_results, oldest
from .summary import STUB, leaving_told, question_tokens, summary_question, summary_told
from .token_count import UNCOUNTED_BYTES

_SUMMARY_PART = 0.25
"""Most of what a prompt keeps that a summary takes."""
_MOST_SUMMARY_TOKENS = 1_500
_MOST_STEPS = 10
_TOKENS_PER_WORD = 1.5
_TOO_LONG = f"{NO_SUMMARY}it is longer than the window by itself"


class WindowTooSmallError(SpecError):
    """A prompt does not fit its window, whatever leaves it; says what is too large."""


def _has_attachments(part: Part) -> bool:
    return isinstance(part, ToolResultPart) and bool(part.attachments)


class Summarize(Protocol):
    """Asks a model for a summary."""

    async def __call__(self, length: int, size: int, asked: Message, tokens: int) -> tuple[ModelReply, str]:
        """Return what a model writes, and its `provider/model`.

        Args:
            length: Of how many messages of the transcript, from the first on.
            size: About how many tokens those have, with what stands before them.
            asked: What asks for it.
            tokens: Most tokens that it may have.

        Raises:
            temporalio.exceptions.ActivityError: It could not be asked; the cause says why.
            BudgetSpentError: A budget is not enough for it.
            PayloadTooLargeError: It cannot be sent.
            ValueError: The model does not take so much.
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
        context = self._context(model)
        window = self._memory.tokens(context)
        if window is None or not self._memory.shortens or (tokens := self._tokens()) <= window:
            return
        why = f"the next prompt would have about {tokens:,} tokens, and its window has {window:,}"
        await self._shorten(int(window * self._memory.keep), window, why)
        self._cut_new(window)
        if self._tokens() > window:
            self._leave_unanswered(int(window * self._memory.keep), why)
            # What is pinned, and never was answered, must not end all that comes later.
            self._cut_new(window, pinned=True)
        # A part of a model's own window leaves room beyond it.
        most = window if isinstance(self._memory.window, int) else context
        if self._tokens() > most and self._is_known(model):
            raise WindowTooSmallError(self._too_small(most))

    async def after_overflow(self, model: Model) -> bool:
        """Shorten a prompt that was refused as too long; return whether it is shorter.

        Args:
            model: Who refused it.
        """
        if not self._memory.shortens:
            return False
        refused, count = self._tokens(), self._state.tokens
        if refused > (count.total if count.model == model.name else 0):
            # However many its window has, they are no more than this, as far as it can be told.
            self._state.refused[model.name] = refused
        context = self._context(model) or refused
        window = min(self._memory.tokens(context) or context, refused)
        target = int(window * self._memory.keep)
        why = f"{model.name} refused the prompt as too long"
        await self._shorten(target, window, why)
        self._cut_new(target)
        self._leave_unanswered(target, why)
        return self._tokens() < refused

    async def shorten(self, why: str) -> bool:
        """Shorten the next prompt, however long it is; return whether it is shorter now.

        Args:
            why: For what reason.
        """
        tokens = self._tokens()
        target = int(tokens * self._memory.keep)
        await self._shorten(target, tokens, why)
        self._leave_unanswered(target, why)
        return self._tokens() < tokens

    def _context(self, model: Model) -> int:
        """Return how many tokens a model takes, as it says or as it has refused."""
        return self._state.windows.get(model.name) or self._state.refused.get(model.name, 0)

    def _is_known(self, model: Model) -> bool:
        """Return whether it is known how long the prompt is, and may be.

        Else its provider says so.
        """
        transcript = self._state.transcript
        new = (part for message in transcript.messages[transcript.sent :] for part in message.parts)
        is_counted = not any(isinstance(part, FilePart | ImagePart) or _has_attachments(part) for part in new)
        return is_counted and (isinstance(self._memory.window, int) or model.name in self._state.windows)

    @property
    def _known(self) -> list[Message]:
        """The messages that the last reply knows."""
        transcript = self._state.transcript
        return transcript.messages[: transcript.sent]

    def _parts(self) -> tuple[float, list[float], float]:
        """Return the tokens of the head, of each known message, and of what is new."""
        count, transcript = self._state.tokens, self._state.transcript
        return *count.known(transcript.head, self._known), count.of_new(transcript.messages[transcript.sent :])

    def _able(self, *, unanswered: bool = False) -> tuple[float, list[Message], list[float]]:
        """Return the tokens of the head, what may leave the prompt, and its tokens.

        That is what the last reply knows, and what came of its calls where that is from before what is asked now.

        Args:
            unanswered: Whether what was asked in between, and is not pinned, may leave as well.
        """
        count, transcript = self._state.tokens, self._state.transcript
        stop, asked = transcript.sent, self._asked
        while stop < asked and (
            transcript.messages[stop].role is Role.TOOL or (unanswered and not transcript.messages[stop].pinned)
        ):
            stop += 1
        results = transcript.messages[transcript.sent : stop]
        head, known, _ = self._parts()
        return head, transcript.messages[:stop], [*known, *(count.of_new([result]) for result in results)]

    def _tokens(self) -> int:
        """Return about how many tokens the next prompt has."""
        head, known, new = self._parts()
        return int(head + sum(known) + new)

    async def _shorten(self, target: int, window: int, why: str) -> None:
        """Shorten the prompt to so many tokens, as far as it can be.

        Args:
            target: Tokens that it is to have.
            window: Tokens that it may have at most.
            why: For what reason.
        """
        for strategy in self._memory.strategy:
            is_last, left = strategy == self._memory.strategy[-1], _MOST_STEPS
            while left and self._tokens() > target:
                is_part = await self._step(strategy, target, window, why, is_last=is_last)
                left = left - 1 if is_part else 0
        if self._tokens() > window:
            await self._step("window", target, window, why, note="nothing else was left to shorten")

    async def _step(
        self, strategy: MemoryStrategy, target: int, window: int, why: str, *, note: str = "", is_last: bool = True
    ) -> bool:
        """Shorten the prompt by one step; return whether another one could follow."""
        excess = self._tokens() - target
        if strategy == "clear_tools":
            cleared, is_enough = old_results(self._known, self._parts()[1], excess)
            # Of what leaves next a summary had better be told in full.
            if cleared and (is_enough or is_last):
                self._take(Compaction(strategy=strategy, cleared=cleared, stub=STUB, why=why, note=note), 0)
            return False
        # Whoever sums up what leaves reads it, and all that stays before it: of a whole conversation that may be more
        # than fits, and never of one that has kept to its window.
        head, messages, tokens = self._able()
        is_longer = strategy == "summary" and head + sum(tokens) > window + question_tokens()
        most = window - head - question_tokens() if is_longer else math.inf
        leaving = partial(oldest, messages, tokens, self._staying(), excess, self._asked)
        dropped, all_of_it = leaving(most), leaving()
        if is_longer and (huge := beyond_window(messages, tokens, self._staying(), all_of_it, window - head)):
            self._take(self._left(huge, why, _TOO_LONG))
            return True
        if not dropped:
            return False
        if strategy == "summary":
            text, told, note = await self._summary(dropped[-1][1], target)
            if text:
                untold = self._state.transcript.unsent_errors(dropped[-1][1])
                step = Compaction(strategy=strategy, dropped=dropped, told=text, untold=untold, why=why, note=note)
                self._take(step, told)
                return dropped != all_of_it
        self._take(self._left(dropped, why, note))
        return False

    def _leave_unanswered(self, target: int, why: str) -> None:
        """Let what was asked and never answered leave, the oldest first.

        Args:
            target: Tokens that the prompt is to have: nothing leaves where it has no more.
            why: For what reason.
        """
        excess = self._tokens() - target
        if excess <= 0:
            return
        _, messages, tokens = self._able(unanswered=True)
        if dropped := oldest(messages, tokens, self._staying(), excess, self._asked):
            self._take(self._left(dropped, why, "nothing else was left to shorten"))

    def _left(self, dropped: tuple[tuple[int, int], ...], why: str, note: str) -> Compaction:
        """Return the step by which messages leave without a summary."""
        transcript = self._state.transcript
        gone = sum(stop - start for start, stop in dropped) + transcript.count - len(transcript.messages)
        return Compaction(
            strategy="window",
            dropped=dropped,
            told=leaving_told(gone),
            untold=transcript.unsent_errors(dropped[-1][1]),
            unanswered=transcript.unanswered_questions(dropped[-1][1]),
            why=why,
            note=note,
        )

    async def _summary(self, length: int, target: int) -> tuple[str, int, str]:
        """Return how a summary is told, its tokens, and a note where there is none."""
        tokens = min(int(target * _SUMMARY_PART), _MOST_SUMMARY_TOKENS)
        head, _, able = self._able()
        size, asked = int(head + sum(able[:length])), summary_question(int(tokens / _TOKENS_PER_WORD))
        try:
            reply, writer = await self._summarize(length, size, asked, tokens)
            text = summary_told(reply, tokens * UNCOUNTED_BYTES)
        except (BudgetSpentError, PayloadTooLargeError, ValueError) as error:
            return "", 0, f"{NO_SUMMARY}{error}"
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            cause = error.cause
            why = f"{cause.type}: {cause.message}" if isinstance(cause, ApplicationError) else str(cause or error)
            return "", 0, f"{NO_SUMMARY}{why}"
        return text, self._most_tokens(text, reply, writer), ""

    def _most_tokens(self, text: str, reply: ModelReply, writer: str) -> int:
        """Return the most tokens of a text that tells a summary."""
        whole, summary = len(text.encode()), len(reply.message.text.strip().encode())
        counted = reply.usage.output_tokens
        if not counted or writer != self._state.tokens.model:
            # Others count otherwise, and a token has at least one byte.
            return whole
        # Its writer counted it, with what it thought; what is told around it is short.
        return min(whole, counted + max(whole - summary, 0))

    def _take(self, step: Compaction, told: int | None = None) -> None:
        """Shorten the prompt by a step.

        Args:
            step: What leaves it.
            told: Most tokens of what is told in its place. None: its bytes.
        """
        told = len(step.told.encode()) if told is None else told
        transcript, before = self._state.transcript, self._tokens()
        transcript.compact(step)
        self._state.tokens.compacted(step, self._known, told)
        step = step.model_copy(update={"before": before, "after": self._tokens()})
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

    def _cut_new(self, window: int, *, pinned: bool = False) -> None:
        """Tell the model less of what is new, the longest first."""
        transcript = self._state.transcript
        excess = (self._tokens() - window) / self._state.tokens.per_new_byte
        if excess <= 0:
            return
        # There may be a thousand: what all of them have is not measured anew after each.
        for index, position in longest_new(transcript.messages, transcript.sent, self._asked, pinned=pinned):
            part, size = transcript.messages[index].parts[position], transcript.size
            transcript.shorten(index, position, cut_part(part, math.ceil(excess)))
            excess -= size - transcript.size
            if excess <= 0:
                return

    def _too_small(self, most: int) -> str:
        head, known, new = self._parts()
        return (
            f"the prompt does not fit its window of {most:,} tokens, whatever leaves it. By an estimate instructions "
            f"and tools have about {head:,.0f}, what is new about {new:,.0f}, and what stays about {sum(known):,.0f}"
            f"{self._of_arguments(known, most)}: give Memory a larger window=, or ask for less"
        )

    def _of_arguments(self, known: Sequence[float], most: int) -> str:
        """Return whose arguments take most of a window; empty where none do."""
        shares = (
            (tokens * written_bytes(call) / written_bytes(message), call.name)
            for message, tokens in zip(self._known, known, strict=True)
            for call in message.tool_calls
        )
        share, name = max(shares, default=(0.0, ""))
        return f", of which about {share:,.0f} are the arguments of a call of {name}" if share * 2 > most else ""
