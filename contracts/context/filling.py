"""What a runnable becomes in a run with a context.

Its names of the context are filled in, so a run's input records exactly what ran.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial, singledispatch
from typing import Any, NamedTuple, TypeVar

from pydantic import JsonValue

from .. import template
from ..collection.collection import Collection, SearchTool
from ..collection.fields import Condition, conditions_from
from ..contract import Spec
from ..control.budget import Budget, check_budget
from ..control.ledger import LEDGER_NAME, Ledger, Period
from ..errors import SpecError
from ..memory.long_term import SCOPE, LongTerm
from ..model import Model
from ..specs.agent import Agent
from ..specs.node import Node, check_tree
from ..specs.retrieve import Retrieve
from ..specs.router import Rule
from ..tool import Tool
from .shared_name import SharedName
from .values import (
    TENANT_VALUE,
    Values,
    check_values,
    context_values,
    names_of_kind,
    typed_context,
    what_lacks,
    with_tenant,
)

S = TypeVar("S", bound=Spec)
N = TypeVar("N", bound=Node)


class BegunWith(NamedTuple):
    """What a run begins with besides what it is asked."""

    runnable: Any
    """With its names of the context filled in."""
    context: dict[str, JsonValue]
    """As JSON, with its tenant."""
    tenant: str
    """Whom it is for; empty where it is nobody's."""


def begun_with(runnable: N, given: Any, tenant: str | None) -> BegunWith:
    """Return what a run of a runnable begins with.

    Args:
        runnable: What is to run.
        given: Its context: a pydantic model, a dataclass or a dict. None: it has none.
        tenant: Whom it is for. None: the tenant in the context.

    Raises:
        SpecError: The runnable contains itself; or the context is not of the type that a runnable names, or lacks what
            is taken from it; names both.
    """
    check_tree(runnable)
    check_all_names(runnable)
    values, tenant = with_tenant(context_values(given), tenant)
    values = checked(runnable, values, is_given=given is not None)
    return BegunWith(filled(runnable, values), values, tenant)


def check_all_names(runnable: Node) -> None:
    """Check the names of the context in a runnable, and in all that is nested in it.

    Raises:
        SpecError: Nothing could fill one; names it, and its place.
    """
    label = f"{type(runnable).__name__} {runnable.name!r}"
    for place, node in runnable.places():
        check_names(node, f"{label}: {place}" if place else label)


def filled(runnable: N, values: Values) -> N:
    """Return a runnable with its names of a run's context filled in.

    Raises:
        SpecError: The context lacks one; names its place.
    """
    label = f"{type(runnable).__name__} {runnable.name!r}"
    try:
        made: N = _filled(runnable, values)
    except _WrongError as wrong:
        place = ".".join(reversed(wrong.place))
        raise SpecError(f"{label}: {place}: {wrong.problem}" if place else f"{label}: {wrong.problem}") from None
    return made


def filled_budget(budget: Budget | None, runnable: Node, values: Values) -> Budget | None:
    """Return what somebody allows a run, with the names of its context filled in.

    Args:
        budget: It, if any.
        runnable: What is to run: says of which type the context is.
        values: The context.

    Raises:
        SpecError: It is no budget, nothing could fill a name, or the context lacks one; names its place.
    """
    check_budget(budget)
    if budget is None or budget.ledger is None:
        return budget
    _check_spec(budget.ledger, runnable.context_type, "budget: ledger.")
    try:
        made: Budget = _filled(budget, values)
    except _WrongError as wrong:
        raise SpecError(f"budget: {'.'.join(reversed(wrong.place))}: {wrong.problem}") from None
    return made


def check_names(node: Node, where: str) -> None:
    """Check the names of the context in what one runnable says itself.

    Raises:
        SpecError: Nothing could fill one; names it.
    """
    for spec in (node, *getattr(node, "steps", ())):
        _check_spec(spec, node.context_type, f"{where}: ")
    if node.budget and node.budget.ledger:
        _check_spec(node.budget.ledger, node.context_type, f"{where}: budget.ledger.")
    if isinstance(long_term := getattr(node, "long_term", None), LongTerm):
        _check_spec(long_term, node.context_type, f"{where}: long_term.")


