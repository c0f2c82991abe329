"""What a rule of the wire is: a request that a real endpoint refuses, in its own words, and where they were read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Complaint:
    """What the endpoint says of a request that it refuses."""

    message: str
    param: str | None = None
    """What the error names as the place, in the protocols that have a field for that."""
    code: str | None = None


Find = Callable[[Json], Iterator[Complaint]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of request that is refused."""

    name: str
    refuses: str
    """What is refused, in a line."""
    source: str
    """Where it was read: an address, or the package that has it."""
    status: int
    quoted: bool
    """Whether the words are the endpoint's own. Otherwise the source tells only that it refuses."""
    find: Find = field(repr=False)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that was refused, and by which rule."""

    rule: str
    status: int
    complaint: Complaint


class RuleBook:
    """The rules of one endpoint, in the order in which it finds fault.

    Args:
        name: What the endpoint is called.
        *parts: Books whose rules hold here too, before its own.
    """

    def __init__(self, name: str, *parts: RuleBook) -> None:
        self.name = name
        self._parts = parts
        self._own: list[Rule] = []

    @property
    def rules(self) -> list[Rule]:
        """All rules, those of the parts first."""
        return [rule for part in self._parts for rule in part.rules] + self._own

    def beyond(self, *others: RuleBook) -> list[Rule]:
        """Return the rules that other books do not have."""
        known = [rule for other in others for rule in other.rules]
        return [rule for rule in self.rules if rule not in known]

    def rule(self, source: str, *, status: int = 400, quoted: bool = True) -> Callable[[Find], Find]:
        """Take in a function that finds what a rule refuses; its name and docstring are the rule's.

        Args:
            source: Where it was read.
            status: What the endpoint answers with.
            quoted: Whether the words are the endpoint's own.
        """

        def take(find: Find) -> Find:
            refuses = (find.__doc__ or "").strip().splitlines()[0]
            self._own.append(Rule(find.__name__, refuses, source, status, quoted, find))
            return find

        return take

    def refusals(self, body: Json) -> Iterator[Refusal]:
        """Find all that is wrong with a request."""
        for rule in self.rules:
            for complaint in rule.find(body):
                yield Refusal(rule.name, rule.status, complaint)


def listed(values: list[str]) -> str:
    """Return values as the endpoints list them: quoted, with `and` before the last."""
    quoted = [f"'{value}'" for value in values]
    if len(quoted) < 3:
        return " and ".join(quoted)
    return ", ".join(quoted[:-1]) + f", and {quoted[-1]}"
