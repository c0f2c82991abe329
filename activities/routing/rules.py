"""Rules that an input meets or does not.

Must not hang on a pattern, whoever wrote it and whatever the input is.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from ...contracts.errors import SetupError, SpecError
from ...contracts.specs.router import Rule
from ...contracts.template import as_text, fields
from ...contracts.wire.route_call import RouteCall, RouteChoice

PATTERN_SECONDS = 0.5
"""Longest search for one pattern: a decision has to fit well into a workflow task."""

_LONGEST_QUOTE = 40


def first_that_holds(call: RouteCall) -> RouteChoice:
    """Choose the first route whose rule holds; an empty `route` where none does.

    Blocks: to be run in a thread.

    Raises:
        SpecError: A pattern took too long, or cannot be read; names its route.
    """
    for option in call.options:
        if option.when is None:
            continue
        held = _evidence(option.when, call.text, option.name)
        if held is not None:
            reason = f"the rule of {option.name!r} holds: {', '.join(held) or 'it asks for nothing'}"
            return RouteChoice(route=option.name, confidence=1.0, reason=reason, strategy=call.strategy)
    return RouteChoice(reason="no rule holds", strategy=call.strategy)


def _evidence(rule: Rule, text: str, route: str) -> list[str] | None:
    """Return why the rule holds; None where it does not.

    The pattern is tried last, as it costs most.
    """
    held: list[str] = []
    for reason in (*_context(rule), *_lengths(rule, text), *_metadata(rule, text)):
        if reason is None:
            return None
        held.append(reason)
    if rule.pattern:
        found = _search(rule.pattern, text, route)
        if found is None:
            return None
        held.append(f"/{rule.pattern}/ finds {found[:_LONGEST_QUOTE]!r}")
    return held


def _context(rule: Rule) -> Iterator[str | None]:
    for name, wanted in rule.context.items():
        is_so = name in rule.known and _same(rule.known[name], wanted)
        yield f"context.{name} is {as_text(wanted)}" if is_so else None


def _lengths(rule: Rule, text: str) -> Iterator[str | None]:
    if rule.min_chars is not None:
        yield f"{len(text)} characters are at least {rule.min_chars}" if len(text) >= rule.min_chars else None
    if rule.max_chars is not None:
        yield f"{len(text)} characters are at most {rule.max_chars}" if len(text) <= rule.max_chars else None


def _metadata(rule: Rule, text: str) -> Iterator[str | None]:
    there = fields(text) if rule.metadata else {}
    for name, wanted in rule.metadata.items():
        yield f"{name} is {as_text(wanted)}" if name in there and _same(there[name], wanted) else None


def _same(one: JsonValue, other: JsonValue) -> bool:
    # To Python, true is 1.
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _search(pattern: str, text: str, route: str) -> str | None:
    # Python's own `re` cannot be interrupted and holds the interpreter: one bad pattern would stop the whole worker.
    try:
        import regex  # noqa: PLC0415 - only for workers with such a router
    except ImportError as error:
        raise SetupError(f"patterns need the package regex ({error}): pip install 'sostenuto[worker]'") from error
    try:
        found = regex.search(pattern, text, regex.IGNORECASE, timeout=PATTERN_SECONDS, concurrent=True)
    except TimeoutError:
        raise SpecError(
            f"route {route!r}: when.pattern: {pattern!r} took more than {PATTERN_SECONDS:g} s on {len(text)} "
            "characters: write it without repetitions inside repetitions, or bound the input by max_chars"
        ) from None
    except regex.error as error:
        raise SpecError(f"route {route!r}: when.pattern: {pattern!r} cannot be read: {error}") from None
    return found.group() if found else None