def _check_spec(spec: Spec, kind: Any, where: str) -> None:
    check = template.check_shared_name if isinstance(spec, Ledger | LongTerm) else template.check_text
    for field, is_template in spec.fills.items():
        text = getattr(spec, field)
        try:
            names = template.names_of_context(text) if is_template else check(text)
        except ValueError as error:
            raise SpecError(f"{where}{field}: {error}") from None
        _check_fields(kind, names, f"{where}{field}")


def _check_fields(kind: Any, names: tuple[str, ...], where: str) -> None:
    known = names_of_kind(kind)
    for name in names if known else ():
        first = name.removeprefix(template.CONTEXT).partition(".")[0]
        if first not in (*known, TENANT_VALUE):
            raise SpecError(f"{where}: {{{name}}}: {kind.__name__} has no {first!r}; it has {', '.join(known)}")


def checked(runnable: Node, values: Values, *, is_given: bool) -> dict[str, JsonValue]:
    """Return a context with the defaults of the types that runnables name.

    Args:
        runnable: What is to run, with what is nested in it.
        values: The context.
        is_given: Whether somebody gave one.

    Raises:
        SpecError: It is not of one of these types; names the runnable.
    """
    whole = dict(values)
    for node in runnable.walk():
        if node.context_type is None:
            continue
        try:
            typed = typed_context(node.context_type, whole)
        except ValueError as error:
            kind = getattr(node.context_type, "__name__", "its type")
            label = f"{type(node).__name__} {node.name!r}"
            if not is_given:
                raise SpecError(
                    f"{label} works for a {kind}: pass context={kind}(…), or --context '{{…}}' in a shell"
                ) from None
            raise SpecError(f"{label}: {error}: it is to be a {kind}") from None
        # With its defaults.
        whole |= context_values(typed)
    check_values(whole)
    return whole


