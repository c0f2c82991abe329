"""Says how an answer of a given form is asked for, as the model's profile has it.

Must not validate: the original schema is checked elsewhere.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from pydantic_core import from_json

from .....contracts.message import Part, TextPart
from .....contracts.model import OutputSchema
from ....model_adapter import Completion, ModelRequest
from ..profiles.profile import OutputMode, Profile
from ..schema.fitted import fit_schema
from ..schema.restoring import FittedSchema
from ..schema.rules import RULES, InexpressibleError


@dataclass(frozen=True, slots=True)
class AskedOutput:
    """How an answer of a given form is asked for."""

    mode: OutputMode
    name: str = ""
    fitted: FittedSchema | None = None
    """The schema as it is sent, in the first two modes."""
    words: str = ""
    """For the instructions; empty where the schema says it all."""

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
        texts = [part for part in completion.message.parts if isinstance(part, TextPart)]
        try:
            value = from_json("".join(part.text for part in texts))
        except ValueError:
            return completion
        whole = TextPart(text=json.dumps(self.fitted.restored(value), ensure_ascii=False))
        parts: list[Part] = [part for part in completion.message.parts if not isinstance(part, TextPart)]
        message = completion.message.model_copy(update={"parts": (*parts, whole)})
        return replace(completion, message=message)


def asked_output(request: ModelRequest, profile: Profile) -> AskedOutput | None:
    """Return how the answer of a request is asked for; None where it may be any text."""
    output = request.output
    if output is None:
        return None
    fitted, mode = _fitted(output, profile, profile.output_mode(with_tools=bool(request.tools)))
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
