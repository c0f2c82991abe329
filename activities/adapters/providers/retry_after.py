"""How long a provider asks to wait, in every form that providers say it.

Must not decide whether to retry.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST_DELAY: Final = timedelta(minutes=10)
"""A longer wait is cut to this: trying once in vain is cheaper than a run that sleeps for a day."""

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
_LIMITS = ("requests", "tokens")


def retry_after(headers: Mapping[str, str], *, now: datetime | None = None) -> timedelta | None:
    """Return the wait that a response asks for, at most `LONGEST_DELAY`.

    None where it names none that makes sense.

    Reads `retry-after-ms`, `Retry-After` in seconds or as an HTTP date, and where both are missing
    `x-ratelimit-reset-*` of the limits that are used up.

    Args:
        headers: Of the response. Names in lower case, or a mapping that ignores case.
        now: The time to count an HTTP date from. Default: the clock's.
    """
    given = headers.get("retry-after-ms"), headers.get("retry-after")
    if given == (None, None):
        delay = _until_reset(headers)
    else:
        delay = _seconds(given[0], unit=0.001) or _seconds(given[1]) or _until(given[1], now or datetime.now(UTC))
    return None if delay is None else min(delay, LONGEST_DELAY)


def _seconds(text: str | None, unit: float = 1.0) -> timedelta | None:
    try:
        number = float(text or "") * unit
    except ValueError:
        return None
    if not math.isfinite(number) or number <= 0:
        return None
    return timedelta(seconds=min(number, LONGEST_DELAY.total_seconds()))


def _until(text: str | None, now: datetime) -> timedelta | None:
    try:
        date = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    # A date without a zone is in UTC by the HTTP specification.
    delay = (date if date.tzinfo else date.replace(tzinfo=UTC)) - now
    return delay if delay > timedelta(0) else None


def _until_reset(headers: Mapping[str, str]) -> timedelta | None:
    used_up = [limit for limit in _LIMITS if headers.get(f"x-ratelimit-remaining-{limit}") == "0"]
    delays = [_duration(headers.get(f"x-ratelimit-reset-{limit}", "")) for limit in used_up or _LIMITS]
    return max((delay for delay in delays if delay), default=None)


def _duration(text: str) -> timedelta | None:
    """Read a duration such as `6m0s`, `1.5s` or `20ms`, or plain seconds."""
    found = _DURATION.fullmatch(text.strip())
    if not text.strip() or not found:
        return _seconds(text)
    hours, minutes, seconds, milliseconds = (float(part or 0) for part in found.groups())
    total = hours * 3600 + minutes * 60 + seconds + milliseconds / 1000
    return _seconds(str(total))
