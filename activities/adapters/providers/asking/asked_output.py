"""Says how an answer of a given form is asked for, as the model's profile has it.

Must not validate: the original schema is checked elsewhere.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from pydantic_core import from_json

from .....contracts.model import OutputSchema
from .....contracts.tool import ToolDefinition
from ....answer.lenient_json import with_text_alone
from ....model_adapter import Completion, ModelRequest
from ..profiles.profile import OutputMode, Profile
from ..schema.fitted import fit_schema
from ..schema.restoring import FittedSchema
from ..schema.rules import RULES, InexpressibleError
from .answer_tool import answer_tool, answer_tool_name
from .wire_tools import fitted_tool


@dataclass(frozen=True, slots=True)
class AskedOutput:
    """How an answer of a given form is asked for."""

    mode: OutputMode
    name: str = ""
    fitted: FittedSchema | None = None
    """The schema as it is sent, where one is: by itself, or as that of a tool."""
    words: str = ""
    """For the instructions; empty where the schema says it all."""
    tool: ToolDefinition | None = None
    """The tool that is to be called with the answer, in the mode of that name."""

    @property
    def schema(self) -> dict[str, Any] | None:
        """The schema that is sent."""
        return self.fitted.schema if self.fitted else None

    @property
    def strict(self) -> bool:
        """Whether the schema is held to."""
        return self.mode == "strict"

    def restored(self, completion: Completion) -> Completion:
        """Return an answer in the form that was asked for.

        The schema may have been sent in another one.
        """
        if self.fitted is None or self.fitted.restoring is None:
            return completion
        try:
            value = from_json(completion.message.text)
        except ValueError:
            return completion
        whole = json.dumps(self.fitted.restored(value), ensure_ascii=False)
        return replace(completion, message=with_text_alone(completion.message, whole))


def asked_output(request: ModelRequest, profile: Profile) -> AskedOutput | None:
    """Return how the answer of a request is asked for; None where it may be any text."""
    output = request.output
    if output is None:
        return None
    mode = profile.output_mode(with_tools=bool(request.tools))
    if mode == "tool":
        tool = answer_tool(output, answer_tool_name(request.tools))
        return AskedOutput(mode, output.name, fitted_tool(tool, profile.tool_schema), tool=tool)
    fitted, mode = _fitted(output, profile, mode)
    words = _words(output) if mode in ("json", "words") or profile.output_in_words else ""
    return AskedOutput(mode, output.name, fitted, words)


def _fitted(output: OutputSchema, profile: Profile, mode: OutputMode) -> tuple[FittedSchema | None, OutputMode]:
    rules = RULES[profile.output_schema]
    if mode not in ("strict", "schema"):
        return None, mode
    if mode == "strict" or not rules.strict:
        try:
            return fit_schema(output.json_schema, rules), mode
        except InexpressibleError:
            mode = "schema"
    if not profile.output_unenforced:
        return None, "words"
    # What cannot be enforced is said all the same, and checked by us.
    return fit_schema(output.json_schema, RULES[profile.unenforced_schema]), mode


def _words(output: OutputSchema) -> str:
    schema = json.dumps(output.json_schema, separators=(",", ":"))
    return f"Answer with nothing but a JSON object that fits this JSON Schema:\n{schema}"
