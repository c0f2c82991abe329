"""The prompt: one question to a model, asked again until its answer is good."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeVar, overload

from pydantic import Field, field_validator
from typing_extensions import TypedDict, Unpack, override

from .. import template as templates
from ..contract import OutT_co, arguments
from ..control.budget import Budget
from ..guardrails.guardrail import Guardrail
from ..head import Head
from ..model import Model, OutputSchema
from ..tool import ToolDefinition
from .agent import Agent
from .answerer import WORDS_OF_PROMPT, Answerer
from .output import Validator, named_validators, output_schema

T = TypeVar("T")


class _PromptFields(TypedDict, total=False):
    """What may be said of one besides, for type checkers alone."""

    instructions: str
    validators: Iterable[Validator | str]
    max_repairs: int
    description: str
    budget: Budget | None
    guardrails: Iterable[Guardrail]


class Prompt(Answerer[OutT_co]):
    """A template, put to a model once.

    The answer is parsed and checked, and asked for again where it is wrong.

    `Prompt(name="title", template="A title for: {input}", model="anthropic/…", output=Literal["good", "bad"])`. Names
    in braces are `input`, fields of an input that is a JSON object, and outputs of earlier steps of the chains around
    it. For more than one turn, or tools, use `Agent`.
    """

    _elsewhere = WORDS_OF_PROMPT

    fills = {"template": True, "instructions": False}

    kind: Literal["prompt"] = "prompt"
    template: str
    """What the model is asked, with names in braces."""
    model: Model
    instructions: str = ""
    """The system prompt, without names."""
    output: OutputSchema | None = None
    """The form of the answer; None for free text. `Literal[...]` makes a choice."""
    validators: tuple[str, ...] = ()
    """Names of the functions that the answer has to pass as well."""
    max_repairs: int = Field(default=2, ge=0)
    """How often an answer that is wrong is asked for again."""

    @overload
    def __init__(
        self: Prompt[str],
        *,
        name: str,
        template: str,
        model: Model | str,
        output: None = None,
        **fields: Unpack[_PromptFields],
    ) -> None: ...

    @overload
    def __init__(
        self: Prompt[T],
        *,
        name: str,
        template: str,
        model: Model | str,
        output: type[T],
        **fields: Unpack[_PromptFields],
    ) -> None: ...

    @overload
    def __init__(
        self: Prompt[Any],
        *,
        name: str,
        template: str,
        model: Model | str,
        output: Any,
        **fields: Unpack[_PromptFields],
    ) -> None: ...

    def __init__(
        self,
        *,
        name: str,
        template: str,
        model: Model | str,
        instructions: str = "",
        output: Any = None,
        validators: Iterable[Validator | str] = (),
        max_repairs: int = 2,
        description: str = "",
        budget: Budget | None = None,
        guardrails: Iterable[Guardrail] = (),
        **unknown: Any,
    ) -> None:
        given = arguments(locals())
        checks = named_validators(validators, f"Prompt {name!r}: validators")
        given |= {"output": output_schema(output, f"Prompt {name!r}: output"), "validators": tuple(checks)}
        self._construct(given)
        self._know(output, checks)

    @field_validator("template")
    @classmethod
    def _readable(cls, template: str) -> str:
        if not template.strip():
            raise ValueError("it is empty: say what the model is asked, such as '{input}'")
        templates.names(template)
        return template

    __hash__ = None

    @override
    def needs(self) -> tuple[str, ...]:
        return tuple(name for name in templates.names(self.template) if name != templates.INPUT)

    @property
    @override
    def models(self) -> Mapping[str, Model]:
        return {"model": self.model}

    @property
    def asker(self) -> Agent:
        """The agent without tools that puts the question."""
        return Agent(
            name=self.name,
            instructions=self.instructions,
            model=self.model,
            output=self.output,
            validators=self.validators,
            max_turns=1 + self.max_repairs,
            max_repairs=self.max_repairs,
        )

    @property
    def head(self) -> Head:
        """What all its model calls have in common."""
        return self.asker.head

    @property
    @override
    def cites(self) -> bool:
        return self.output is not None and self.output.cited

    @property
    @override
    def takes_template(self) -> bool:
        return True

    @property
    @override
    def is_single_call(self) -> bool:
        return True

    @override
    def head_with(self, *tools: ToolDefinition) -> Head:
        return self.asker.head
