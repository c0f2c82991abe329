"""The chain: steps in order, each of which sees the input and what every step before it came to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, TypeAdapter, model_validator
from typing_extensions import override

from . import template as templates
from .contract import Spec
from .node import NAME_PATTERN, Node, different

if TYPE_CHECKING:
    from .runnable import Runnable


class Step(Spec):
    """One step of a chain: a runnable, under the name that later templates call its output by."""

    name: str = Field(pattern=NAME_PATTERN)
    run: Runnable
    input: str = ""
    """Template of what the runnable is asked. Empty: what the step before it came to, for the first step what the chain
    was asked. A prompt has a template of its own instead."""

    def __init__(self, run: Node, *, name: str = "", input: str = "", **unknown: Any) -> None:  # noqa: A002
        self._construct({"name": name or getattr(run, "name", ""), "run": run, "input": input, **unknown})

    # Keeps pydantic from calling this constructor when it reads a Step from JSON.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @model_validator(mode="after")
    def _readable(self) -> Step:
        if self.input and self.run.kind == "prompt":
            raise ValueError("input: a prompt has its own template: say there what it is to be asked")
        templates.names(self.input)
        return self

    def needs(self) -> tuple[str, ...]:
        """Names that it takes from the chain."""
        own = tuple(name for name in templates.names(self.input) if name != templates.INPUT)
        return (*own, *(name for name in self.run.needs() if name not in own))


class Chain(Node):
    """Steps in order: `Chain(name="digest", steps=[extract, Step(review, input="Review {extract}"), summarise])`.

    Templates call what the chain was asked `{input}`, and what a step came to by the step's name. A step that does not
    complete ends the chain, with what every step before it came to in the result.
    """

    kind: Literal["chain"] = "chain"
    steps: tuple[Step, ...] = Field(min_length=1)
    inputs: tuple[str, ...] = ()
    """Names that its templates take from around it: fields of its input where that is a JSON object, or outputs of the
    chain that it is a step of."""

    def __init__(
        self,
        *,
        name: str,
        steps: Iterable[Node | Step],
        inputs: Iterable[str] = (),
        description: str = "",
        **unknown: Any,
    ) -> None:
        whole = tuple(Step(step) if isinstance(step, Node) else step for step in steps)
        data = {"name": name, "steps": whole, "inputs": tuple(inputs), "description": description, **unknown}
        self._construct(data)

    # Keeps pydantic from calling this constructor when it reads a Chain from JSON.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @model_validator(mode="after")
    def _in_order(self) -> Chain:
        different((f"steps[{index}]", step.name) for index, step in enumerate(self.steps))
        known = {*self.inputs}
        later = [step.name for step in self.steps]
        for index, step in enumerate(self.steps):
            for name in step.needs():
                if name not in known:
                    raise ValueError(f"steps[{index}] ({step.name}): {_unknown(name, later[index:], known)}")
            known.add(step.name)
        return self

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
    there = ", ".join(f"{{{one}}}" for one in ["input", *sorted(known)])
    return f"{{{name}}} is unknown here: there is {there}; name fields of the chain's input in inputs="
