"""Tells which model of a runnable gives its answer, word by word."""

from __future__ import annotations

from collections.abc import Sequence

from ....contracts.specs.chain import Chain
from ....contracts.specs.node import Node
from ....contracts.specs.prompt import Prompt
from ....contracts.specs.router import Router
from ....contracts.specs.team import Team
from ....contracts.wire.places import Place


def speaks_for(runnable: Node, path: str) -> bool:
    """Return whether what a model says at a place of a chat is the answer.

    False where the answer is made of it: of a value of a type, or of what several say.

    Args:
        runnable: Who answers in the chat.
        path: The place.
    """
    root, *steps = [place.unnumbered_name for place in Place(path).with_parents()]
    if runnable.agent is None:
        # It runs anew for each turn, at a place of its own.
        root, steps = (root, steps[1:]) if steps else ("", [])
    return root == runnable.name and _speaks(runnable, steps)


def _speaks(node: Node, steps: Sequence[str]) -> bool:
    if node.agent is not None:
        return not steps and node.agent.output is None
    if isinstance(node, Prompt):
        return not steps and node.output is None
    return bool(steps) and any(name == steps[0] and _speaks(last, steps[1:]) for name, last in _last(node))


def _last(node: Node) -> Sequence[tuple[str, Node]]:
    """Return those of whom one gives the answer, by their names in the runnable."""
    match node:
        case Chain():
            return [(node.steps[-1].name, node.steps[-1].run)]
        case Router():
            return [(route.name, route.run) for route in node.routes]
        case Team(style="handoff"):
            return [(member.name, member) for member in node.members]
        case Team():
            last = node.judge or node.writer
            return [(last.name, last)] if last else []
        case _:
            return []
