"""Long-term memory: facts, preferences and episodes that outlive a conversation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from .. import names
from ..collection.collection import Collection
from ..context.shared_name import SharedName
from ..contract import Spec, arguments, as_tuple, brief
from ..errors import SpecError
from ..model import Model
from ..tool import ToolDefinition

_CONTEXT_NAME: Final = re.compile(r"\{context\.[^}]*\}")

_NUMBER: Final = re.compile(r"\s*[+-]?[\d.]+\s*")
_WITHOUT_MODEL: Final = ("rules", "messages", "none")

MAX_SCOPE_BYTES: Final = 200
"""Longest scope: it is part of a workflow's id."""

SCOPE: Final = SharedName(
    kind="scope",
    called="a scope",
    has="a scope has",
    example="user:{context.user}",
    shares="memory",
    max_bytes=MAX_SCOPE_BYTES,
)

MAX_MEMORY_CHARS: Final = 1_000
"""Longest text of one memory."""

MAX_RECALLED: Final = 50
"""Most memories that one recall tells."""

REMEMBER: Final = "remember"
RECALL: Final = "recall"
FORGET: Final = "forget"
"""Names of the tools by which a model uses its memory."""


class MemoryKind(StrEnum):
    """What a memory is about."""

    FACT = "fact"
    """Something that is so: where somebody lives, what they are allergic to."""
    PREFERENCE = "preference"
    """What somebody likes, or wants done in some way."""
    EPISODE = "episode"
    """What was tried, and how it went."""


class LongTerm(Spec):
    """What an agent remembers beyond a conversation.

    `LongTerm(people, scope="user:{context.user}")`. Before a turn what fits it is recalled; after a turn that completed
    what was said is remembered. Facts that contradict earlier ones take their place; those are kept, and recalled no
    more.
    """

    collection: Collection
    """Whose embedding model and store it uses. Memories stand beside its documents: no search of it finds them."""
    scope: str = "user:{context.user}"
    """Whose memories: those of other scopes are never seen. Names in braces stand for values of the run's context."""
    kinds: tuple[MemoryKind, ...] = tuple(MemoryKind)
    """What is remembered and recalled without being asked for."""
    extract: Annotated[Literal["rules", "messages", "none"] | Model, Field(union_mode="left_to_right")] = "rules"
    """What finds in a turn what is worth remembering: `rules` knows English sentences about the speaker, and asks no
    model; `messages` keeps what each message states as well, as an episode in its own words; `provider/model` is asked
    after each turn, and charged; `none` leaves it to the tools."""
    recall: int = Field(default=8, ge=0, le=MAX_RECALLED)
    """Most memories that are recalled before a turn. 0: none."""
    recall_tokens: int = Field(default=600, ge=50, le=20_000)
    """Most tokens that they may have together, counted as one for every three bytes."""
    half_life: timedelta = Field(default=timedelta(days=90), gt=timedelta(0))
    """After so long without being said again a memory counts half as recent: a `timedelta`, or a text as `30d`."""
    on_failure: Literal["answer_without", "fail"] = "answer_without"
    """What becomes of a turn whose memory cannot be reached: it is answered without, and an event says so; or fails."""
    tools: tuple[Literal["remember", "recall", "forget"], ...] = ()
    """The tools by which the model itself remembers, recalls and forgets, in this scope alone."""

    fills = {"scope": False}

    def __init__(
        self,
        collection: Collection,
        *,
        scope: str = "user:{context.user}",
        kinds: Iterable[MemoryKind | str] = tuple(MemoryKind),
        extract: Model | str = "rules",
        recall: int = 8,
        recall_tokens: int = 600,
        half_life: timedelta | str = timedelta(days=90),
        on_failure: Literal["answer_without", "fail"] = "answer_without",
        tools: Iterable[str] = (),
        **unknown: Any,
    ) -> None:
        given = arguments(locals())
        given |= {"kinds": as_tuple(kinds, "LongTerm: kinds"), "tools": as_tuple(tools, "LongTerm: tools")}
        self._construct(given)

    @field_validator("scope")
    @classmethod
    def _is_scope(cls, scope: str) -> str:
        if why := SCOPE.why_not(scope):
            raise ValueError(why)
        if any("/" not in between for between in _CONTEXT_NAME.split(scope)[1:-1]):
            # No value has one, so no two make the scope of somebody else together.
            raise ValueError(
                f"{scope!r} does not divide its names by '/': write 'tenant:{{context.tenant}}/user:{{context.user}}'"
            )
        return scope

    @field_validator("extract", mode="before")
    @classmethod
    def _finds_something(cls, extract: Any) -> Any:
        if isinstance(extract, Model | Mapping) or extract in _WITHOUT_MODEL:
            return extract
        try:
            return Model(extract)
        except SpecError:
            known = ", ".join(_WITHOUT_MODEL)
            raise ValueError(f"{brief(extract)} is none of {known}, nor provider/model") from None

    @field_validator("half_life", mode="before")
    @classmethod
    def _says_its_unit(cls, half_life: Any) -> Any:
        if half_life is True or half_life is False:
            raise ValueError(f"{half_life!r} is no time: write timedelta(days=…)")
        if isinstance(half_life, int | float) or (isinstance(half_life, str) and _NUMBER.fullmatch(half_life)):
            raise ValueError(f"{half_life!r} says no unit: write timedelta(days=…), or '{half_life}d' for days")
        return half_life

    @model_validator(mode="after")
    def _keeps_messages(self) -> Self:
        if self.extract == "messages" and MemoryKind.EPISODE not in self.kinds:
            raise ValueError("extract='messages' keeps episodes: put 'episode' among kinds=, or take extract='rules'")
        return self

    @field_validator("collection")
    @classmethod
    def _is_shared(cls, collection: Collection) -> Collection:
        if collection.partition:
            raise ValueError(
                f"{collection.name!r} is partitioned: memories have a scope instead: use another collection, and name "
                "the tenant in scope="
            )
        return collection

    @property
    def model(self) -> Model | None:
        """The model that extracts; None where none does."""
        return self.extract if isinstance(self.extract, Model) else None

    @property
    def definitions(self) -> tuple[ToolDefinition, ...]:
        """What a model sees of its tools."""
        return tuple(_DEFINITIONS[name] for name in self.tools)


def memory_workflow_id(collection: str, scope: str) -> str:
    """Return the id of the workflow that makes all changes of the memories of a scope."""
    return f"{names.MEMORY_ID}{collection}/{scope}"


def _definition(name: str, description: str, parameters: dict[str, Any]) -> ToolDefinition:
    schema = {"type": "object", "properties": parameters, "required": [*parameters][:1], "additionalProperties": False}
    return ToolDefinition(name=name, description=description, parameters=schema)


_DEFINITIONS: Final = {
    one.name: one
    for one in (
        _definition(
            REMEMBER,
            "Remember something for later conversations: one fact or preference, as a sentence that says whom it is "
            "about. What it contradicts is replaced.",
            {
                "text": {"type": "string", "minLength": 1, "description": "What to remember, in one sentence."},
                "kind": {"type": "string", "enum": ["fact", "preference"], "description": "Default: fact."},
            },
        ),
        _definition(
            RECALL,
            "Look for what was remembered in earlier conversations. Returns memories, each with an id.",
            {"query": {"type": "string", "minLength": 1, "description": "What to look for."}},
        ),
        _definition(
            FORGET,
            "Delete memories for good, where that is asked for.",
            {
                "ids": {
                    "type": "array",
                    "items": {"type": "string"},
                    "minItems": 1,
                    "description": "Ids of the memories, as they were told.",
                }
            },
        ),
    )
}
