"""Which tool undoes another one, and whether it can be given what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from types import UnionType
from typing import Any, Final, Protocol, TypeVar, Union, get_args, get_origin

from ..contract import brief
from ..errors import SpecError
from ..signature.hints import type_name
from ..signature.tool_signature import ToolSignature

RESULT: Final = "result"
"""Parameter by which an undoing tool asks for what the call returned."""


class UndoableTool(Protocol):
    """A tool, as far as it matters here."""

    compensate: Any
    spec: Any
    signature: ToolSignature


T = TypeVar("T", bound=UndoableTool)


def undoing_name(given: Any, where: str) -> str:
    """Return the name of the undoing tool that is meant; empty where there is none.

    Raises:
        SpecError: It is neither a tool nor the name of one.
    """
    name = given if isinstance(given, str) else getattr(getattr(given, "spec", None), "name", None)
    if given is None:
        return ""
    if not isinstance(name, str) or not name.strip():
        raise SpecError(f"{where}: compensate: {brief(given)} is no tool: pass a function under @tool, or its name")
    return name


def undoing_of(tool: T, known: Mapping[str, T], where: str) -> T | None:
    """Return the tool that undoes another one.

    None where none does.

    Args:
        tool: The one that is undone.
        known: The tools of the app, by name.
        where: For the error.

    Raises:
        SpecError: The app has no tool of that name.
    """
    if not isinstance(tool.compensate, str):
        undoing: T | None = tool.compensate
        return undoing
    if tool.compensate not in known:
        raise SpecError(
            f"{where}: compensate: the app has no tool {tool.compensate!r} (it has: {', '.join(sorted(known))}): "
            "put it into App(tools=[...]), or pass the function itself"
        )
    return known[tool.compensate]


def check_undoing(tool: UndoableTool, undoing: UndoableTool, where: str) -> None:
    """Check that what undoes a tool can be given what it takes.

    It is given those of the call's arguments that it has parameters for, and what the call returned as `result`.

    Args:
        tool: The one that is undone.
        undoing: What undoes it.
        where: For the error.

    Raises:
        SpecError: It takes something else, or of another type, or one of them is no effect.
    """
    name, undone = undoing.spec.name, tool.spec.name
    if tool.spec.effect == "read":
        raise SpecError(f"{where}: compensate: {undone} only reads: there is nothing to undo")
    if undoing.spec.effect == "read":
        raise SpecError(f"{where}: compensate: {name} only reads: give it effect='idempotent', or 'once'")
    if name == undone:
        raise SpecError(f"{where}: compensate: it is to undo itself: name another tool")
    given = tool.signature.types
    for parameter, taken in undoing.signature.types.items():
        if parameter in given:
            there, whose = given[parameter], f"as {undone} has it"
        elif parameter == RESULT:
            there, whose = tool.signature.returns, f"what {undone} returns"
        elif parameter in undoing.spec.parameters.get("required", ()):
            told = ", ".join([*given, RESULT])
            raise SpecError(
                f"{where}: compensate: {name} takes {parameter!r}, and is given the arguments of {undone} by their "
                f"names, and what that returned as {RESULT!r}: {told}"
            )
        else:
            continue
        if not _takes(taken, there):
            raise SpecError(
                f"{where}: compensate: {name} takes {parameter}: {type_name(taken)}, and is given "
                f"{type_name(there)}, {whose}: write the same type"
            )


def _takes(taken: Any, given: Any) -> bool:
    """Return whether a parameter takes all of a type, where that is easy to see."""
    if Any in (taken, given) or taken == given or (taken is float and given is int):
        return True
    some = get_args(given) if get_origin(given) in (Union, UnionType) else (given,)
    return get_origin(taken) in (Union, UnionType) and all(one in get_args(taken) for one in some)
