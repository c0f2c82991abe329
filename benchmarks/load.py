"""What both loops run: the same tool and the same scripted model.

The model answers at once and notes when it was asked.

Must not know how either loop works.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pydoc_data.topics import topics

from sostenuto import tool
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter, ScriptedStep
from sostenuto.activities.model_adapter import Completion, ModelRequest, OnDelta

INSTRUCTIONS = "You are a careful librarian. Read page after page until you know the answer, then give it."
QUESTION = "What do the pages say?"

_BOOK = "".join(topics.values())
"""Prose that every Python has: what is compressed would be made a fool of by one line again and again."""


@dataclass(frozen=True, slots=True)
class Load:
    """A run's work: so many turns, and a last model call that answers.

    A turn is a model call and a tool call.
    """

    turns: int
    result_bytes: int = 1000
    """Size of each tool result."""
    fast: bool = False
    """Whether our tool is a local activity. The naive loop knows no such thing."""

    @property
    def model(self) -> str:
        """Return the name of the scripted model that answers for this load."""
        return f"scripted/{self.tool}-{self.turns}-{self.result_bytes}"

    @property
    def tool(self) -> str:
        """Return the name of the tool that the model calls."""
        return "glance" if self.fast else "page"


async def read(number: int, size: int) -> str:
    """Read a page.

    Args:
        number: Which page.
        size: How many characters of it.
    """
    begin = number * size % (len(_BOOK) - size)
    return _BOOK[begin : begin + size]


page = tool(effect="read", name="page")(read)
glance = tool(effect="read", fast=True, name="glance")(read)


@dataclass(frozen=True, slots=True)
class Mark:
    """When a model call came in."""

    seconds: float
    """On the wall's clock."""
    cpu_seconds: float
    """Processor time of this process so far: the worker's, for the server is another process."""

    @classmethod
    def now(cls) -> Mark:
        """Return a mark of this moment."""
        return cls(time.perf_counter(), time.process_time())


class ScriptedModel:
    """The product's own scripted adapter, with a note of each call."""

    provider = "scripted"

    def __init__(self, loads: Iterable[Load]) -> None:
        self.marks: list[Mark] = []
        self._adapter = ScriptedAdapter({load.model.partition("/")[2]: _steps(load) for load in loads})

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        """Answer with the next step of the script."""
        self.marks.append(Mark.now())
        return await self._adapter.complete(request, on_delta)

    async def close(self) -> None:
        """Do nothing: a script holds no connections."""


def _steps(load: Load) -> list[ScriptedStep]:
    calls = ({"name": load.tool, "arguments": {"number": n, "size": load.result_bytes}} for n in range(load.turns))
    return [*(ScriptedStep(tool_calls=(call,)) for call in calls), ScriptedStep(text="The sea is wide.")]
