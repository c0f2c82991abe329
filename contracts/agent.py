"""The agent: a model that calls tools in a loop until it has an answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from pydantic import Field, PrivateAttr, TypeAdapter, field_validator

from .contract import Spec
from .errors import SpecError
from .model import Head, Model, OutputSchema
from .output import output_schema
from .tool import Tool, ToolSpec, check_spec


class Agent(Spec):
    """A model with instructions and tools, run in a loop until it answers.

    Serialisable: a run's input records exactly what ran. The functions of its tools and the type of its output
    stay in the process; workers know them from their `App`.
    """

    kind: Literal["agent"] = "agent"
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    """What the run list and the events call it."""
    instructions: str = ""
    """The system prompt."""
    model: Model
    tools: tuple[ToolSpec, ...] = ()
    output: OutputSchema | None = None
    """The form of the answer; None for free text."""
    max_turns: int = Field(default=50, ge=1)
    """Most model calls. A run that would need more ends as `exhausted` with what it has."""
    max_repairs: int = Field(default=2, ge=0)
    """How often an answer that does not fit `output` is asked for again."""
    max_repeats: int = Field(default=3, ge=2)
    """How many turns in a row may ask for the very same tool calls. At this count they are answered with an
    error instead of run; two turns later the run ends as `exhausted`."""

    _tools: tuple[Tool[..., Any], ...] = PrivateAttr(default=())
    _output_type: TypeAdapter[Any] | None = PrivateAttr(default=None)

    def __init__(
        self,
        *,
        name: str,
        model: Model | str,
        instructions: str = "",
        tools: Iterable[Tool[..., Any] | ToolSpec] = (),
        output: Any = None,
        max_turns: int = 50,
        max_repairs: int = 2,
        max_repeats: int = 3,
        **unknown: Any,
    ) -> None:
        given = tuple(tools)
        data = {
            "name": name,
            "instructions": instructions,
            "model": model,
            "tools": tuple(_tool_spec(tool, f"Agent {name!r}: tools[{i}]") for i, tool in enumerate(given)),
            "output": output_schema(output, f"Agent {name!r}: output"),
            "max_turns": max_turns,
            "max_repairs": max_repairs,
            "max_repeats": max_repeats,
            **unknown,
        }
        self._construct(data)
        self._tools = tuple(tool for tool in given if isinstance(tool, Tool))
        if output is not None and not isinstance(output, OutputSchema):
            self._output_type = TypeAdapter(output)

    # Keeps pydantic from calling this constructor when it reads an Agent from JSON.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @field_validator("tools")
    @classmethod
    def _names_differ(cls, tools: tuple[ToolSpec, ...]) -> tuple[ToolSpec, ...]:
        seen: dict[str, int] = {}
        for index, tool in enumerate(tools):
            if tool.name in seen:
                raise ValueError(f"[{index}] has the name {tool.name!r} of [{seen[tool.name]}]: names must differ")
            seen[tool.name] = index
        return tools

    def __eq__(self, other: object) -> bool:
        # An agent read back from its history equals the one that was sent, which has functions besides.
        return isinstance(other, Agent) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]

    @property
    def functions(self) -> Sequence[Tool[..., Any]]:
        """The tools that were given as functions in this process."""
        return self._tools

    @property
    def output_type(self) -> TypeAdapter[Any] | None:
        """The type of the answer, where it is known in this process."""
        return self._output_type

    @property
    def head(self) -> Head:
        """What every model call of this agent has in common."""
        return Head(
            agent=self.name,
            instructions=self.instructions,
            model=self.model,
            tools=tuple(tool.definition for tool in self.tools),
            output=self.output,
        )


def _tool_spec(tool: Any, where: str) -> ToolSpec:
    if isinstance(tool, Tool):
        return tool.spec
    if isinstance(tool, ToolSpec):
        check_spec(tool)
        return tool
    name = getattr(tool, "__name__", type(tool).__name__)
    hint = f"decorate {name} with @tool" if callable(tool) else "pass a function decorated with @tool"
    raise SpecError(f"{where}: {name!r} is not a tool: {hint}")
