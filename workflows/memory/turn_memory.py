"""Long-term memory around the turns of one agent.

Before a turn it tells what is remembered; after one that completed it has written what was said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from ...contracts.memory.long_term import MAX_MEMORY_CHARS, LongTerm, MemoryKind
from ...contracts.message import Message, ToolResultPart
from ...contracts.specs.agent import Agent
from ...contracts.text import one_line
from ...contracts.wire.memory.calls import (
    MAX_EXTRACT_CHARS,
    RecallCall,
    Recalled,
    RecalledMemory,
    Remembering,
    WriteCall,
)
from ...contracts.wire.memory.record import MOST_WRITTEN, NewMemory
from ...contracts.wire.places import Place
from ...contracts.wire.run import Result, Status
from ..agent.state import AgentState
from ..budget.spent_error import BudgetSpentError
from ..concurrency import told_by
from ..knowledge.found import FoundPassages
from ..tally import Tally
from .extraction import EXTRACTOR, extractor, memories_of, question
from .memory_calls import Charging, MemoryCalls

_MOST_TOLD: Final = 60
"""So many memories are known to have been told. One that was told before may be told again."""
_MOST_KNOWN: Final = 12
"""So many memories the model that extracts is shown. Those of earlier turns, too: it forgets what it was shown."""
_EPISODE_CHARS: Final = 160
_REASON_CHARS: Final = 300
_FORGOT: Final = "it had something forgotten: what else it said is not remembered"
_OWN: Final = "It was not remembered, or not all of it, what was said"


class MemoryHost(Charging, Protocol):
    """What the memory of an agent may ask for."""

    found: FoundPassages

    async def ask(self, agent: Agent, place: Place, message: Message, tally: Tally | None = None) -> Result:
        """Return what a model without tools says to one message, exactly at this place."""
        ...

    def numbered(self, place: Place) -> Place:
        """Return the place, with a number where it was used before."""
        ...


class TurnMemory:
    """What an agent remembers around its turns.

    Guarantees: what it tells the model stands in the history once, as data; a turn that did not complete writes
    nothing; what a turn writes is written once, however often its steps are repeated.

    Args:
        host: What the workflow gives to it.
        long_term: What is remembered, with its scope filled in.
        place: Of the agent.
        carried: What an earlier execution of the workflow left. None: this is the first.
    """

    def __init__(self, host: MemoryHost, long_term: LongTerm, place: Place, carried: Remembering | None = None) -> None:
        self._host = host
        self._long_term = long_term
        self._place = place
        self._now = carried or Remembering()
        self._tally = Tally()
        self._calls = MemoryCalls(host, long_term, place, lambda: self._tally)
        self._order = asyncio.Lock()
        """What was said later is written later, also where no turn waits for the one before it."""

    @property
    def carried(self) -> Remembering:
        """What a next execution goes on with."""
        return self._now

    @property
    def is_awaited(self) -> bool:
        """Whether a turn has to wait for what the one before it writes."""
        return bool(self._long_term.recall or self._long_term.model)

    async def before(self, asked: Message, tally: Tally, left_before: int = 0) -> Message | Result | None:
        """Recall what fits what is asked.

        Return what the model is told of it, before what it is asked; None for nothing; or a result to end with.

        Args:
            asked: What is asked.
            tally: Takes in what it costs.
            left_before: Before which position of the conversation something has left its prompt.
        """
        self._tally = tally
        if left_before != self._now.left_before:
            # What was told may have left the prompt.
            self._now = self._now.model_copy(update={"told": (), "left_before": left_before})
        number = self._now.turns + 1
        self._now = self._now.model_copy(
            update={"turns": number, "said": asked.text[:MAX_EXTRACT_CHARS], "found": (), "known": ()}
        )
        wants = self._long_term
        if not self._now.said.strip() or (not wants.recall and wants.extract == "none"):
            return None
        activity_id = self._place.memory_recall(number)
        recalled = await self._recalled(activity_id)
        if recalled.problem and wants.on_failure == "fail":
            return tally.result(Status.FAILED, f"its memory cannot be reached: {recalled.problem}")
        known = (*recalled.memories, *recalled.known)[:_MOST_KNOWN] if wants.model else ()
        self._now = self._now.model_copy(update={"found": recalled.found, "known": known})
        if not recalled.memories:
            return None
        self.tell(recalled.memories)
        # A prompt that has the text refers to what the activity found.
        self._host.found.texts[recalled.content] = activity_id
        return Message.user(recalled.content)

    def tell(self, memories: Iterable[RecalledMemory]) -> None:
        """Take in what the conversation is told."""
        told = dict.fromkeys((*self._now.told, *(one.id for one in memories)))
        self._now = self._now.model_copy(update={"told": tuple(told)[-_MOST_TOLD:]})

    async def after(self, state: AgentState, result: Result) -> Result:
        """Write what the turn said, where it completed.

        Return the result, with what that cost; a failed one where it could not be written and that is to fail it.
        """
        if result.status is not Status.COMPLETED:
            return result
        self._tally = state.tally
        problem = await self._written(self._now.said, state, result)
        totals = state.tally.totals
        result = result.model_copy(update={**dict(totals), "turns": state.tally.turns})
        if problem and self._long_term.on_failure == "fail":
            return result.model_copy(update={"status": Status.FAILED, "reason": f"{_OWN}: {problem}"})
        return result

    async def _recalled(self, activity_id: str) -> Recalled:
        wants = self._long_term
        call = RecallCall(
            place=self._calls.where,
            query=self._now.said,
            kinds=wants.kinds,
            limit=wants.recall,
            tokens=wants.recall_tokens,
            half_life=wants.half_life,
            now=workflow.now(),
            told=self._now.told,
            known=_MOST_KNOWN if wants.model else 0,
            extract=wants.extract != "none",
            extract_kinds=wants.kinds,
            own_words=wants.extract == "messages",
        )
        try:
            return await self._calls.recall(call, activity_id)
        except BudgetSpentError as spent:
            return Recalled(problem=spent.reason)
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            return Recalled(problem=told_by(error))

    async def _written(self, said: str, state: AgentState, result: Result) -> str:
        """Write what was said; return why it could not be, if it could not."""
        found, note = await self._found(said, state, result)
        self._now = self._now.model_copy(update={"said": "", "found": (), "known": ()})
        if not (found or note):
            return ""
        number = self._now.turns
        activity_id = self._place.memory_write(number)
        source = self._calls.source(activity_id, number)
        call = WriteCall(place=self._calls.where, source=source, memories=found, note=note)
        try:
            async with self._order:
                await self._calls.write(call, activity_id)
        except BudgetSpentError as spent:
            return spent.reason
        except FailureError as error:
            return told_by(error)
        return ""

    async def _found(self, said: str, state: AgentState, result: Result) -> tuple[tuple[NewMemory, ...], str]:
        """Return what of a turn is to be remembered, and a note on how it was found."""
        if state.forgot:
            # It may say once more what it is about.
            return (), _FORGOT if self._now.found or self._long_term.model else ""
        try:
            found, note = self._now.found, ""
            if self._long_term.model and said:
                found, note = await self._extracted(said, result)
            episode = self._episode(said, state, result)
        except FailureError:
            raise
        except Exception as error:  # noqa: BLE001
            # What was answered stays, whatever a bug of ours makes of it; what follows is the same once it is mended.
            workflow.logger.exception("what a turn said could not be looked through")
            return (), f"internal error: {type(error).__name__}: {error}"
        return (*found[: MOST_WRITTEN - len(episode)], *episode), note

    async def _extracted(self, said: str, result: Result) -> tuple[tuple[NewMemory, ...], str]:
        """Return what a model finds in a turn.

        Where it fails: what the rules have found, and a note that says so.
        """
        model = self._long_term.model
        if model is None:
            return self._now.found, ""
        answered = result.output if isinstance(result.output, str) else ""
        asked = question(said, answered, self._now.known)
        place = self._host.numbered(self._place / EXTRACTOR)
        came = await self._host.ask(extractor(model), place, asked, self._tally)
        if came.status is not Status.COMPLETED:
            why = one_line(came.reason or came.status.value, _REASON_CHARS)
            return self._now.found, f"{model.name} was asked in vain ({why}): what the rules know was taken"
        return memories_of(came.output, self._long_term.kinds), ""

    def _episode(self, said: str, state: AgentState, result: Result) -> tuple[NewMemory, ...]:
        """Return how a turn went in which something was done."""
        if MemoryKind.EPISODE not in self._long_term.kinds or self._long_term.extract == "none":
            return ()
        done = _done(state.transcript.since(state.begins), [tool.name for tool in self._long_term.definitions])
        if not done:
            return ()
        answer = one_line(result.output, _EPISODE_CHARS) if isinstance(result.output, str) else result.status.value
        text = f"Asked: {one_line(said, _EPISODE_CHARS)} Called: {', '.join(done)}. Answered: {answer}"
        return (NewMemory(kind=MemoryKind.EPISODE, text=text[:MAX_MEMORY_CHARS], importance=0.3),)


def _done(messages: Sequence[Message], own: Sequence[str]) -> list[str]:
    """Return what a turn called, each with how it went where it went wrong."""
    ends: dict[str, None] = {}
    for message in messages:
        for part in message.parts:
            if isinstance(part, ToolResultPart) and part.name not in own:
                ends[f"{part.name} (failed)" if part.is_error else part.name] = None
    return [*ends][:10]