class _WrongError(Exception):
    def __init__(self, problem: str, *place: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.place = [*place]


@singledispatch
def _filled(spec: Any, values: Values) -> Any:  # noqa: ARG001 - of those that have names
    return spec


@_filled.register
def _(spec: Spec, values: Values) -> Any:
    changes: dict[str, Any] = {}
    for field, value in spec:
        if field in spec.fills:
            fill = template.filled_template if spec.fills[field] else template.filled_text
            new: Any = _fill(partial(fill, value, values), field, values)
        else:
            new = _each(value, values, field)
        if new is not value:
            changes[field] = new
    return spec.model_copy(update=changes) if changes else spec


@_filled.register(Collection)
@_filled.register(Model)
def _(spec: S, values: Values) -> S:  # noqa: ARG001
    return spec


@_filled.register
def _(ledger: Ledger, values: Values) -> Ledger:
    name = _named(ledger.name, "name", values, LEDGER_NAME)
    if (period := Period.of(name)) is not Period.of(ledger.name):
        why = f"with the value of the run's context at its end it would begin anew every {period}"
        raise _WrongError(f"{why}: put something behind that", "name")
    return ledger.model_copy(update={"name": name}) if name != ledger.name else ledger


@_filled.register
def _(memory: LongTerm, values: Values) -> LongTerm:
    scope = _named(memory.scope, "scope", values, SCOPE)
    return memory.model_copy(update={"scope": scope}) if scope != memory.scope else memory


def _named(text: str, field: str, values: Values, shared: SharedName) -> str:
    """Return a name with its values, each of which may stand in it, as may the whole."""
    for name in template.check_text(text):
        if why := shared.why_not_in(_fill(partial(template.of_context, name, values), field, values)):
            raise _WrongError(f"{{{name}}}: the run's context has {why}", field)
    named = template.filled_text(text, values)
    if why := shared.why_not(named):
        raise _WrongError(f"with the values of the run's context in it: {why}", field)
    return named


@_filled.register
def _(rule: Rule, values: Values) -> Rule:
    known = {}
    for name in rule.context:
        try:
            known[name] = template.of_context(name, values)
        except KeyError:
            continue
    return rule.model_copy(update={"known": known}) if known else rule


@_filled.register
def _(search: SearchTool, values: Values) -> SearchTool:
    made: SearchTool = _with_filters(search, search.collection, search.filled, values)
    return made


@_filled.register
def _(retrieve: Retrieve, values: Values) -> Retrieve:
    found: Retrieve = _filled.registry[Spec](retrieve, values)
    ours = {field: name for field, name in retrieve.filled.items() if template.is_of_context(name)}
    made: Retrieve = _with_filters(found, retrieve.collection, ours, values)
    return made


@_filled.register
def _(agent: Agent, values: Values) -> Agent:
    offered = {tool.spec.name for tool in agent.functions if _is_offered(agent, tool, values)}
    dropped = {tool.spec.name for tool in agent.functions} - offered
    if agent.tool_choice in dropped:
        raise _WrongError(f"the tool {agent.tool_choice!r} is not offered to this run", "tool_choice")
    made: Agent = _filled.registry[Spec](agent, values)
    return made.model_copy(update={"tools": tuple(t for t in made.tools if t.name not in dropped)}) if dropped else made


def _is_offered(agent: Agent, tool: Tool[..., Any], values: Values) -> bool:
    if tool.when is None:
        return True
    if not values:
        return False
    place = f"tools[{tool.spec.name}]"
    try:
        context = typed_context(tool.when_type or tool.context_type or agent.context_type, values)
    except ValueError as error:
        raise _WrongError(f"when: {error}", place) from None
    try:
        return bool(tool.when(context))
    except Exception as error:
        text = str(error) or type(error).__name__
        raise _WrongError(f"when: {type(error).__name__}: {text}", place) from error


def _with_filters(spec: Any, collection: Collection, names: Mapping[str, str], values: Values) -> Any:
    """Return a search whose filters have the values that its names stand for."""
    if not names:
        return spec
    found = {
        field: _fill(partial(template.of_context, name, values), f"filters[{field}]", values)
        for field, name in names.items()
    }
    conditions: tuple[Condition, ...] = ()
    for field, value in found.items():
        place = f"filters[{field}]"
        # Else what is to keep something out would let everything in.
        if value is None:
            raise _WrongError(f"{{{names[field]}}} is null in the context: give a value", place)
        try:
            conditions += conditions_from(collection.fields, {field: value}, "filters")
        except SpecError as error:
            if field not in collection.fields:
                raise _WrongError(str(error)) from None
            # The value itself may be a secret.
            kind, given = collection.fields[field].kind, type(value).__name__
            problem = (
                f"{{{names[field]}}}: a field of kind {kind!r} does not take what the context has, of type {given}"
            )
            raise _WrongError(problem, place) from None
    rest = {field: name for field, name in spec.filled.items() if field not in names}
    return spec.model_copy(update={"filters": (*spec.filters, *conditions), "filled": rest})


def _each(value: Any, values: Values, field: str) -> Any:
    """Return what stands in a field, with names filled in at any depth."""
    if isinstance(value, Spec):
        return _inside(value, values, field)
    if isinstance(value, tuple) and any(isinstance(item, Spec) for item in value):
        new = tuple(_inside(item, values, f"{field}[{index}]") for index, item in enumerate(value))
        return new if any(one is not other for one, other in zip(new, value, strict=True)) else value
    return value


def _inside(value: Any, values: Values, place: str) -> Any:
    try:
        return _filled(value, values)
    except _WrongError as wrong:
        named = f"{place} ({value.name})" if isinstance(value, Node) else place
        wrong.place.append(named)
        raise


def _fill(make: Callable[[], Any], field: str, values: Values) -> Any:
    try:
        return make()
    except KeyError as missing:
        raise _WrongError(what_lacks(missing.args[0], values), field) from None
