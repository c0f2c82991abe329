"""Bank accounts and payment cards, by their check digits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ..finding import Finding

_IBAN: Final = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]{2}[ \u00a0]?\d{2}(?:[ \u00a0.-]?[A-Za-z0-9]{1,4}){3,9}(?![A-Za-z0-9])"
)
_IBAN_CHARS: Final = re.compile(r"[ \u00a0.-]")
_LONGEST_IBAN: Final = 34
_SHORTEST_IBAN: Final = 15
_LENGTHS: Final = {
    length: countries.split()
    for length, countries in (
        (15, "NO"),
        (16, "BE"),
        (18, "DK FI FO GL NL"),
        (19, "MK SI"),
        (20, "AT BA EE KZ LT LU XK"),
        (21, "CH CR HR LI LV"),
        (22, "BG BH DE GB GE IE ME RS"),
        (23, "AE GI IL IQ TL"),
        (24, "AD CZ ES MD PK RO SA SE SK TN VG"),
        (25, "PT ST"),
        (26, "IS TR"),
        (27, "BI DJ FR GR IT MC SM"),
        (28, "AL AZ BY CY DO GT HU LB NI PL SV"),
        (29, "BR EG PS QA UA"),
        (30, "JO KW MU"),
        (31, "MT SC"),
        (32, "LC"),
        (33, "RU"),
    )
}
"""How many characters the accounts of each country have, by the registry of ISO 13616."""
_CARD: Final = re.compile(
    r"(?<![\d.])(?<!\d[ -])(?<![A-Fa-f0-9]{4} )\d(?:[ \u00a0-]?\d){12,18}(?!\d)(?!\.\d)(?![ -]\d)"
)
_CARD_LENGTHS: Final = (
    (re.compile(r"4"), (13, 16, 19)),
    (re.compile(r"5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)"), (16,)),
    (re.compile(r"3[47]"), (15,)),
    (re.compile(r"3(?:0[0-5]|[689])"), (14, 16, 19)),
    (re.compile(r"6(?:011|4[4-9]|5)|622|62|60|81|82"), (16, 17, 18, 19)),
    (re.compile(r"35(?:2[89]|[3-8])"), (16, 17, 18, 19)),
    (re.compile(r"5[0678]|6[0-9]"), (12, 13, 14, 15, 16, 17, 18, 19)),
)
"""What cards begin with, and how many digits they have then."""


def ibans(text: str) -> Iterator[Finding]:
    """Yield the account numbers whose check digits are right."""
    start = 0
    while match := _IBAN.search(text, start):
        # What follows may be a word as well, and what stands before it may look like a beginning.
        length = next((length for length in _lengths(match[0]) if is_iban(match[0][:length])), 0)
        start = match.start() + max(length, 1)
        if length:
            yield Finding("iban", match.start(), start)


def is_iban(text: str) -> bool:
    """Return whether a text is the number of an account.

    Its country, its length and its check digits are right, by ISO 13616: with the first four characters at the end, and
    letters as numbers from 10 on, it is 1 modulo 97.
    """
    number = _IBAN_CHARS.sub("", text).upper()
    if number[:2] not in _LENGTHS.get(len(number), ()) or not number.isascii():
        return False
    return int("".join(str(int(char, 36)) for char in number[4:] + number[:4])) % 97 == 1


def _lengths(candidate: str) -> Iterator[int]:
    """Yield where a number may end, the longest first."""
    for length in range(len(candidate), 0, -1):
        size = len(_IBAN_CHARS.sub("", candidate[:length]))
        if size < _SHORTEST_IBAN:
            return
        if size <= _LONGEST_IBAN and (length == len(candidate) or _IBAN_CHARS.match(candidate[length])):
            yield length


def cards(text: str) -> Iterator[Finding]:
    """Yield the numbers of payment cards.

    Their first digits, their length and their check digit are right.
    """
    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if is_card(digits) and len(set(digits)) > 1:
            yield Finding("card", match.start(), match.end())


def is_card(digits: str) -> bool:
    """Return whether digits are those of a payment card."""
    known = any(start.match(digits) and len(digits) in lengths for start, lengths in _CARD_LENGTHS)
    return known and _has_right_check_digit(digits)


def _has_right_check_digit(digits: str) -> bool:
    """Return whether the last digit is right, by Luhn's formula (ISO/IEC 7812)."""
    doubled = [2 * int(digit) for digit in digits[-2::-2]]
    return (sum(map(int, digits[::-2])) + sum(number // 10 + number % 10 for number in doubled)) % 10 == 0
