"""Finds the profile of a model.

That is what is known of it, and over that what the settings say.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import ValidationError

from .....contracts.contract import problem_text
from .....contracts.errors import SetupError
from .profile import Profile

_FILE: Final = Path(__file__).with_name("known.toml")
_HOSTS: Final = {
    "api.anthropic.com": "anthropic",
    "api.openai.com": "openai",
    "openai.azure.com": "azure",
    "services.ai.azure.com": "azure",
    "generativelanguage.googleapis.com": "gemini",
    "api.mistral.ai": "mistral",
    "api.deepseek.com": "deepseek",
    "api.groq.com": "groq",
    "api.x.ai": "xai",
    "api.together.xyz": "together",
    "api.together.ai": "together",
    "api.fireworks.ai": "fireworks",
    "openrouter.ai": "openrouter",
}
UNKNOWN: Final = "unknown"
"""The dialect of a server of which nothing is known."""


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """What the settings say of models."""

    models: str
    """Their names, in which `*` stands for anything."""
    fields: dict[str, Any] = field(default_factory=dict)
    """Fields of `Profile`."""


class Profiles:
    """The profiles of one provider's models.

    Args:
        dialect: Which of the known ones it speaks.
        changes: What the settings say of its models, in order, over what is known.

    Raises:
        SetupError: A change names no field of a profile, or says something else there; names it.
    """

    def __init__(self, dialect: str, changes: Sequence[ProfileChange] = ()) -> None:
        self.dialect = dialect
        self._changes = tuple(changes)
        self._found: dict[str, Profile] = {}
        for change in self._changes:
            _profile([change.fields], f"profile of {change.models!r}")

    def of(self, model: str) -> Profile:
        """Return the profile of a model, by the provider's own name of it."""
        if model not in self._found:
            if len(self._found) > _MOST_MODELS:
                self._found.clear()
            known = [fields for pattern, fields in _known() if fnmatchcase(f"{self.dialect}/{model}".lower(), pattern)]
            said = [change.fields for change in self._changes if fnmatchcase(model, change.models)]
            self._found[model] = _profile([*known, *said], model)
        return self._found[model]

    def window(self, model: str) -> int:
        """Return the most tokens of a prompt and its answer; 0 where that is not known."""
        return self.of(model).context_tokens or 0


_MOST_MODELS: Final = 1_000


def dialect_of(name: str, base_url: str) -> str:
    """Return the dialect that a provider speaks, by its address, else by its name.

    It is `unknown` where neither tells.
    """
    host = urlsplit(base_url).hostname or ""
    by_host = next((dialect for known, dialect in _HOSTS.items() if host == known or host.endswith(f".{known}")), "")
    plain = name.lower().replace("-", "_")
    return by_host or next(
        (known for known in dialects() if known == plain or known == plain.replace("_", "")), UNKNOWN
    )


@cache
def dialects() -> tuple[str, ...]:
    """Return the dialects of which something is known."""
    return tuple(dict.fromkeys(pattern.partition("/")[0] for pattern, _ in _known()))


@cache
def _known() -> tuple[tuple[str, dict[str, Any]], ...]:
    entries = tomllib.loads(_FILE.read_text())["known"]
    return tuple((entry["for"], {key: value for key, value in entry.items() if key != "for"}) for entry in entries)


def _profile(changes: Iterable[dict[str, Any]], what: str) -> Profile:
    fields: dict[str, Any] = {}
    for change in changes:
        fields |= change
    try:
        return Profile.model_validate(fields)
    except ValidationError as error:
        problems = "; ".join(problem_text(problem) for problem in error.errors(include_url=False))
        known = ", ".join(Profile.model_fields)
        raise SetupError(f"{what}: {problems}; the fields are {known}") from None
