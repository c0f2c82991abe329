"""Rules that a text keeps to or breaks: patterns, lengths, languages, addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from ..contract import arguments, as_tuple, brief
from .guardrail import Guardrail, GuardStage, OnError, OnFailure

_LISTS: Final = ("at", "deny", "allow", "languages", "urls")
_CODE: Final = re.compile(r"[a-z]{2}")
_HOST: Final = re.compile(r"(?:\*\.)?[\w-]{1,63}(?:\.[\w-]{1,63}){0,20}(?:/[^\s?#\\]*)?")
_HOW: Final = "write a host as 'example.com', '*.example.com' for all below it, or with a path as 'example.com/docs'"
_ELSEWHERE: Final = {
    **dict.fromkeys(("patterns", "regex", "denylist", "blocklist", "forbidden", "banned_words"), "write deny=[...]"),
    **dict.fromkeys(("allowlist", "match", "must_match"), "write allow=[...]"),
    **dict.fromkeys(("hosts", "domains", "allowed_urls", "allowed_domains", "links"), "write urls=[...]"),
    **dict.fromkeys(("max_length", "max_len", "limit"), "write max_chars="),
    **dict.fromkeys(("min_length", "min_len"), "write min_chars="),
    **dict.fromkeys(("language", "lang", "locale"), "write languages=['en']"),
}


def _not_empty(pattern: str) -> str:
    if not pattern:
        raise ValueError("an empty pattern is in every text: leave it out")
    return pattern


_Pattern = Annotated[str, AfterValidator(_not_empty)]
"""A regular expression in the syntax of RE2, which has no look-around and no references to groups."""


class Rules(Guardrail):
    r"""Rules that a text keeps to or breaks.

    `Rules(at=["output"], on_failure="block", deny=[r"\bguarantee"], urls=["*.example.com"])`. No model is asked.
    """

    redacts: ClassVar[bool] = True

    kind: Literal["rules"] = "rules"
    at: tuple[GuardStage, ...] = ("output",)
    on_failure: OnFailure = "block"
    deny: tuple[_Pattern, ...] = ()
    """Patterns of which none may be found anywhere in the text. Here and in `allow` upper and lower case are one;
    `(?-i)` tells them apart."""
    allow: tuple[_Pattern, ...] = ()
    """Patterns of which one has to match the whole text. Without any, every text may be."""
    max_chars: int | None = Field(default=None, ge=1)
    """Most characters of the text."""
    min_chars: int | None = Field(default=None, ge=1)
    """Fewest characters of the text."""
    languages: tuple[str, ...] = ()
    """Languages in which the text may be, as codes of ISO 639-1 such as `en`. A text whose language cannot be
    told, as it is too short, passes."""
    urls: tuple[str, ...] | None = None
    """Hosts to which addresses in the text may lead: `example.com`, `*.example.com` for all below it, either with a
    path that the address begins with. An empty list: there may be no address. None: there may be any. Scripts and data
    in place of an address are none that is allowed; links to mail and telephones are no addresses."""

    _elsewhere = _ELSEWHERE

    def __init__(
        self,
        *,
        at: GuardStage | Iterable[GuardStage] = ("output",),
        on_failure: OnFailure = "block",
        on_error: OnError | None = None,
        name: str = "",
        deny: str | Iterable[str] = (),
        allow: str | Iterable[str] = (),
        max_chars: int | None = None,
        min_chars: int | None = None,
        languages: str | Iterable[str] = (),
        urls: str | Iterable[str] | None = None,
        **unknown: Any,
    ) -> None:
        given = arguments(locals())
        for field in _LISTS:
            if given[field] is not None:
                one = given[field]
                given[field] = (one,) if isinstance(one, str) else as_tuple(one, f"Rules: {field}")
        self._construct(given)

    @field_validator("languages")
    @classmethod
    def _are_codes(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        for code in languages:
            if not _CODE.fullmatch(code):
                raise ValueError(f"{brief(code)} is no code of ISO 639-1: write two small letters, such as 'en'")
        return languages

    @field_validator("urls")
    @classmethod
    def _are_hosts(cls, urls: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for url in urls or ():
            if not _HOST.fullmatch(url):
                raise ValueError(f"{brief(url)} is no host: {_HOW}")
        return urls

    @model_validator(mode="after")
    def _ask_for_something(self) -> Rules:
        if self.min_chars is not None and self.max_chars is not None and self.min_chars > self.max_chars:
            raise ValueError(f"min_chars: it is {self.min_chars}, more than max_chars={self.max_chars}: no text passes")
        bounds = (self.max_chars, self.min_chars, self.urls)
        if not (self.deny or self.allow or self.languages) and all(one is None for one in bounds):
            raise ValueError("every text passes: give deny=, allow=, max_chars=, min_chars=, languages= or urls=")
        return self
