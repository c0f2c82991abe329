"""The collection: documents that can be searched, and how."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import Field as Limits
from pydantic import PrivateAttr, field_validator

from ..context.values import what_lacks
from ..contract import Spec, arguments, brief
from ..control.price import Price
from ..errors import SpecError
from ..names import LOCAL_PROVIDER
from ..template import only_context_name
from ..tool import TOOL_NAME, ToolDefinition
from .document import Loader, named_loaders
from .fields import Condition, Field, conditions_from, fields_from

MAX_QUERY_CHARS: Final = 8_000
"""Longest query that is searched for."""

MAX_PASSAGES: Final = 100
"""Most passages of one search."""

PARTITION_TENANT: Final = "tenant"

LOCAL_EMBEDDING: Final = "local/minilm"
"""The embedding model that runs in the worker. It alone stores the vectors of words that `maxsim` compares."""

LOCAL_CHUNK_TOKENS: Final = 206
"""Most tokens of a passage that it reads whole: it takes 256, of which headings may have 48 and its own marks 2."""

_RERANKS: Final = ("maxsim", "none", "model:PROVIDER/MODEL", "http:SERVICE/MODEL")
_RERANK: Final = re.compile(r"maxsim|none|(?:model|http):[a-z0-9][a-z0-9_-]*/\S+")

_PERCENT: Final = re.compile(rb"%([0-9a-fA-F]{2})")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class Collection(Spec):
    """Documents under one name, embedded by one model, and how they are searched.

    `Collection("handbook", fields={"team": str, "year": int})`. Put it into `App(collections=[...])`, fill it by
    `sostenuto ingest handbook docs/`, and give `handbook.search` to an agent as a tool.
    """

    name: str
    description: str = ""
    """What is in it, in a sentence: models that may search it read this."""
    embedding: str = LOCAL_EMBEDDING
    """`provider/model` that embeds its passages."""
    rerank: str = "maxsim"
    """What orders the passages that were found: `maxsim` compares each word of the query with each word of a passage;
    `model:PROVIDER/MODEL` lets a model judge; `http:SERVICE/MODEL` asks a service; `none` leaves the order of the
    search. Where none is given: `maxsim` with the local embedding, else `none`."""
    fields: dict[str, Field] = {}
    """What is known of each document besides its text; searches can be limited by it."""
    loaders: dict[str, str] = {}
    """Names of the functions that read files of other kinds than those known, or known ones otherwise, by suffix."""
    partition: Literal["tenant", ""] = ""
    """`tenant`: each tenant has documents of its own, and a run finds those of its own tenant alone."""
    chunk_tokens: int = Limits(default=180, ge=16, le=8_000)
    """Most tokens of the embedding model that a passage has."""
    limit: int = Limits(default=8, ge=1, le=MAX_PASSAGES)
    """How many passages a search returns."""
    candidates: int = Limits(default=40, ge=1, le=500)
    """How many passages each way of searching finds before they are ordered."""
    prices: dict[str, Price] = {}
    """What its embedding and its reranker cost, by `provider/model`. A budget that counts US dollars has to know; what
    is not given is taken from the price list when the run begins."""

    _functions: dict[str, Loader] = PrivateAttr(default_factory=dict)

    def __init__(
        self,
        name: str,
        *,
        description: str = "",
        embedding: str = LOCAL_EMBEDDING,
        rerank: str = "",
        fields: Mapping[str, Any] | None = None,
        loaders: Mapping[str, Loader] | None = None,
        partition: Literal["tenant", ""] = "",
        chunk_tokens: int = 180,
        limit: int = 8,
        candidates: int = 40,
        prices: Mapping[str, Price] | None = None,
        **unknown: Any,
    ) -> None:
        given = arguments(locals())
        given["rerank"] = rerank or ("maxsim" if embedding == LOCAL_EMBEDDING else "none")
        label = f"Collection {name!r}"
        functions = named_loaders(loaders, f"{label}: loaders")
        given["loaders"] = {suffix: loader.__name__ for suffix, loader in functions.items()}
        given["prices"] = dict(prices or {})
        self._construct(given | {"fields": fields_from(fields, f"{label}: fields")})
        self._functions = {loader.__name__: loader for loader in functions.values()}
        self._check_embedding()

    def __eq__(self, other: object) -> bool:
        # One that was read back from its history equals the one that was sent, which also has functions.
        return isinstance(other, Collection) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]

    @property
    def judge(self) -> str:
        """What its reranker asks, as `provider/model`; empty for none."""
        kind, _, asked = self.rerank.partition(":")
        return asked if kind in ("model", "http") else ""

    @property
    def paid(self) -> tuple[str, ...]:
        """What a search of it pays for, as `provider/model`."""
        asked = dict.fromkeys(filter(None, (self.embedding, self.judge)))
        return tuple(one for one in asked if not one.startswith(f"{LOCAL_PROVIDER}/"))

    @property
    def functions(self) -> Mapping[str, Loader]:
        """Its loaders by name, in the process in which it was written."""
        return self._functions

    def loader_of(self, uri: str) -> str:
        """Return the name of its loader for a document.

        Empty where the known ones read it.
        """
        # What is in a bucket is named letter by letter.
        is_literal = uri.startswith("s3://")
        path = (uri if is_literal else _spelled_out(uri.partition("?")[0].partition("#")[0])).lower()
        return next((name for suffix, name in self.loaders.items() if path.endswith(suffix)), "")

    def _check_embedding(self) -> None:
        """Check what the embedding model can do.

        What stands in histories is not checked so.
        """
        if self.embedding == LOCAL_EMBEDDING and self.chunk_tokens > LOCAL_CHUNK_TOKENS:
            raise SpecError(
                f"Collection {self.name!r}: chunk_tokens: {self.embedding} reads {LOCAL_CHUNK_TOKENS} tokens of a "
                f"passage under its headings, and {self.chunk_tokens} are more: take {LOCAL_CHUNK_TOKENS} or fewer, "
                "or another embedding"
            )
        if self.embedding != LOCAL_EMBEDDING and self.rerank == "maxsim":
            raise SpecError(
                f"Collection {self.name!r}: rerank: 'maxsim' compares vectors of words, which {LOCAL_EMBEDDING} alone "
                f"stores, and not {self.embedding}: take 'none', 'model:PROVIDER/MODEL' or 'http:SERVICE/MODEL'"
            )

    @field_validator("name")
    @classmethod
    def _named(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"{name!r} is not a name of a collection: use up to 64 letters, digits, '_' and '-', and begin with a "
                "letter or digit"
            )
        return name

    @field_validator("embedding")
    @classmethod
    def _provider_slash_model(cls, embedding: str) -> str:
        provider, slash, model = embedding.partition("/")
        if not (provider and slash and model) or any(map(str.isspace, embedding)):
            raise ValueError(f"{embedding!r} is not provider/model, such as local/minilm")
        return embedding

    @field_validator("rerank")
    @classmethod
    def _known(cls, rerank: str) -> str:
        if not _RERANK.fullmatch(rerank):
            raise ValueError(f"{rerank!r} is no way to rerank: there are {', '.join(_RERANKS)}")
        return rerank

    @field_validator("fields")
    @classmethod
    def _own_names(cls, fields: dict[str, Field]) -> dict[str, Field]:
        for name in fields:
            bounds = [f"{known}{end}" for known in fields for end in ("_from", "_to") if fields[known].is_ordered]
            if name in _TAKEN or name in bounds:
                raise ValueError(f"{name!r} cannot be the name of a field: searches have a parameter of that name")
        return fields

    @property
    def search(self) -> SearchTool:
        """The tool by which an agent searches it.

        Called with options it returns another one: `handbook.search(limit=3, filters={"team": "core"})`.
        """
        return SearchTool(self)


_TAKEN: Final = frozenset({"query", "limit", PARTITION_TENANT})


class SearchTool(Spec):
    """A tool that searches a collection.

    Its model writes the query, and may set typed filters.
    """

    collection: Collection
    name: str
    description: str = ""
    limit: int = Limits(default=8, ge=1, le=MAX_PASSAGES)
    filters: tuple[Condition, ...] = ()
    """Conditions that every search of it has, which its model neither sees nor changes."""
    filled: dict[str, str] = {}
    """The same of values of the run's context, such as `context.team`, by field."""

    def __init__(
        self,
        collection: Collection,
        *,
        name: str = "",
        description: str = "",
        limit: int | None = None,
        filters: Mapping[str, Any] | None = None,
        **unknown: Any,
    ) -> None:
        given = arguments(locals())
        label = f"{collection.name}.search"
        if not isinstance(filters, Mapping | None):
            raise SpecError(f"{label}: filters: {brief(filters)} is not a dict of values by field")
        filled = {field: named for field, value in (filters or {}).items() if (named := only_context_name(value))}
        # That the fields are there; what they have to be comes when it is run.
        conditions_from(collection.fields, dict.fromkeys(filled), f"{label}: filters")
        values = {field: value for field, value in (filters or {}).items() if field not in filled}
        fixed = conditions_from(collection.fields, values, f"{label}: filters")
        chosen = {
            "name": name or _tool_name(collection.name),
            "limit": collection.limit if limit is None else limit,
            "filters": fixed,
            "filled": filled,
        }
        self._construct(given | chosen)

    @field_validator("name")
    @classmethod
    def _callable(cls, name: str) -> str:
        if not TOOL_NAME.match(name):
            raise ValueError(f"{name!r} is not a name for a tool: use letters, digits, '_' and '-'")
        return name

    def __call__(
        self,
        *,
        name: str = "",
        description: str = "",
        limit: int | None = None,
        filters: Mapping[str, Any] | None = None,
    ) -> SearchTool:
        """Return this tool with other options."""
        return SearchTool(
            self.collection,
            name=name or self.name,
            description=description or self.description,
            limit=self.limit if limit is None else limit,
            filters=filters,
        )

    @property
    def definition(self) -> ToolDefinition:
        """What a model sees of it."""
        about = self.collection.description.rstrip(". ")
        described = self.description or (
            f"Search {self.collection.name}{': ' + about if about else ''}. Returns passages, each with an id to cite."
        )
        properties: dict[str, Any] = {
            "query": {"type": "string", "description": "What to look for, in words that the passages may have."}
        }
        fixed = {*(condition.field for condition in self.filters), *self.filled}
        for field, kind in self.collection.fields.items():
            if field not in fixed:
                properties |= _parameters(field, kind)
        return ToolDefinition(
            name=self.name,
            description=described,
            parameters={
                "type": "object",
                "properties": properties,
                "required": ["query"],
                "additionalProperties": False,
            },
        )

    def conditions(self, arguments: Mapping[str, Any]) -> tuple[Condition, ...]:
        """Return what a call of it is limited to, its own filters first.

        Raises:
            SpecError: An argument is wrong; names it, and what would have been right.
        """
        fields = self.collection.fields
        if self.filled:
            raise SpecError(f"filters: {what_lacks(next(iter(self.filled.values())), {})}")
        fixed = {condition.field for condition in self.filters}
        open_to_it = {name: field for name, field in fields.items() if name not in fixed}
        filters: dict[str, Any] = {}
        for key, value in arguments.items():
            if key == "query" or value is None:
                continue
            name, bound = _bound_of(key, open_to_it)
            if bound:
                filters.setdefault(name, {})
                if not isinstance(filters[name], dict):
                    continue
                filters[name][bound] = value
            else:
                filters[name] = value
        return (*self.filters, *conditions_from(open_to_it, filters, self.name))


def _spelled_out(path: str) -> str:
    """Return the path of an address as people write it: without percents for letters."""
    spelled = _PERCENT.sub(lambda found: bytes.fromhex(found[1].decode()), path.encode(errors="replace"))
    return spelled.decode(errors="replace")


def _tool_name(collection: str) -> str:
    return f"search_{collection}"[:64]


def _parameters(name: str, field: Field) -> dict[str, Any]:
    """Return the parameters of one field: a value, and bounds where it is ordered."""
    only = f"Only documents whose {name} is this."
    value = {**field.json_schema, "description": only}
    if not field.is_ordered:
        return {name: value}
    bounds = {
        "from": "or later" if field.kind == "date" else "or more",
        "to": "or earlier" if field.kind == "date" else "or less",
    }
    return {
        name: value,
        **{
            f"{name}_{bound}": {**field.json_schema, "description": f"Only documents whose {name} is this {words}."}
            for bound, words in bounds.items()
        },
    }


def _bound_of(key: str, fields: Mapping[str, Field]) -> tuple[str, str]:
    for bound in ("from", "to"):
        name = key.removesuffix(f"_{bound}")
        if key not in fields and name != key and name in fields and fields[name].is_ordered:
            return name, bound
    return key, ""
