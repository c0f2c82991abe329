"""The retrieval: a search of a collection as a step of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator
from typing_extensions import override

from .. import template as templates
from ..collection.collection import MAX_PASSAGES, Collection
from ..collection.fields import Condition, conditions_from
from ..contract import arguments, brief
from ..control.budget import Budget
from ..errors import SpecError
from ..guardrails.guardrail import Guardrail
from ..model import Model
from .node import Node

Rewrite = Literal["", "multi-query", "hyde", "decomposition"]


class Retrieve(Node):
    """Searches a collection for what it is asked.

    It comes to the passages, as a model reads them: `Chain(name="desk", steps=[Retrieve("found", handbook), answer])`,
    where `answer` is a prompt with `{found}` in its template, or an agent. An agent whose model is to decide whether
    and for what to search has `handbook.search` among its tools instead.
    """

    fills = {"query": True}

    kind: Literal["retrieve"] = "retrieve"
    collection: Collection
    query: str = ""
    """Template of what is searched for, with names in braces. Empty: what it is asked, which is what the step before it
    came to."""
    limit: int = Field(default=8, ge=1, le=MAX_PASSAGES)
    """Most passages."""
    filters: tuple[Condition, ...] = ()
    """What the fields of a document have to be."""
    filled: dict[str, str] = {}
    """Fields whose filter is known only when it runs: by field, the name of the input's field, of the earlier step or
    of the context's value that it is."""
    rewrite: Rewrite = ""
    """What a model makes of the query first: `multi-query`, other ways of asking the same; `decomposition`, the simpler
    questions that it consists of; `hyde`, a passage that might answer it, which is then searched for by meaning (Gao
    et al., Precise Zero-Shot Dense Retrieval without Relevance Labels, 2022)."""
    model: Model | None = None
    """Who rewrites the query."""

    def __init__(
        self,
        name: str,
        collection: Collection,
        *,
        query: str = "",
        limit: int | None = None,
        filters: Mapping[str, Any] | None = None,
        rewrite: Rewrite = "",
        model: Model | str | None = None,
        description: str = "",
        budget: Budget | None = None,
        guardrails: Iterable[Guardrail] = (),
        **unknown: Any,
    ) -> None:
        given = arguments(locals())
        label = f"Retrieve {name!r}"
        if not isinstance(collection, Collection):
            raise SpecError(f"{label}: collection: {brief(collection)} is not a collection: write Collection('name')")
        if not isinstance(filters, Mapping | None):
            raise SpecError(f"{label}: filters: {brief(filters)} is not a dict of values by field")
        filled = {field: known for field, value in (filters or {}).items() if (known := templates.only_name(value))}
        fixed = {field: value for field, value in (filters or {}).items() if field not in filled}
        # That the fields are there; what they have to be comes later.
        conditions_from(collection.fields, dict.fromkeys(filled), f"{label}: filters")
        given |= {
            "limit": collection.limit if limit is None else limit,
            "filters": conditions_from(collection.fields, fixed, f"{label}: filters"),
            "filled": filled,
        }
        self._construct(given)

    @field_validator("query")
    @classmethod
    def _readable(cls, query: str) -> str:
        templates.names(query)
        return query

    @model_validator(mode="after")
    def _whole(self) -> Retrieve:
        if self.rewrite and self.model is None:
            raise ValueError(f"model: name the model that rewrites the query (rewrite={self.rewrite!r})")
        if self.model is not None and not self.rewrite:
            raise ValueError("model: it rewrites the query, and rewrite= does not say how")
        return self

    @property
    @override
    def takes_template(self) -> bool:
        return bool(self.query)

    @property
    @override
    def is_single_call(self) -> bool:
        return True

    @override
    def collections(self) -> list[Collection]:
        return [self.collection]

    @override
    def needs(self) -> tuple[str, ...]:
        names = (*templates.names(self.query), *self.filled.values())
        ours = (name for name in names if name != templates.INPUT and not templates.is_of_context(name))
        return tuple(dict.fromkeys(ours))

    @property
    @override
    def models(self) -> Mapping[str, Model]:
        return {"model": self.model} if self.model else {}

    @override
    def about(self) -> str:
        return self.description or self.collection.description or f"Searches {self.collection.name}."

    def conditions(self, names: Mapping[str, Any]) -> tuple[Condition, ...]:
        """Return what the fields of a document have to be, with what is known now.

        Args:
            names: Values by the names that templates use.

        Raises:
            SpecError: A name is not there, or its value is none of its field; names both.
        """
        missing = [name for name in self.filled.values() if name not in names]
        if missing:
            raise SpecError(f"filters: {{{missing[0]}}} is unknown: it is not a field of what was asked")
        for field, name in self.filled.items():
            # Else what is to keep something out would let everything in.
            if names[name] is None:
                raise SpecError(f"filters: {field}: {{{name}}} is null: give a value")
        values = {field: names[name] for field, name in self.filled.items()}
        return (*self.filters, *conditions_from(self.collection.fields, values, "filters"))
