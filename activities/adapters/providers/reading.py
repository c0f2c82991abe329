"""Reads leniently what a provider says in other words than agreed.

The answer was paid for, so what is clear is taken. Must not know any provider.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ....contracts.control.usage import Usage
from ....contracts.text import encodable
from ....contracts.wire.model_call import StopReason

_MOST_TOKENS = 10**9
"""No call has as many: a count beyond it, or below zero, is a mistake of the provider's."""


def stop_reason(reason: object, known: Mapping[str | None, StopReason]) -> tuple[StopReason, str]:
    """Return why the model stopped, and a note where the reason is unknown.

    The end of the stream has come, so an unknown reason is taken for an end.
    """
    if isinstance(reason, str | None) and reason in known:
        return known[reason], ""
    return StopReason.END, f"the provider gave an unknown stop reason, {str(reason)[:100]!r}: the answer may be cut"


def usage_of(said: object, read: Callable[[dict[str, Any]], Usage]) -> Usage | None:
    """Return the tokens that the provider counted; None where that cannot be.

    Args:
        said: The provider's own account.
        read: Maps it to ours.
    """
    if not isinstance(said, dict) or not said:
        return None
    try:
        usage = read(said)
        counts = [getattr(usage, name) for name in Usage.model_fields]
    except (ValueError, TypeError, AttributeError, KeyError):
        return None
    return usage if all(0 <= count <= _MOST_TOKENS for count in counts) else None


def said_name(*said: object) -> str:
    """Return the first name or id that says something, as a text."""
    return next((encodable(str(one)) for one in said if isinstance(one, str | int) and one), "")


def plain(said: Any) -> dict[str, Any]:
    """Return a value of an SDK as a dict; empty where it is something else."""
    as_dict = getattr(said, "to_dict", None)
    return dict(as_dict(mode="json", warnings=False)) if as_dict else {}


def merged(before: object, now: Any) -> dict[str, Any]:
    """Return an account that comes in pieces, the later one over the earlier.

    What the later one says nothing of stays.
    """
    said = {key: value for key, value in plain(now).items() if value is not None}
    return {**(before if isinstance(before, dict) else {}), **said}


def left_out(kinds: Iterable[str]) -> str:
    """Return a note on what an answer has that has no place here; empty for none."""
    unknown = ", ".join(dict.fromkeys(kinds))
    return f"the answer has more than is known here, {unknown!r}, which is left out" if unknown else ""


def objects(said: object) -> list[dict[str, Any]]:
    """Return the objects of a list, such as citations, without what is none."""
    return [one for one in said if isinstance(one, dict)] if isinstance(said, list) else []


def words_of(body: Any) -> str:
    """Return the words of an error, in any of the forms that servers have for it."""
    match body:
        case str():
            return body
        case [first, *_]:
            return words_of(first)
        case {"message": message, "metadata": {"raw": raw}}:
            return f"{words_of(message)}: {raw}"  # of one that forwards to others: what the other one said
        case {"message": message} if message:
            return words_of(message)
        case {"error": error} if error:
            return words_of(error)
        case {"detail": detail} if detail:
            return detail if isinstance(detail, str) else json.dumps(detail, default=str)
        case _:
            return ""
