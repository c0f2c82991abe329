"""Checks bodies by the typed dictionaries of the official SDKs: the shape that their own users are held to."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from typing import Any, Literal

import anthropic.types
import anthropic.types.beta
import openai.types
import typing_extensions
from anthropic.types.beta.message_create_params import (
    MessageCreateParamsStreaming as BetaMessageCreateParamsStreaming,
)
from anthropic.types.message_create_params import MessageCreateParamsStreaming
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming
from openai.types.responses.response_create_params import ResponseCreateParamsStreaming
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

_BODIES: dict[str, Any] = {
    "anthropic": MessageCreateParamsStreaming,
    "anthropic beta": BetaMessageCreateParamsStreaming,
    "openai": ResponseCreateParamsStreaming,
    "compatible": CompletionCreateParamsStreaming,
}
_MOST_TOLD = 3


def misshapen(protocol: str, body: dict[str, Any]) -> list[str]:
    """Return what does not fit the SDK's own types, the nearest misses first.

    Args:
        protocol: Which SDK: `anthropic`, `openai` (Responses) or `compatible` (Chat Completions).
        body: The whole body of a request.
    """
    if protocol == "anthropic" and "mcp_servers" in body:
        protocol = "anthropic beta"
    try:
        loose = list(_loose(_adapter(protocol).validate_python(body, strict=True)))
    except ValidationError as error:
        # A union tells of every member: those that came the furthest are the ones that were meant.
        found = sorted(error.errors(include_url=False), key=lambda problem: -len(problem["loc"]))
        return [f"{'.'.join(map(str, problem['loc'][-6:]))}: {problem['msg']}" for problem in found[:_MOST_TOLD]]
    return loose


def warm_up() -> None:
    """Read the SDKs' types, which takes a second or two, before anybody waits for an answer."""
    for protocol in _BODIES:
        _adapter(protocol)


@cache
def _adapter(protocol: str) -> TypeAdapter[Any]:
    for package in (anthropic.types, openai.types):
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if info.name.rpartition(".")[2].endswith(("param", "params")):
                _forbid_extras(importlib.import_module(info.name))
    return TypeAdapter(_BODIES[protocol])


def _forbid_extras(module: Any) -> None:
    for thing in vars(module).values():
        if isinstance(thing, type) and typing_extensions.is_typeddict(thing):
            extra: Literal["allow", "forbid"] = "allow" if _is_open(thing) else "forbid"
            thing.__pydantic_config__ = ConfigDict(extra=extra, arbitrary_types_allowed=True)  # type: ignore[attr-defined]


def _is_open(kind: type) -> bool:
    """Return whether a dictionary may have fields of any name, as one of the SDK's says of itself."""
    closed = typing_extensions.NoExtraItems
    return getattr(kind, "__extra_items__", closed) is not closed


def _loose(value: Any) -> Iterator[str]:
    """Walk a validated body.

    What is iterable is validated only as it is walked; what fits nothing but a class of answers is no input.
    """
    if isinstance(value, BaseModel):
        # The SDK takes blocks of answers as they came: what is sent is judged as the block of a request.
        name = f"{type(value).__name__}Param"
        kind = getattr(anthropic.types, name, None) or getattr(anthropic.types.beta, name, None)
        if kind is None:
            yield f"fits no input, only {type(value).__name__}"
            return
        try:
            yield from _loose(TypeAdapter(kind).validate_python(value.model_dump(exclude_unset=True), strict=True))
        except ValidationError as error:
            yield from (f"{type(value).__name__}: {problem['msg']}: {problem['loc']}" for problem in error.errors())
    elif isinstance(value, dict):
        for one in value.values():
            yield from _loose(one)
    elif not isinstance(value, str | bytes | int | float | bool | None):
        for one in value:
            yield from _loose(one)
