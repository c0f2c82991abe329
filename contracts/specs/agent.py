"""The agent: a model that calls tools in a loop until it has an answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from pydantic import Field, PrivateAttr, field_validator, model_validator
from typing_extensions import TypedDict, Unpack, override

from ..collection.collection import Collection, SearchTool
from ..context.values import check_type
from ..contract import OutT_co, arguments, as_tuple
from ..control.ask_person import AskPerson
from ..control.budget import Budget
from ..errors import SpecError
from ..guardrails.guardrail import Guardrail, JudgedStage
from ..head import Head
from ..mcp import McpRef
from ..memory.conversation import Memory
from ..memory.long_term import LongTerm
from ..memory.read_result import READ_RESULT
from ..model import ANY_TOOL, Model, OutputSchema
from ..provider_tool import AnyProviderTool, McpConnector, ProviderTool
from ..tool import Tool, ToolDefinition, ToolSpec
from .agent_tools import delegate_tool, sorted_tools
from .answerer import WORDS_OF_AGENT, Answerer
from .node import Node, check_distinct
from .output import Validator, named_validators, output_schema

if TYPE_CHECKING:
    from .runnable import Runnable

T = TypeVar("T")


class _AgentFields(TypedDict, total=False):
    """What may be said of one besides, for type checkers alone."""

    instructions: str
    tools: Iterable[Tool[..., Any] | ToolSpec | Node | SearchTool | ProviderTool | AskPerson | str]
    validators: Iterable[Validator | str]
    tool_choice: str
    parallel_tool_calls: bool
    max_turns: int
    max_repairs: int
    max_repeats: int
    long_term: LongTerm | None
    context: Any
    description: str
    budget: Budget | None
    guardrails: Iterable[Guardrail]
    memory: Memory | None


class Agent(Answerer[OutT_co]):
    """A model with instructions and tools, run in a loop until it answers.

    Its tools are functions made by `@tool`, other runnables, each of which then works on what it is told in a run of
    its own, tools of MCP servers, as `"mcp:server"` or `"mcp:server/tool"`, searches of collections, as
    `collection.search`, and tools that the model's provider runs itself, such as `WebSearch()`.
    """

    _elsewhere = WORDS_OF_AGENT

    fills = {"instructions": False}

    kind: Literal["agent"] = "agent"
    instructions: str = ""
    """The system prompt. `{context.plan}` in it is a value of the run's context."""
    model: Model
    tools: tuple[ToolSpec, ...] = ()
    delegates: tuple[Runnable, ...] = ()
    """Runnables that it calls as tools."""
    mcp: tuple[str, ...] = ()
    """Tools of MCP servers, as `mcp:server` or `mcp:server/tool`."""
    provider_tools: tuple[AnyProviderTool, ...] = ()
    """Tools that the model's provider runs itself."""
    searches: tuple[SearchTool, ...] = ()
    """Collections that it searches."""
    output: OutputSchema | None = None
    """The form of the answer; None for free text."""
    validators: tuple[str, ...] = ()
    """Names of the functions that an answer has to pass as well."""
    tool_choice: str = ""
    """What the model has to call before it may answer: `required` for any tool, or the name of one. It is demanded
    until it was called, and no longer."""
    parallel_tool_calls: bool = True
    """Whether the model may ask for several calls at once."""
    max_turns: int = Field(default=50, ge=1)
    """Most model calls. A run that would need more ends as `exhausted` with what it has."""
    max_repairs: int = Field(default=2, ge=0)
    """How often an answer that is wrong is asked for again."""
    max_repeats: int = Field(default=3, ge=2)
    """How many turns in a row may ask for the very same tool calls. At this count they are answered with an
    error instead of run; two turns later the run ends as `exhausted`."""
    memory: Memory | None = None
    """How much of a long conversation the model is told. None: all of it."""
    long_term: LongTerm | None = None
    """What it remembers beyond a conversation. None: nothing."""

    _tools: tuple[Tool[..., Any], ...] = PrivateAttr(default=())
    _judges: JudgedStage | None = PrivateAttr(default=None)

    @overload
    def __init__(
        self: Agent[str],
        *,
        name: str,
        model: Model | str,
        output: None = None,
        **fields: Unpack[_AgentFields],
    ) -> None: ...

    @overload
    def __init__(
        self: Agent[T],
        *,
        name: str,
        model: Model | str,
        output: type[T],
        **fields: Unpack[_AgentFields],
    ) -> None: ...

    @overload
    def __init__(
        self: Agent[Any],
        *,
        name: str,
        model: Model | str,
        output: Any,
        **fields: Unpack[_AgentFields],
    ) -> None: ...

    def __init__(
        self,
        *,
        name: str,
        model: Model | str,
        instructions: str = "",
        tools: Iterable[Tool[..., Any] | ToolSpec | Node | SearchTool | ProviderTool | AskPerson | str] = (),
        output: Any = None,
        validators: Iterable[Validator | str] = (),
        tool_choice: str = "",
        parallel_tool_calls: bool = True,
        max_turns: int = 50,
        max_repairs: int = 2,
        max_repeats: int = 3,
        long_term: LongTerm | None = None,
        context: Any = None,
        description: str = "",
        budget: Budget | None = None,
        guardrails: Iterable[Guardrail] = (),
        memory: Memory | None = None,
        **unknown: Any,
    ) -> None:
        given = arguments(locals())
        del given["context"]
        all_tools = as_tuple(tools, f"Agent {name!r}: tools")
        for field in ("delegates", "mcp", "provider_tools", "searches"):
            if field in unknown:
                raise SpecError(f"Agent {name!r}: {field}: give them in tools=")
        checks = named_validators(validators, f"Agent {name!r}: validators")
        given |= sorted_tools(all_tools, f"Agent {name!r}")
        given |= {"output": output_schema(output, f"Agent {name!r}: output"), "validators": tuple(checks)}
        self._construct(given)
        self._tools = tuple(tool for tool in all_tools if isinstance(tool, Tool))
        self._know(output, checks)
        if context is not None:
            check_type(context, f"Agent {name!r}")
            self.works_for(context)

    @field_validator("delegates")
    @classmethod
    def _callable(cls, delegates: tuple[Node, ...]) -> tuple[Node, ...]:
        for delegate in delegates:
            delegate_tool(delegate)
        return delegates

    @model_validator(mode="after")
    def _chosen(self) -> Agent:
        given = (*self.tools, *map(delegate_tool, self.delegates))
        names = [*(tool.name for tool in given), *(search.name for search in self.searches)]
        own = [tool.name for tool in self.memory_tools]
        clears = [READ_RESULT.name] if self.memory and self.memory.clears else []
        of_memory = (("long_term.tools", own), ("memory", clears))
        check_distinct((place, name) for place, known in (("tools", names), *of_memory) for name in known)
        names += own
        choice = self.tool_choice
        # What MCP servers have is known when it runs.
        if choice and not self.mcp and choice not in (names and [ANY_TOOL, *names]):
            known = ", ".join([ANY_TOOL, *names]) if names else "none, for the agent has none that it can be held to"
            raise ValueError(f"tool_choice: there is no tool {choice!r}; there are: {known}")
        return self

    __hash__ = None

    @override
    def children(self) -> Iterator[tuple[str, Node]]:
        yield from ((f"tools[{delegate.name}]", delegate) for delegate in self.delegates)

    @override
    def mcp_refs(self) -> list[tuple[str, McpRef]]:
        return [(text, McpRef.parse(text)) for text in self.mcp]

    @override
    def collections(self) -> list[Collection]:
        own = [self.long_term.collection] if self.long_term else []
        return [*(tool.collection for tool in self.searches), *own]

    @override
    def connectors(self) -> list[str]:
        return [tool.server for tool in self.provider_tools if isinstance(tool, McpConnector)]

    @property
    @override
    def has_own_run(self) -> bool:
        return True

    @property
    @override
    def has_conversation(self) -> bool:
        return True

    @property
    @override
    def agent(self) -> Agent:
        return self

    @override
    def about(self) -> str:
        return self.description or self.instructions.strip().partition("\n")[0] or self.name

    @property
    @override
    def models(self) -> Mapping[str, Model]:
        others = (("memory.model", self.memory), ("long_term.extract", self.long_term))
        return {"model": self.model, **{field: one.model for field, one in others if one and one.model}}

    @property
    @override
    def cites(self) -> bool:
        return self.output is not None and self.output.cited

    @property
    @override
    def functions(self) -> Sequence[Tool[..., Any]]:
        return self._tools

    def judging(self, stage: JudgedStage) -> Agent[OutT_co]:
        """Return this agent, made for one judgement of a guardrail."""
        self._judges = stage
        return self

    @property
    def memory_tools(self) -> tuple[ToolDefinition, ...]:
        """What its model sees of the tools of its memory."""
        return self.long_term.definitions if self.long_term else ()

    @property
    def head(self) -> Head:
        """What all its model calls share, but for tools that only a run knows."""
        return self.head_with()

    @override
    def head_with(self, *tools: ToolDefinition) -> Head:
        known = (
            *(tool.definition for tool in self.tools),
            *map(delegate_tool, self.delegates),
            *(tool.definition for tool in self.searches),
            *self.memory_tools,
            *(tool.definition if isinstance(tool, ToolSpec) else tool for tool in tools),
        )
        return Head(
            agent=self.name,
            instructions=self.instructions,
            model=self.model,
            tools=(*known, READ_RESULT) if known and self.memory and self.memory.clears else known,
            provider_tools=self.provider_tools,
            output=self.output,
            validators=self.validators,
            parallel_tool_calls=self.parallel_tool_calls,
            judges=self._judges,
        )
