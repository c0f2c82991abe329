"""Parallel work: several runnables on one input, or one on each item of a list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator, model_validator
from typing_extensions import override

from ..contract import OutT_co, arguments
from ..control.budget import Budget
from ..guardrails.guardrail import Guardrail
from ..template import INPUT, check_name
from .node import Node, braced, check_distinct

if TYPE_CHECKING:
    from .runnable import Runnable

Join = Literal["all", "first", "vote"]

MAX_ITEMS = 5_000
"""Most items of one list: more would not fit the history of one workflow execution."""


class Parallel(Node[OutT_co]):
    """Several runnables on the same input, or one on each item of a list.

    All run at once, and their outputs become one.

    `Parallel(name="opinions", branches=[law, tax], join="all")` comes to `{"law": …, "tax": …}`;
    `Parallel(name="pages", each=summarise, over="pages", limit=20)` to the outputs in the order of the list. One that
    fails does not lose what the others came to.
    """

    kind: Literal["parallel"] = "parallel"
    branches: tuple[Runnable, ...] = ()
    """What runs at once. Exactly one of `branches` and `each` is given."""
    each: Runnable | None = None
    """What runs on each item of a list. An item is its `{input}`."""
    over: str = INPUT
    """Name of the list: `input`, a field of it, or an earlier step's output. At most 5,000 items."""
    limit: int | None = Field(default=None, ge=1)
    """Most that run at once. None: all of the branches; 20 items of a list."""
    join: Join = "all"
    """`all` waits for all; `first` takes the first that completes and cancels the others; `vote` takes the output that
    most of them came to."""
    judge: Runnable | None = None
    """With `vote`: decides instead of the majority. It is told all outputs as a JSON object by branch, and answers with
    the name of a branch, whose output then counts, or with an output of its own."""
    reducer: Runnable | None = None
    """With `all`: makes one output of all, of which it is told as JSON."""
    min_completed: int | None = Field(default=None, ge=0)
    """How many must complete for the whole to complete. None: all, and one with `first`."""

    def __init__(
        self,
        *,
        name: str,
        branches: Iterable[Node] = (),
        each: Node | None = None,
        over: str = INPUT,
        limit: int | None = None,
        join: Join = "all",
        judge: Node | None = None,
        reducer: Node | None = None,
        min_completed: int | None = None,
        description: str = "",
        budget: Budget | None = None,
        guardrails: Iterable[Guardrail] = (),
        **unknown: Any,
    ) -> None:
        self._construct(arguments(locals()))

    @field_validator("over")
    @classmethod
    def _callable(cls, over: str) -> str:
        check_name(over)
        return over

    @model_validator(mode="after")
    def _whole(self) -> Parallel:
        if bool(self.branches) == (self.each is not None):
            raise ValueError("give branches= or each=, exactly one of them")
        if self.over != INPUT and self.each is None:
            raise ValueError("over: it names the list of each=, and there is none")
        if self.judge and self.join != "vote":
            raise ValueError(f"judge: it goes with join='vote', not with {self.join!r}")
        if self.reducer and self.join != "all":
            raise ValueError(f"reducer: it goes with join='all', not with {self.join!r}")
        if self.min_completed is not None and self.join == "first":
            raise ValueError("min_completed: it goes with join='all' and 'vote': 'first' needs one")
        if self.min_completed is not None and self.branches and self.min_completed > len(self.branches):
            raise ValueError(
                f"min_completed: {self.min_completed} is more than the number of branches, {len(self.branches)}"
            )
        check_distinct(
            [
                *((f"branches[{index}]", branch.name) for index, branch in enumerate(self.branches)),
                *([("judge", self.judge.name)] if self.judge else []),
                *([("reducer", self.reducer.name)] if self.reducer else []),
                *([("each", self.each.name)] if self.each else []),
            ]
        )
        for place, node in (("judge", self.judge), ("reducer", self.reducer)):
            if node is not None and node.needs():
                raise ValueError(
                    f"{place} ({node.name}): it is told all outputs as {{input}}, and wants {braced(node.needs())}"
                )
        return self

    @override
    def children(self) -> Iterator[tuple[str, Node]]:
        yield from ((f"branches[{index}]", branch) for index, branch in enumerate(self.branches))
        for place, node in (("each", self.each), ("judge", self.judge), ("reducer", self.reducer)):
            if node is not None:
                yield place, node

    @override
    def needs(self) -> tuple[str, ...]:
        # Names in `each` may be fields of the items, which are known only when it runs.
        own = () if self.over == INPUT else (self.over,)
        return tuple(dict.fromkeys([*own, *(name for branch in self.branches for name in branch.needs())]))
