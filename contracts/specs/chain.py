"""The chain: steps in order, each of which sees what the earlier ones came to.

Each sees the chain's input, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, TypeAdapter, field_validator, model_validator
from typing_extensions import override

from .. import template as templates
from ..contract import OutT_co, Spec, arguments
from ..control.budget import Budget
from ..guardrails.guardrail import Guardrail
from .node import Name, Node, braced, check_distinct, check_runnable

if TYPE_CHECKING:
    from .runnable import Runnable


class Step(Spec):
    """One step of a chain.

    A runnable, under the name that later templates call its output by.
    """

    fills = {"input": True}

    name: Name
    run: Runnable
    input: str = ""
    """Template of what the runnable is asked. Empty: what the step before it came to, for the first step what the chain
    was asked. A prompt has a template of its own instead."""

    def __init__(self, run: Node, *, name: str = "", input: str = "", **unknown: Any) -> None:
        self._construct({**arguments(locals()), "name": name or getattr(run, "name", "unnamed")})

    @model_validator(mode="before")
    @classmethod
    def _of_runnable(cls, data: Any) -> Any:
        if isinstance(data, Node):
            return {"name": data.name, "run": data}
        return data if isinstance(data, Step) else check_runnable(data)

    @field_validator("input")
    @classmethod
    def _readable(cls, template: str) -> str:
        templates.names(template)
        return template

    @model_validator(mode="after")
    def _asked_once(self) -> Step:
        if self.input and self.run.takes_template:
            raise ValueError("input: it has a template of its own: say there what it is to be asked")
        return self

    def needs(self) -> tuple[str, ...]:
        """Return the names that it takes from the chain."""
        own = tuple(name for name in templates.names(self.input) if name != templates.INPUT)
        return (*own, *(name for name in self.run.needs() if name not in own))


class Chain(Node[OutT_co]):
    """Steps in order.

    `Chain(name="digest", steps=[extract, Step(review, input="Review {extract}"), summarise])`.

    Templates call what the chain was asked `{input}`, and what a step came to by the step's name. A step that does not
    complete ends the chain, with what every step before it came to in the result.
    """

    kind: Literal["chain"] = "chain"
    steps: tuple[Step, ...] = Field(min_length=1)
    inputs: tuple[str, ...] = ()
    """Names that its templates take from around it: fields of its input where that is a JSON object, or outputs of the
    chain that it is a step of."""
    compensate: bool = False
    """Whether all that it did is undone, the last first, where it does not complete."""

    def __init__(
        self,
        *,
        name: str,
        steps: Iterable[Node | Step],
        inputs: Iterable[str] = (),
        description: str = "",
        budget: Budget | None = None,
        guardrails: Iterable[Guardrail] = (),
        compensate: bool = False,
        **unknown: Any,
    ) -> None:
        self._construct(arguments(locals()))

    @model_validator(mode="after")
    def _in_order(self) -> Chain:
        check_distinct(
            [
                ("the chain's own input", templates.INPUT),
                *((f"inputs[{index}]", name) for index, name in enumerate(self.inputs)),
                *((f"steps[{index}]", step.name) for index, step in enumerate(self.steps)),
            ]
        )
        known = {*self.inputs}
        later = [step.name for step in self.steps]
        for index, step in enumerate(self.steps):
            for name in step.needs():
                if name not in known:
                    raise ValueError(f"steps[{index}] ({step.name}): {_unknown(name, later[index:], known)}")
            known.add(step.name)
        return self

    @field_validator("inputs")
    @classmethod
    def _callable(cls, inputs: tuple[str, ...]) -> tuple[str, ...]:
        for name in inputs:
            templates.check_name(name)
        return inputs

    @override
    def children(self) -> Iterator[tuple[str, Node]]:
        yield from ((f"steps[{index}]", step.run) for index, step in enumerate(self.steps))

    @override
    def needs(self) -> tuple[str, ...]:
        return self.inputs

    @property
    @override
    def output_type(self) -> TypeAdapter[Any] | None:
        return self.steps[-1].run.output_type


def _unknown(name: str, later: list[str], known: set[str]) -> str:
    if name == later[0]:
        return f"{{{name}}} is the output of this very step"
    if name in later:
        return f"{{{name}}} is the output of a later step: move that step before this one"
    there = braced([templates.INPUT, *sorted(known)])
    return f"{{{name}}} is unknown here: there is {there}; name fields of the chain's input in inputs="
