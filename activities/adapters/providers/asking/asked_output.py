"""Says how an answer of a given form is asked for, as the model's profile has it.

Must not validate: the original schema is checked elsewhere.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from .....contracts.model import OutputSchema
from ....model_adapter import ModelRequest
from ..profiles.profile import OutputMode, Profile
from ..schema.fitted import InexpressibleError, fit_schema
from ..schema.restoring import FittedSchema
from ..schema.rules import PLAIN, RULES


@dataclass(frozen=True, slots=True)
class AskedOutput:
    """How an answer of a given form is asked for."""

    mode: OutputMode
    name: str = ""
    fitted: FittedSchema | None = None
    """As it is sent, in the first two modes."""
    words: str = ""
    """For the instructions; empty where the schema says it all."""

    @property
    def schema(self) -> dict[str, Any] | None:
        """The schema as it is sent, in the first two modes."""
        return self.fitted.schema if self.fitted else None

    def restored(self, text: str) -> str:
        """Return what the model wrote in the form of the original schema.

        As it is, where it is no JSON.
        """
        if self.fitted is None or self.fitted.restoring is None:
            return text
        try:
            return json.dumps(self.fitted.restored(json.loads(text)), ensure_ascii=False)
        except (ValueError, RecursionError):
            return text

    @property
    def strict(self) -> bool:
        """Whether the schema is held to."""
        return self.mode == "strict"


def asked_output(request: ModelRequest, profile: Profile) -> AskedOutput | None:
    """Return how the answer of a request is asked for; None where it may be any text."""
    output = request.output
    if output is None:
        return None
    mode = profile.output_mode(with_tools=bool(request.tools))
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
    return fit_schema(output.json_schema, PLAIN), mode


def _words(output: OutputSchema) -> str:
    schema = json.dumps(output.json_schema, separators=(",", ":"))
    return f"Answer with nothing but a JSON object that fits this JSON Schema:\n{schema}"
