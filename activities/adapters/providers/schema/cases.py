"""Says what is combined as one schema, or as one of several."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Final

from .alternatives import Apartness
from .definitions import Definitions
from .keywords import COMBINATORS, WORDS, JsonSchema, json_key
from .meeting import Union, met
from .normal import NEVER
from .rules import InexpressibleError, SchemaRules

_MOST_AT_ONCE: Final = 64
"""Combinations of the members of several unions."""
_MOST_IN_ALL: Final = 500
_MOST_COMPARED: Final = 100
_DEEPEST: Final = 20


class Cases:
    """What is combined in a schema, without `allOf` and without a word beside `anyOf`.

    Args:
        definitions: What references lead to.
        rules: What is taken.
    """

    def __init__(self, definitions: Definitions, rules: SchemaRules) -> None:
        self._definitions = definitions
        self._rules = rules
        self._apart = Apartness(self._expanded, all_required=rules.all_required)
        self._made = 0
        self._depth = 0

    def simple(self, node: JsonSchema, *, exact: bool | None = None) -> JsonSchema:
        """Return a part as one of several, with nothing beside, or without combinators.

        Args:
            node: The part.
            exact: Whether `oneOf` has to be as exact as it says. Default: where the rules are strict.

        Raises:
            InexpressibleError: It cannot be said so, where that has to be exact.
        """
        if node.keys().isdisjoint(COMBINATORS):
            return node
        base, unions = met(node, self._definitions)
        words = {key: value for key, value in base.items() if key in WORDS}
        base = {key: value for key, value in base.items() if key not in WORDS}
        if base == NEVER:
            return NEVER
        unions = [self._sendable(key, members) for key, members in unions]
        exact = self._rules.strict if exact is None else exact
        if exact and not all(self._is_exact(union, base, len(unions)) for union in unions):
            raise InexpressibleError("of several things exactly one has to fit")
        unions = [(key, members) for key, members in unions if not any(member.keys() <= WORDS for member in members)]
        if not unions or not self._may_go_on():
            return {**base, **words}
        if len(unions) > 1 or base:
            unions = [("anyOf", self._combinations(base, unions, exact=exact))]
        key, members = unions[0]
        if len(members) == 1:
            return self.simple({**members[0], **words}, exact=exact)
        return {key if self._rules.one_of else "anyOf": members, **words} if members else NEVER

    @staticmethod
    def _sendable(key: str, members: list[JsonSchema]) -> Union:
        members = [member for member in members if member != NEVER]
        return key if len(members) > 1 else "anyOf", members

    def _is_exact(self, union: Union, base: JsonSchema, count: int) -> bool:
        """Return whether only one member fits, where only one may.

        Args:
            union: The members.
            base: What has to fit besides.
            count: How many unions there are.
        """
        key, members = union
        if key == "anyOf":
            return True
        if count > 1 or len(members) > _MOST_COMPARED:
            return False
        written = [self._expanded({"allOf": [base, member]}) for member in members]
        return self._apart.all_apart(written, members)

    def _may_go_on(self) -> bool:
        if self._made <= _MOST_IN_ALL and self._depth <= _DEEPEST:
            return True
        if self._rules.strict:
            raise InexpressibleError("it has too many cases")
        return False

    def _combinations(self, base: JsonSchema, unions: list[Union], *, exact: bool) -> list[JsonSchema]:
        members = [members for _, members in unions]
        while len(members) > 1 and prod(map(len, members)) > _MOST_AT_ONCE:
            if self._rules.strict:
                raise InexpressibleError("it has too many cases")
            members.pop()
        self._made += prod(map(len, members))
        self._depth += 1
        found: dict[str, JsonSchema] = {}
        for choice in product(*members):
            case = self.simple({"allOf": [base, *choice]}, exact=exact)
            if case != NEVER:
                found.setdefault(json_key(case), case)
        self._depth -= 1
        return list(found.values())

    def _expanded(self, node: JsonSchema) -> JsonSchema:
        return self.simple({"allOf": [node]} if "$ref" in node else node, exact=False)
