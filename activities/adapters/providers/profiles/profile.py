"""What one model of one provider accepts, and what it wants in its own way."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from .....contracts.model import ReasoningEffort
from .....contracts.provider_tool import ProviderToolKind
from ..schema.rules import RULES

OutputMode = Literal["strict", "schema", "tool", "json", "words"]
"""How an answer of a given form is asked for: by a schema that is enforced, by one that may be, by a tool that is to be
called with it, as any JSON, or in words alone. Words stand beside the last two, and by `output_in_words`."""

_BELOW: Final[dict[OutputMode, OutputMode]] = {"strict": "schema", "schema": "json", "json": "words", "tool": "words"}
"""What is tried where one is refused. No way leads down to a tool: who refuses schemas is often a server of which
nothing is known, and those call tools worse than they write JSON."""


class Profile(BaseModel):
    """What one model of one provider accepts.

    The defaults are cautious: those of a server of Chat Completions of which nothing is known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    output: OutputMode = "schema"
    """How an answer of a given form is asked for."""
    output_with_tools: OutputMode | None = None
    """The same where the agent has tools. None: no other way."""
    output_unenforced: bool = True
    """Whether a schema may be sent that is not enforced."""
    unenforced_schema: str = "plain"
    """Rules for such a schema."""
    output_schema: str = "closed"
    """Rules for the schema of an answer, where it is enforced."""
    output_in_words: bool = True
    """Whether the schema is told in words, too, since the server may take no notice of it."""
    tool_schema: str = "plain"
    """Rules for the schemas of tools."""
    tool_description: int | None = Field(default=None, ge=1)
    """Most characters of a tool's description. None: any number."""
    system_role: Literal["system", "developer", "user"] = "system"
    """Who says the instructions."""
    call_ids: Literal["any", "nine"] = "any"
    """Form of the ids of tool calls: anything, or nine letters and digits."""
    user_after_tool: bool = True
    """Whether a user may speak right after a tool."""
    alternate: bool = False
    """Whether two messages in a row of one role are refused, as templates of open models do."""
    past_tools: bool = False
    """Whether past calls are refused where there are no tools now."""
    null_content: bool = True
    """Whether a message of calls alone may have null for its content. If not, it has an empty text."""
    text_only: bool = False
    """Whether the content of a message is a text, never a list of parts."""
    images: Literal["none", "data", "url"] = "url"
    """Whether pictures are taken: by their data only, or by address as well."""
    files: Literal["none", "data", "url"] = "data"
    """Whether documents are taken: by their data only, or by address as well."""
    reasoning: Literal["effort", "adaptive", "budget", "thinking", "openrouter", "none"] = "effort"
    """How the effort of thinking is said."""
    efforts: dict[ReasoningEffort, str] = {"off": "none", "low": "low", "medium": "medium", "high": "high"}
    """The provider's words for our efforts. One that is not there cannot be asked for."""
    reasons: bool = True
    """Whether the model thinks at all, so that past thoughts may be sent back."""
    thoughts: bool = True
    """Whether past thoughts may be sent back."""
    thinks: bool = True
    """Whether the model thinks where nobody says how hard."""
    echo: tuple[str, ...] = ("reasoning_content", "reasoning", "reasoning_details")
    """Fields of past thoughts that go back as they came (Chat Completions)."""
    echo_required: bool = False
    """Whether a past message with calls is refused without its thoughts, even where there were none."""
    unsigned_call: str = ""
    """What stands for the signature of a past call that another model made, where each has to be signed."""
    max_tokens: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """Name of the limit of the answer (Chat Completions)."""
    seed: Literal["seed", "random_seed", ""] = "seed"
    """Name of the seed; empty where there is none."""
    required_choice: str = "required"
    """The word for a call of any tool that must be made."""
    named_choice: bool = True
    """Whether one tool can be named that must be called."""
    provider_tools: dict[ProviderToolKind, str] = {}
    """Tools that the provider runs itself, each with its own word for it."""
    containers: bool = True
    """Whether past containers of code are there still."""
    parallel_choice: bool = True
    """Whether it can be said that calls are not to be parallel."""
    refuses: tuple[str, ...] = ()
    """Fields of the body that are refused, and so never sent."""
    output_tokens: int | None = Field(default=None, ge=1)
    """Most tokens of an answer. None: not known."""
    usual_tokens: int = Field(default=0, ge=0)
    """Most tokens of an answer where nobody says so, if that is less than `output_tokens`. An answer that is cut there
    is asked for again with more room. 0: as many as the model can."""
    context_tokens: int | None = Field(default=None, ge=1)
    """Most tokens of a prompt and its answer. None: not known."""

    @field_validator("output_schema", "unenforced_schema", "tool_schema")
    @classmethod
    def _check_rules(cls, name: str, field: ValidationInfo) -> str:
        known = [one for one, rules in RULES.items() if not (rules.strict and field.field_name == "unenforced_schema")]
        if name not in known:
            raise ValueError(f"it is {name!r}, not one of {', '.join(known)}")
        return name

    def output_mode(self, *, with_tools: bool) -> OutputMode:
        """Return how an answer of a given form is asked for."""
        return (self.output_with_tools or self.output) if with_tools else self.output

    def without(self, features: frozenset[str]) -> Profile:
        """Return the profile of a model that was found to refuse features."""
        if not features:
            return self
        changes: dict[str, Any] = {
            "output": _lower(self.output, features),
            "output_with_tools": self.output_with_tools and _lower(self.output_with_tools, features),
        }
        for feature in sorted(features & _WITHOUT.keys()):
            changes |= _WITHOUT[feature]
        if "max_tokens" in features:
            changes["max_tokens"] = "max_completion_tokens" if self.max_tokens == "max_tokens" else "max_tokens"
        return self.model_copy(update=changes)


_WITHOUT: Final[dict[str, dict[str, Any]]] = {
    "call_ids": {"call_ids": "nine"},
    "echo": {"echo": (), "echo_required": False, "thoughts": False},
    "no_echo": {"echo": ("reasoning_content",), "echo_required": True},
    "parallel_tool_calls": {"parallel_choice": False},
    "containers": {"containers": False},
    "tool_choice": {"named_choice": False, "required_choice": ""},
    "reasoning": {"reasoning": "none", "reasons": False},
}
"""What is other than known of a model that turned out to refuse a feature."""


def _lower(mode: OutputMode, features: frozenset[str]) -> OutputMode:
    while mode in features and mode in _BELOW:
        mode = _BELOW[mode]
    return mode
