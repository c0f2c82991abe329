"""What every runnable has: a name, a description, and a place in a tree."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import AfterValidator, PrivateAttr, TypeAdapter, field_validator

from ..contract import OutT_co, Spec, Typed, brief
from ..control.budget import Budget
from ..errors import SpecError
from ..guardrails.any_guardrail import AnyGuardrail, check_guardrails

if TYPE_CHECKING:
    from ..collection.collection import Collection
    from ..head import Head
    from ..mcp import McpRef
    from ..model import Model
    from ..tool import Tool, ToolDefinition

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def _named(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is not a name: use up to 64 letters, digits, '_', '-' and '.', and begin with a letter or digit"
        )
    return name


Name = Annotated[str, AfterValidator(_named)]
"""Name of a runnable, a step or a route."""


class Node(Typed[OutT_co], Spec):
    """A runnable. Serialisable: a run's input records exactly what ran.

    What cannot be serialised, functions and types, stays in the process; workers know it from their `App`.
    """

    kinds: ClassVar[tuple[str, ...]] = ()
    """Names of all classes of runnables, in the order of their union."""

    name: Name
    """What the run list and the events call it."""
    description: str = ""
    """What it is good for, in a sentence: routers, teams and agents that may call it read this."""
    budget: Budget | None = None
    """What it may spend, with everything that is nested in it."""
    guardrails: tuple[AnyGuardrail, ...] = ()
    """What goes in and out of it has to pass, and of everything that is nested in it."""

    _app_guardrails: tuple[AnyGuardrail, ...] = PrivateAttr(default=())
    _context_type: Any = PrivateAttr(default=None)

    @field_validator("guardrails", mode="before")
    @classmethod
    def _listed(cls, guardrails: Any) -> Any:
        return check_guardrails(guardrails, "guardrails")

    @property
    def has_own_run(self) -> bool:
        """Whether it runs as a child workflow where it is nested in another runnable."""
        return False

    @property
    def has_conversation(self) -> bool:
        """Whether it can be told more later, and goes on from what it was told before."""
        return False

    @property
    def takes_template(self) -> bool:
        """Whether its template, and not a message, says what it is asked."""
        return False

    @property
    def is_single_call(self) -> bool:
        """Whether it is one model call or one search, however it is asked."""
        return False

    @property
    def cites(self) -> bool:
        """Whether its answer says which passages it rests on."""
        return False

    @property
    def may_cite(self) -> bool:
        """Whether it, or anything nested in it, cites."""
        return any(node.cites for node in self.walk())

    @property
    def agent(self) -> Any:
        """The `Agent` as which it runs; None where its kind has a runner of its own."""
        return None

    def mcp_refs(self) -> Sequence[tuple[str, McpRef]]:
        """Return its tools of MCP servers, each with how it was written."""
        return ()

    def collections(self) -> Sequence[Collection]:
        """Return the collections that it searches."""
        return ()

    def connectors(self) -> Sequence[str]:
        """Return the MCP servers that a provider is to connect to, by name."""
        return ()

    def head_with(self, *tools: ToolDefinition) -> Head | None:  # noqa: ARG002 - for those that have an agent
        """Return what all its model calls share, with these further tools.

        None unless it is an agent, a prompt or a team that delegates: others have no model calls, or several kinds.
        """
        return None

    def children(self) -> Iterator[tuple[str, Node]]:
        """Yield what is nested directly in it, each with its place, such as `steps[1]`."""
        yield from ()

    def needs(self) -> tuple[str, ...]:
        """Return the names that its templates take: input fields, or outputs of steps."""
        return ()

    @property
    def models(self) -> Mapping[str, Model]:
        """The models that it calls itself, by field."""
        return {}

    @property
    def functions(self) -> Sequence[Tool[..., Any]]:
        """Its tools that were given as functions in this process."""
        return ()

    @property
    def checks(self) -> Mapping[str, Callable[..., Any]]:
        """Its validators that were given as functions in this process, by name."""
        return {}

    @property
    def context_type(self) -> Any:
        """The type of the context of its runs, where it is known in this process."""
        return self._context_type

    def works_for(self, context: Any) -> None:
        """Take the type of the context of its runs, where it has none of its own."""
        if self._context_type is None:
            self._context_type = context

    @property
    def app_guardrails(self) -> tuple[AnyGuardrail, ...]:
        """The guardrails of its app, where that is known in this process."""
        return self._app_guardrails

    def guarded_by(self, guardrails: tuple[AnyGuardrail, ...]) -> None:
        """Take the guardrails of its app."""
        self._app_guardrails = guardrails

    @property
    def output_type(self) -> TypeAdapter[Any] | None:
        """The type of its answer, where it is known in this process."""
        return None

    def walk(self) -> Iterator[Node]:
        """Yield this runnable and everything nested in it, at any depth."""
        yield self
        for _, child in self.children():
            yield from child.walk()

    def places(self) -> Iterator[tuple[str, Node]]:
        """Yield it and everything nested in it, each with its place; empty for itself."""
        yield "", self
        for step, child in self.children():
            yield from ((f"{step}.{inner}" if inner else step, node) for inner, node in child.places())

    def about(self) -> str:
        """Return its description, or what else tells what it is good for."""
        return self.description or self.name


def check_runnable(value: Any) -> Any:
    """Return a runnable, or what may be one as JSON.

    Raises:
        ValueError: The value is neither.
    """
    if isinstance(value, Node | Mapping):
        return value
    raise ValueError(cannot_run(value))


def cannot_run(value: object) -> str:
    """Return what is said of something that is not a runnable."""
    *others, last = Node.kinds
    return f"{brief(value)} cannot be run: pass an {', '.join(others)} or {last}"


def braced(names: Iterable[str]) -> str:
    """Return names as templates write them."""
    return ", ".join(f"{{{name}}}" for name in names)


def check_distinct(items: Iterable[tuple[str, str]]) -> None:
    """Check that names differ.

    Args:
        items: Each name with its place.

    Raises:
        ValueError: Two are the same; names both places.
    """
    seen: dict[str, str] = {}
    for place, name in items:
        if name in seen:
            raise ValueError(f"{place} has the name {name!r} of {seen[name]}: names must differ")
        seen[name] = place


def check_tree(root: Node) -> None:
    """Check that no runnable contains itself.

    Raises:
        SpecError: A runnable contains itself; names its place from the root.
    """
    label = f"{type(root).__name__} {root.name!r}"

    def visit(node: Node, place: str, above: tuple[Node, ...]) -> None:
        for step, child in node.children():
            here = f"{place}.{step}" if place else step
            if any(child is one or (child.name == one.name and type(child) is type(one)) for one in (*above, node)):
                raise SpecError(f"{label}: {here}: {child.name!r} is already above it: it cannot contain itself")
            visit(child, here, (*above, node))

    visit(root, "", ())
