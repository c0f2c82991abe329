"""The team: specialists, and the four ways in which they work together.

Each works in a run of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from pydantic import Field, TypeAdapter, model_validator
from typing_extensions import TypedDict, Unpack, override

from ..collection.collection import Collection
from ..contract import OutT_co, arguments
from ..control.budget import Budget
from ..errors import SpecError
from ..guardrails.guardrail import Guardrail
from ..head import Head
from ..memory.conversation import Memory
from ..memory.long_term import LongTerm
from ..model import Model, OutputSchema
from ..tool import TOOL_NAME, ToolDefinition
from .agent import Agent
from .agent_tools import TRANSFER, delegate_tool
from .answerer import WORDS_OF_TEAM, Answerer
from .node import Node, braced, check_distinct
from .output import Validator, named_validators, output_schema

if TYPE_CHECKING:
    from .runnable import Runnable

Style = Literal["delegate", "handoff", "debate", "plan"]

DEFAULT_ROUNDS: Mapping[Style, int] = {"delegate": 50, "handoff": 10, "debate": 2, "plan": 3}
"""Most rounds of each style, where a team names none."""

_STYLES_OF: Mapping[str, tuple[Style, ...]] = {
    "judge": ("debate",),
    "writer": ("plan",),
    "entry": ("handoff",),
    "limit": ("debate", "plan"),
    "memory": ("delegate",),
    "long_term": ("delegate",),
}
"""Fields that not every style has."""

_LEADS = (
    "You lead a team. Give each member the tasks that it is good at, several at once where they do not depend on each "
    "other. A member knows nothing but what you tell it. Then answer with what they found."
)

T = TypeVar("T")


class _TeamFields(TypedDict, total=False):
    """What may be said of one besides, for type checkers alone."""

    style: Style
    model: Model | str | None
    instructions: str
    validators: Iterable[Validator | str]
    entry: str
    max_rounds: int | None
    limit: int | None
    judge: Node | None
    writer: Node | None
    long_term: LongTerm | None
    description: str
    budget: Budget | None
    guardrails: Iterable[Guardrail]
    memory: Memory | None


class Team(Answerer[OutT_co]):
    """Specialists that work together.

    `Team(name="desk", members=[billing, technical], model="anthropic/…")`.

    Styles: `delegate`: a leader calls members as tools, several at once where it asks for several. `handoff`: a member
    answers, or hands the conversation over to another one, who continues it. `debate`: all speak in rounds, knowing
    what the others said, then a judge decides. `plan`: a planner writes tasks that depend on each other, members work
    on them as the dependencies allow, and the planner goes on or answers.
    """

    _elsewhere = WORDS_OF_TEAM

    fills = {"instructions": False}

    kind: Literal["team"] = "team"
    members: tuple[Runnable, ...] = Field(min_length=1)
    style: Style = "delegate"
    model: Model | None = None
    """Who leads, plans or judges. None with `handoff`, and where a debate has a `judge`."""
    instructions: str = ""
    """What the leader, planner or judge that is the team's model is told as well."""
    output: OutputSchema | None = None
    """The form of the answer, where the team's model gives it; None for free text."""
    validators: tuple[str, ...] = ()
    """Names of the functions that the answer has to pass as well."""
    entry: str = ""
    """Style `handoff`: member who begins. Default: the first."""
    max_rounds: int | None = Field(default=None, ge=1)
    """Most turns of the leader (50), handovers (10), rounds of a debate (2), or plans (3)."""
    limit: int | None = Field(default=None, ge=1)
    """Styles `debate` and `plan`: most members at work at once. None: no limit."""
    judge: Runnable | None = None
    """Style `debate`: who decides. Default: the team's model."""
    writer: Runnable | None = None
    """Style `plan`: who writes the answer from the results. Default: the planner."""
    memory: Memory | None = None
    """Style `delegate`: how much of a long conversation the leader is told. None: all of it."""
    long_term: LongTerm | None = None
    """Style `delegate`: what the leader remembers beyond a conversation."""

    @overload
    def __init__(
        self: Team[str],
        *,
        name: str,
        members: Iterable[Node],
        output: None = None,
        **fields: Unpack[_TeamFields],
    ) -> None: ...

    @overload
    def __init__(
        self: Team[T],
        *,
        name: str,
        members: Iterable[Node],
        output: type[T],
        **fields: Unpack[_TeamFields],
    ) -> None: ...

    @overload
    def __init__(
        self: Team[Any],
        *,
        name: str,
        members: Iterable[Node],
        output: Any,
        **fields: Unpack[_TeamFields],
    ) -> None: ...

    def __init__(
        self,
        *,
        name: str,
        members: Iterable[Node],
        style: Style = "delegate",
        model: Model | str | None = None,
        instructions: str = "",
        output: Any = None,
        validators: Iterable[Validator | str] = (),
        entry: str = "",
        max_rounds: int | None = None,
        limit: int | None = None,
        judge: Node | None = None,
        writer: Node | None = None,
        long_term: LongTerm | None = None,
        description: str = "",
        budget: Budget | None = None,
        guardrails: Iterable[Guardrail] = (),
        memory: Memory | None = None,
        **unknown: Any,
    ) -> None:
        given = arguments(locals())
        checks = named_validators(validators, f"Team {name!r}: validators")
        given |= {"output": output_schema(output, f"Team {name!r}: output"), "validators": tuple(checks)}
        self._construct(given)
        self._know(output, checks)

    @model_validator(mode="after")
    def _whole(self) -> Team:
        check_distinct(
            [
                *((f"members[{index}]", member.name) for index, member in enumerate(self.members)),
                *([("judge", self.judge.name)] if self.judge else []),
                *([("writer", self.writer.name)] if self.writer else []),
            ]
        )
        for index, member in enumerate(self.members):
            self._check_member(f"members[{index}] ({member.name})", member)
        for field, styles in _STYLES_OF.items():
            if getattr(self, field) and self.style not in styles:
                raise ValueError(
                    f"{field}: it goes with style={' or '.join(map(repr, styles))}, not with {self.style!r}"
                )
        if self.entry and self.entry not in {member.name for member in self.members}:
            raise ValueError(
                f"entry: there is no member {self.entry!r}: there are {', '.join(m.name for m in self.members)}"
            )
        for place, node in (("judge", self.judge), ("writer", self.writer)):
            if node is not None and node.needs():
                raise ValueError(
                    f"{place} ({node.name}): it is told what was said as {{input}}, and wants {braced(node.needs())}"
                )
        self._check_model()
        return self

    def _check_member(self, place: str, member: Node) -> None:
        if self.style == "delegate":
            delegate_tool(member, place)
        elif member.needs():
            raise ValueError(f"{place}: it is told its task as {{input}}, and wants {braced(member.needs())}")
        if self.style == "handoff":
            if not isinstance(member, Agent):
                raise ValueError(f"{place}: only an Agent can take over a conversation, and this is a {member.kind}")  # type: ignore[attr-defined]
            if not TOOL_NAME.match(TRANSFER + member.name):
                raise ValueError(
                    f"{place}: no name for a member that takes over: it has more than {64 - len(TRANSFER)} characters, "
                    "or a dot"
                )
            taken = {TRANSFER + other.name for other in self.members}
            for name in (*(tool.name for tool in member.tools), *(node.name for node in member.delegates)):
                if name in taken:
                    raise ValueError(f"{place}: its tool {name!r} has the name by which it hands over: rename the tool")

    def _check_model(self) -> None:
        if self.style == "handoff":
            wanted, why = False, "the member that answers has its own"
        elif self.style == "debate":
            wanted, why = self.judge is None, "judge= has its own" if self.judge else "somebody has to judge"
        else:
            wanted, why = True, f"somebody has to {'lead' if self.style == 'delegate' else 'plan'}"
        if wanted and not self.model:
            raise ValueError(f"model: name one: {why}")
        if self.writer and (self.output or self.validators):
            raise ValueError("output: leave it out, with the validators: the writer has its own")
        for field in () if wanted else ("model", "instructions", "output", "validators"):
            if getattr(self, field):
                raise ValueError(f"{field}: leave it out: {why}")

    __hash__ = None

    @override
    def children(self) -> Iterator[tuple[str, Node]]:
        yield from ((f"members[{index}]", member) for index, member in enumerate(self.members))
        for place, node in (("judge", self.judge), ("writer", self.writer)):
            if node is not None:
                yield place, node

    @property
    def rounds(self) -> int:
        """Most rounds, as set or by default."""
        return self.max_rounds or DEFAULT_ROUNDS[self.style]

    @property
    @override
    def models(self) -> Mapping[str, Model]:
        return {"model": self.model} if self.model else {}

    @override
    def collections(self) -> list[Collection]:
        return [self.long_term.collection] if self.long_term else []

    @property
    @override
    def output_type(self) -> TypeAdapter[Any] | None:
        last = self.judge or self.writer
        return last.output_type if last else self._output_type

    @property
    @override
    def has_own_run(self) -> bool:
        return True

    @property
    @override
    def agent(self) -> Agent | None:
        return self.leader if self.style == "delegate" else None

    @override
    def head_with(self, *tools: ToolDefinition) -> Head | None:
        agent = self.agent  # made anew each time that it is asked for
        return agent.head_with(*tools) if agent else None

    @property
    def leader(self) -> Agent:
        """The agent that has the members as tools, of a team that delegates.

        Raises:
            SpecError: The team has another style, and no leader.
        """
        if self.model is None:
            raise SpecError(f"Team {self.name!r}: style {self.style!r} has no leader")
        return Agent(
            name=self.name,
            model=self.model,
            instructions=f"{_LEADS}\n\n{self.instructions}".strip(),
            tools=self.members,
            output=self.output,
            validators=self.validators,
            max_turns=self.rounds,
            memory=self.memory,
            long_term=self.long_term,
        )
