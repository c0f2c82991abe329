"""The tools by which a model uses its memory.

Their scope is that of the run, whatever the model asks for.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from ...contracts.contract import problems_of
from ...contracts.errors import SpecError
from ...contracts.memory.long_term import FORGET, MAX_MEMORY_CHARS, RECALL, LongTerm, MemoryKind
from ...contracts.message import ToolCallPart, ToolResultPart
from ...contracts.text import is_seen
from ...contracts.tool import ToolDefinition
from ...contracts.wire.memory.calls import ForgetCall, RecallCall, WriteCall
from ...contracts.wire.memory.record import NewMemory
from ...contracts.wire.places import Place
from ..budget.spent_error import BudgetSpentError
from ..concurrency import told_by
from ..tally import Tally
from .memory_calls import Charging, MemoryCalls

_FOUND: Final = 8
"""Memories that one call of `recall` tells, where the agent says no other number."""


class MemoryTools:
    """Runs the calls by which a model remembers, recalls and forgets.

    Args:
        host: Charges what they cost.
        long_term: Which tools, and whose memories. None: none.
        place: Of the agent.
        tally: Returns what takes in what they cost.
    """

    def __init__(self, host: Charging, long_term: LongTerm | None, place: Place, tally: Callable[[], Tally]) -> None:
        self._long_term = long_term
        self._place = place
        self._calls = MemoryCalls(host, long_term, place, tally) if long_term else None
        self.by_name: dict[str, ToolDefinition] = (
            {tool.name: tool for tool in long_term.definitions} if long_term else {}
        )
        """What they are called."""

    async def run(self, call: ToolCallPart, turn: int) -> ToolResultPart:
        """Return what a call comes to.

        Args:
            call: Of one of its tools.
            turn: Which model call asked for it.
        """
        try:
            return await self._made(call, turn)
        except (SpecError, ValidationError) as error:
            schema = json.dumps(self.by_name[call.name].parameters)
            return _error(call, f"{problems_of(error)}. Valid arguments follow this JSON schema: {schema}")
        except BudgetSpentError as spent:
            return _error(call, f"{call.name} failed: {spent.reason}")
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            yet = "" if call.name == RECALL else ", and may be done in part, or be done yet"
            return _error(call, f"{call.name} failed{yet}: {told_by(error)}")

    async def _made(self, call: ToolCallPart, turn: int) -> ToolResultPart:
        calls, long_term, activity_id = self._calls, self._long_term, self._place.tool_call(call.id)
        if calls is None or long_term is None:
            raise SpecError("the agent has no memory")
        if call.name == FORGET:
            ids = call.arguments.get("ids")
            if not isinstance(ids, list) or not ids or not all(isinstance(one, str) and one for one in ids):
                raise SpecError("ids: they are missing, or no texts")
            asked = ForgetCall(place=calls.where, ids=tuple(map(str, ids)), call_id=call.id)
            return (await calls.forget(asked, activity_id)).as_result(call.id, call.name)
        if call.name == RECALL:
            wanted = RecallCall(
                place=calls.where,
                query=_text(call, "query")[:MAX_MEMORY_CHARS],
                limit=long_term.recall or _FOUND,
                tokens=long_term.recall_tokens,
                half_life=long_term.half_life,
                now=workflow.now(),
                call_id=call.id,
            )
            found = await calls.recall(wanted, activity_id)
            if found.problem:
                return _error(call, f"{call.name} failed: {found.problem}")
            return found.as_result(call.id, call.name)
        kind = call.arguments.get("kind") or MemoryKind.FACT.value
        if kind not in (MemoryKind.FACT, MemoryKind.PREFERENCE):
            raise SpecError(f"kind: {kind!r} is neither fact nor preference")
        text = _text(call, "text")
        if len(text) > MAX_MEMORY_CHARS:
            # Cut, it might say something else.
            raise SpecError(f"text: it has {len(text):,} characters, and a memory at most {MAX_MEMORY_CHARS:,}")
        memory = NewMemory(kind=MemoryKind(kind), text=text, importance=0.7)
        write = WriteCall(
            place=calls.where,
            source=calls.source(activity_id, turn),
            memories=(memory,),
            as_said=True,
            call_id=call.id,
        )
        return (await calls.write(write, activity_id)).as_result(call.id, call.name)


def _text(call: ToolCallPart, name: str) -> str:
    text = call.arguments.get(name)
    if not isinstance(text, str) or not is_seen(text):
        raise SpecError(f"{name}: it is missing, or no text")
    return text.strip()


def _error(call: ToolCallPart, message: str) -> ToolResultPart:
    return ToolResultPart(call_id=call.id, name=call.name, content=message, is_error=True)
