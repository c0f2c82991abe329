"""Provider-neutral messages.

Lossless: what a provider needs back verbatim rides in a part tagged with its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, model_validator

from .contract import Contract

ASKED_AGAIN = "That answer does not fit"
"""How a message begins that asks for an answer again: of the wrong form, or one that a validator objects to."""


class Role(StrEnum):
    """Who speaks."""

    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class TextPart(Contract):
    """Plain text."""

    kind: Literal["text"] = "text"
    text: str


class _BlobPart(Contract):
    media_type: str
    """IANA media type, such as `image/png` or `application/pdf`."""
    data: str | None = None
    """Content in base64. Exactly one of `data` and `url` is set."""
    url: str | None = None
    """Address that the provider fetches the content from."""

    @model_validator(mode="after")
    def _one_source(self) -> _BlobPart:
        if (self.data is None) == (self.url is None):
            raise ValueError("set exactly one of data (base64) and url")
        return self


class ImagePart(_BlobPart):
    """A picture."""

    kind: Literal["image"] = "image"


class FilePart(_BlobPart):
    """A document."""

    kind: Literal["file"] = "file"
    name: str = ""
    """File name shown to the model, may be empty."""


class ToolCallPart(Contract):
    """A model's wish to call a tool."""

    kind: Literal["tool_call"] = "tool_call"
    id: str
    """Ours, unique in the transcript, at most 64 characters of `[A-Za-z0-9_-]`."""
    name: str
    arguments: dict[str, JsonValue] = {}
    malformed: str = ""
    """What the model wrote where its arguments were not a JSON object, else empty."""


class ToolResultPart(Contract):
    """What a tool call came to."""

    kind: Literal["tool_result"] = "tool_result"
    call_id: str
    """Id of the `ToolCallPart` that this answers."""
    name: str
    """Name of the tool."""
    content: str = ""
    """Text or JSON text for the model."""
    attachments: tuple[ImagePart | FilePart, ...] = ()
    is_error: bool = False
    passages: int = 0
    """How many passages of a collection it has, where it is the result of a search."""


class ReasoningPart(Contract):
    """A model's thinking.

    Sent back verbatim to the provider that made it, left out for every other.
    """

    kind: Literal["reasoning"] = "reasoning"
    provider: str
    text: str = ""
    """Readable text or summary, may be empty."""
    data: dict[str, Any] = {}
    """The provider's own block, verbatim: signatures, encrypted content."""


class CitationPart(Contract):
    """What a provider says that the text before it rests on.

    Sent back verbatim to the provider that made it, left out for every other.
    """

    kind: Literal["citation"] = "citation"
    provider: str
    data: dict[str, Any]
    """The provider's own form of it, verbatim."""

    @property
    def url(self) -> str:
        """Address of the source; empty where it has none."""
        return self._said("url")

    @property
    def title(self) -> str:
        """Title or file name of the source; empty where it has none."""
        return self._said("title") or self._said("document_title") or self._said("filename")

    @property
    def quote(self) -> str:
        """The words of the source; empty where the provider does not tell them."""
        return self._said("cited_text")

    def _said(self, field: str) -> str:
        said = self.data.get(field)
        return said if isinstance(said, str) else ""


class OpaquePart(Contract):
    """Any other block that its provider needs back verbatim.

    Left out for every other provider.
    """

    kind: Literal["opaque"] = "opaque"
    provider: str
    data: dict[str, Any]
    tool: str = ""
    """Name of the tool that the provider ran itself, where the block is a call of it or the result; else empty."""


class PartRef(Contract):
    """Stands for a part that the history already has.

    So nothing large is written twice.
    """

    kind: Literal["ref"] = "ref"
    message: int
    """Index of the message in the transcript."""
    part: int
    """Index of the part in that message."""
    call_id: str = ""
    """Where the part is a tool's result, the call that it answers."""
    search_id: str = ""
    """Where the part is the result of a `Retrieve` step, the id of its activity."""
    digest: str = ""
    """Beginning of the SHA-256 of the part's JSON."""


Part = Annotated[
    TextPart
    | ImagePart
    | FilePart
    | ToolCallPart
    | ToolResultPart
    | ReasoningPart
    | CitationPart
    | OpaquePart
    | PartRef,
    Field(discriminator="kind"),
]


class Message(Contract):
    """One entry of a transcript."""

    role: Role
    parts: tuple[Part, ...]
    pinned: bool = False
    """Whether it stays in the prompt where older messages leave it."""

    @property
    def text(self) -> str:
        """The text parts, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def tool_calls(self) -> tuple[ToolCallPart, ...]:
        """The tool calls, in the model's order."""
        return tuple(part for part in self.parts if isinstance(part, ToolCallPart))

    @property
    def citations(self) -> tuple[CitationPart, ...]:
        """What its text rests on, as far as the provider told, in the order of the text."""
        return tuple(part for part in self.parts if isinstance(part, CitationPart))

    @property
    def provider_tools(self) -> tuple[str, ...]:
        """Names of the tools that the provider ran for it, each once, in their order."""
        return tuple(dict.fromkeys(p.tool for p in self.parts if isinstance(p, OpaquePart) and p.tool))

    @staticmethod
    def last_words(messages: Sequence[Message]) -> str | None:
        """Return the last text of the model in messages; None where it said nothing."""
        said = (message.text for message in reversed(messages) if message.role is Role.ASSISTANT)
        return next((text for text in said if text), None)

    @classmethod
    def user(cls, content: str | Part | list[str | Part], *, pinned: bool = False) -> Message:
        """Make a user message of a text, a part, or a list of both.

        Args:
            content: What it says.
            pinned: Whether it stays in the prompt where older messages leave it.
        """
        items = content if isinstance(content, list) else [content]
        parts = tuple(TextPart(text=i) if isinstance(i, str) else i for i in items)
        return cls(role=Role.USER, parts=parts, pinned=pinned)
