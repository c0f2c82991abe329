"""Every form in which a provider says how long to wait, and those that say nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from sostenuto.activities.adapters.providers.retry_after import LONGEST_DELAY, retry_after

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "garbage", "retry-after": "9"}, 9),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30 GMT"}, 30),
        ({"retry-after": "Sun, 22 Nov 2026 13:00:30 +0100"}, 30),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30 -0000"}, 30),
        ({"x-ratelimit-reset-requests": "1m30.5s"}, 90.5),
        ({"x-ratelimit-reset-tokens": "20ms"}, 0.02),
        ({"x-ratelimit-reset-tokens": "3"}, 3),
        ({"x-ratelimit-reset-requests": "2s", "x-ratelimit-reset-tokens": "5s"}, 5),
        (
            {
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-requests": "2s",
                "x-ratelimit-remaining-tokens": "400",
                "x-ratelimit-reset-tokens": "5s",
            },
            2,
        ),
        ({"retry-after": "4", "x-ratelimit-reset-tokens": "5s"}, 4),
    ],
)
def test_a_wait_is_read(headers: dict[str, str], seconds: float) -> None:
    assert retry_after(headers, now=NOW) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"retry-after": ""},
        {"retry-after": "soon"},
        {"retry-after": "-5"},
        {"retry-after": "0"},
        {"retry-after": "nan"},
        {"retry-after": "inf"},
        {"retry-after": "Sun, 22 Nov 2026 11:59:30 GMT"},
        {"retry-after": "Sun, 99 Nov 2026 12:00:30 GMT"},
        {"retry-after-ms": "-1"},
        {"x-ratelimit-reset-tokens": ""},
        {"x-ratelimit-reset-tokens": "5 parsecs"},
        {"x-ratelimit-reset-tokens": "0s"},
    ],
)
def test_what_makes_no_sense_is_no_wait(headers: dict[str, str]) -> None:
    assert retry_after(headers, now=NOW) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"retry-after": "86400"},
        {"retry-after": "1e300"},
        {"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"},
        {"x-ratelimit-reset-requests": "24h0m0s"},
        {"x-ratelimit-reset-requests": "99999999999h"},
    ],
)
def test_an_absurd_wait_is_cut(headers: dict[str, str]) -> None:
    assert retry_after(headers, now=NOW) == LONGEST_DELAY


def test_the_clock_is_used_where_no_time_is_given() -> None:
    assert retry_after({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}) == LONGEST_DELAY
