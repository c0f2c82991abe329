"""Gives a runnable the memory of one chat."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from ..contract import brief
from ..errors import SpecError
from ..specs.node import Node
from ..specs.runnable import RUNNABLE_ADAPTER, Runnable
from .conversation import Memory


def with_memory(runnable: Node, memory: Memory) -> Runnable:
    """Return a runnable whose agent has another memory than its own.

    Raises:
        SpecError: It has no agent that goes on in one conversation, or what was given is no memory.
    """
    if not isinstance(memory, Memory):
        raise SpecError(f'memory: {brief(memory)} is none: write Memory(window="80%")')
    label = f"{type(runnable).__name__} {runnable.name!r}"
    if runnable.agent is None:
        raise SpecError(
            f"{label}: memory: only an agent, and a team that is led by one, goes on in one conversation: "
            "what any other sees of earlier turns is the text that its templates call {history}"
        )
    made: Any = runnable.model_copy(update={"memory": memory})
    try:
        # A copy is not validated.
        RUNNABLE_ADAPTER.validate_python(made.model_dump())
    except ValidationError as error:
        raise SpecError(f"{label}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None
    remembering: Runnable = made
    return remembering
