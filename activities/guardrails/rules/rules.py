"""What of some rules a text breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache

from ....contracts.errors import SpecError
from ....contracts.guardrails.rules import Rules
from ..broken import Broken
from .addresses import unlisted_addresses
from .hosts import AllowedHost, allowed_host
from .languages import known_languages, language_of, larger_language
from .patterns import compiled, is_all_of, places


def broken_rules(text: str, rules: Rules) -> list[Broken]:
    """Return what of some rules a text breaks, and where.

    Takes time in proportion to the text, and blocks for it.

    Raises:
        SpecError: A pattern or a host cannot be read. `check_rules` says so before there is a text.
        SetupError: A library is not installed.
    """
    return [
        found for breaks in (_lengths, _denied, _not_allowed, _language, _addresses) for found in breaks(text, rules)
    ]


def check_rules(rules: Rules, where: str) -> None:
    """Check that everything in some rules can be looked for.

    Args:
        rules: The rules.
        where: What the error calls them.

    Raises:
        SpecError: Something cannot; says which pattern, host or language, and why.
        SetupError: A library is not installed; says how to get it.
    """
    for field in ("deny", "allow"):
        for index, pattern in enumerate(getattr(rules, field)):
            told = f"{where}: {field}[{index}]: RE2 does not take {pattern!r}: "
            _checked(compiled, pattern, told, ": it has no look-around and no references to groups")
    for index, url in enumerate(rules.urls or ()):
        _checked(allowed_host, url, f"{where}: urls[{index}]: ", ": write one such as 'example.com'")
    for index, code in enumerate(rules.languages):
        if code not in (known := known_languages()):
            raise SpecError(f"{where}: languages[{index}]: {code!r} cannot be told: write one of {', '.join(known)}")


def _checked(read: Callable[[str], object], given: str, before: str, behind: str) -> None:
    try:
        read(given)
    except ValueError as error:
        raise SpecError(f"{before}{error}{behind}") from None


def _lengths(text: str, rules: Rules) -> Iterator[Broken]:
    if rules.max_chars is not None and len(text) > rules.max_chars:
        yield Broken("max_chars", f"it has {len(text):,} characters, and at most {rules.max_chars:,} are allowed")
    if rules.min_chars is not None and len(text) < rules.min_chars:
        yield Broken("min_chars", f"it has {len(text):,} characters, and at least {rules.min_chars:,} are needed")


def _denied(text: str, rules: Rules) -> Iterator[Broken]:
    for index, pattern in enumerate(rules.deny):
        found = list(places(pattern, text))
        rule, reason = f"deny[{index}]", "it has something in it that this pattern denies"
        real = [(start, end) for start, end in found if start < end]
        yield from (Broken(rule, reason, start, end) for start, end in real)
        if found and not real:
            yield Broken(rule, reason)


def _not_allowed(text: str, rules: Rules) -> Iterator[Broken]:
    if rules.allow and not any(is_all_of(pattern, text) for pattern in rules.allow):
        yield Broken("allow", f"it is none of the {len(rules.allow)} forms that are allowed")


def _language(text: str, rules: Rules) -> Iterator[Broken]:
    if not rules.languages:
        return
    found = language_of(text)
    if found and found not in map(larger_language, rules.languages):
        yield Broken("languages", f"it is in {found!r}, and only {', '.join(rules.languages)} is allowed")


def _addresses(text: str, rules: Rules) -> Iterator[Broken]:
    if rules.urls is None:
        return
    merged: list[Broken] = []
    for start, end, reason in sorted(unlisted_addresses(text, _hosts(rules.urls))):
        # The target of a link is seen twice, and more often where it can be read in several ways.
        last = merged.pop() if merged and start < (merged[-1].end or 0) else Broken("urls", reason, start, end)
        merged.append(replace(last, end=max(last.end or 0, end)))
    yield from merged


@lru_cache(maxsize=64)
def _hosts(urls: tuple[str, ...]) -> tuple[AllowedHost, ...]:
    return tuple(allowed_host(url) for url in urls)
