"""What a model adapter is: one interface for every provider, and the script."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

from ..contracts.collection.citation import Attribution
from ..contracts.control.usage import Usage
from ..contracts.mcp import McpServer
from ..contracts.message import Message
from ..contracts.model import Model, OutputSchema
from ..contracts.provider_tool import PROVIDER_TOOLS, AnyProviderTool
from ..contracts.tool import ToolDefinition
from ..contracts.wire.model_call import StopReason


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """A whole prompt, provider-neutral."""

    model: Model
    """The model to call; its fallbacks are of no concern here."""
    instructions: str
    messages: tuple[Message, ...]
    tools: tuple[ToolDefinition, ...] = ()
    output: OutputSchema | None = None
    tool_choice: str = ""
    """What the model has to call: `required` for any tool, or the name of one; empty where it may choose."""
    parallel_tool_calls: bool = True
    """Whether the model may ask for several calls at once."""
    without: frozenset[str] = frozenset()
    """Features that the model was found to refuse in this run."""
    room: int = 1
    """How many times the adapter's own limit of output tokens the answer may have."""
    output_tokens: int | None = None
    """Most tokens of the answer, whatever else is said: what a budget allows. None: it is not limited so."""
    provider_tools: tuple[AnyProviderTool, ...] = ()
    """Tools that the provider runs itself."""
    servers: Mapping[str, McpServer] = field(default_factory=dict, repr=False)
    """The MCP servers that the provider is to connect to, by the names that its connectors have for them."""
    replies_left: int = 0
    """How many messages of the model have left the prompt, where a memory shortened it."""

    @property
    def wanted_provider_tools(self) -> tuple[AnyProviderTool, ...]:
        """Tools that the provider is to run: without those that it was found not to have."""
        return tuple(tool for tool in self.provider_tools if tool.kind not in self.without)

    def can_lack(self, feature: str) -> bool:
        """Return whether the model may be asked without a feature that it lacks."""
        if feature not in PROVIDER_TOOLS:
            return True
        asked = [tool for tool in self.provider_tools if tool.kind == feature]
        return bool(asked) and all(tool.optional for tool in asked)


@dataclass(frozen=True, slots=True)
class Completion:
    """A model's whole answer, provider-neutral."""

    message: Message
    """Role assistant. The ids of its tool calls are placeholders: `ModelActivities` gives them ours."""
    model: str
    """The model's name as the provider reports it, without the provider."""
    stop: StopReason
    usage: Usage
    usage_known: bool = True
    """Whether the provider told the usage: what it told may be missing, or nothing that can be."""
    request_id: str = ""
    note: str = ""
    """What there is to say of an answer that is not quite as expected, such as an unknown stop reason."""
    more_room: bool = False
    """Whether the adapter's own limit cut the answer, and `ModelRequest.room` may raise it."""
    paused: bool = False
    """Whether the provider paused in the middle of the answer. None does at the end of `complete`, but for too many."""

    attribution: Attribution = Attribution.MODEL
    """How it was found what the claims of a `Cited` answer rest on."""

    def followed_by(self, rest: Completion) -> Completion:
        """Return this answer with what came after its pause."""
        parts = (*self.message.parts, *rest.message.parts)
        return replace(
            rest,
            message=rest.message.model_copy(update={"parts": parts}),
            usage=self.usage + rest.usage,
            usage_known=self.usage_known and rest.usage_known,
            note=self.note or rest.note,
        )


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of an answer that is still coming in."""

    kind: str
    """`text`, `reasoning` or `tool_call`, also where the answer itself is given by a call."""
    text: str
    tool: str = ""
    """Name of the tool whose arguments it has a piece of."""
    index: int = 0
    """Which tool call of the answer, from 0."""


OnDelta = Callable[[Delta], None]
"""Receives the pieces of an answer in order. Must not block."""


class ModelAdapter(Protocol):
    """Translates between the neutral vocabulary and one provider.

    Adapters raise `ModelError`s and nothing else, cancellation apart, and `NotServedError` where this worker cannot
    call the provider at all. They never retry, and hold no state of a run.
    """

    provider: str
    """Tags the parts that only this provider can read."""

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        """Send a prompt and return the whole answer, streaming inside.

        Raises:
            ModelError: The call failed; its class says what to do about it.
            NotServedError: This worker lacks a key or something else that it takes.
        """
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


@runtime_checkable
class KnowsWindow(Protocol):
    """An adapter that knows how much its models take at once."""

    def window(self, model: Model) -> int:
        """Return the most tokens of a prompt and its answer; 0 where that is not known."""
        ...


@runtime_checkable
class Moderates(Protocol):
    """An adapter whose provider says whether a text is harmful."""

    async def harms(self, model: Model, text: str) -> tuple[str, ...]:
        """Return the categories of harm that a text is of, in the provider's words.

        Raises:
            ModelError: The call failed.
            NotServedError: This worker lacks a key.
        """
        ...


def window_of(adapter: object, model: Model) -> int:
    """Return most tokens of a prompt and answer; 0 where that is not known."""
    return adapter.window(model) if isinstance(adapter, KnowsWindow) else 0
