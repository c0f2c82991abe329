"""What can be run: a union over every kind, which nest freely."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, get_args

from pydantic import BeforeValidator, Field, TypeAdapter

from .. import template
from ..errors import SpecError
from ..message import Message
from .agent import Agent
from .chain import Chain, Step
from .node import Node, braced, check_runnable
from .parallel import Parallel
from .prompt import Prompt
from .retrieve import Retrieve
from .router import Route, Router
from .team import Team

Runnable = Annotated[
    Agent | Prompt | Retrieve | Chain | Router | Parallel | Team,
    Field(discriminator="kind"),
    BeforeValidator(check_runnable),
]
"""What can be run."""

# These refer to the union that they are part of.
for _kind in (Agent, Step, Chain, Route, Router, Parallel, Team):
    _kind.model_rebuild(_types_namespace={"Runnable": Runnable})

Node.kinds = tuple(kind.__name__ for kind in get_args(get_args(Runnable)[0]))

RUNNABLE_ADAPTER: TypeAdapter[Runnable] = TypeAdapter(Runnable)
"""Reads and writes runnables as JSON."""


def check_input(
    runnable: Node, message: Message, known: Collection[str] = (), before: Collection[Message] = ()
) -> None:
    """Check that an input has what the templates of a runnable take from it.

    Args:
        runnable: What is asked.
        message: The input.
        known: Further names that templates may call.
        before: What was said before.

    Raises:
        SpecError: The input lacks something; says what, and what there is. Or something was said before, and the
            runnable has no conversation.
    """
    if before and runnable.agent is None:
        raise SpecError(
            f"{type(runnable).__name__} {runnable.name!r}: only an agent, and a team that is led by one, goes on from "
            "messages: pass the last one's text"
        )
    there = template.fields(message.text)
    missing = [name for name in runnable.needs() if name not in there and name not in known]
    if missing:
        label = f"{type(runnable).__name__} {runnable.name!r}"
        known = f"has the fields {', '.join(there)}" if there else "is not a JSON object with fields"
        raise SpecError(
            f"{label}: template: {braced(missing)}: no such field in the input, which {known}: "
            f"pass the input as a dict with {', '.join(missing)}"
        )
