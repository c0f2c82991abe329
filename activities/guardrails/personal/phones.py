"""Phone numbers, as they are written in several countries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import phonenumbers

from ..finding import Finding, before

_SEPARATORS: Final = r"[ \u00a0.\-/\u2010-\u2015]"
_AREA: Final = r"(?:[ \u00a0]?\(\d{1,5}\))?"
_INTERNATIONAL: Final = re.compile(
    rf"(?<![A-Za-z0-9_+])(?:\+|(?<!\d[ \u00a0])00(?=[1-9]))\d{{1,3}}{_AREA}(?:{_SEPARATORS}{{0,3}}\d){{4,14}}(?!\d)"
)
_NATIONAL: Final = re.compile(
    rf"(?<![A-Za-z0-9_+./-])(?<!\d[ :,])(?:\(\d{{2,5}}\)|\d)(?:{_SEPARATORS}{{0,2}}\d){{5,13}}(?!\d|[ ./:-]\d)"
)
_EXTENSION: Final = re.compile(
    r",?\s{0,2}(?:ext\.?|extension|x|app\.?|poste|durchwahl|dw)\s{0,2}\.?:?\s?\d{1,5}\b", re.IGNORECASE
)
_NAMED: Final = re.compile(
    r"tel\b|tel[.:/]|\btel\w*|phone|mobile|\bcell|\bcall|\bring\b|\bdial|\bfax|whatsapp|\bsms\b|\btext\b|hotline|"
    r"helpline|handy|ruf|anruf|nummer|appel|joindre|num[eé]ro|portable|ll[aá]m|m[oó]vil|n[uú]mero|telefon|kom[oó]rk|"
    r"zadzwo|numer|\bcontact|reach|desk|msisdn|caller|電話|携帯|هاتف|رقم|جوال|फ़ोन|\bph\b|\bmob\b|cellulare|chiama|"
    r"ligue|celular",
    re.IGNORECASE,
)
_OTHERWISE: Final = re.compile(
    r"order|bestell|invoice|rechnung|ticket|tracking|isbn|serial|\bsku\b|version|\bid\b|\bref\b|case|part no|model|"
    r"batch|paket|sendung|commande|pedido|lot\b|article|artikel|price|preis|total|amount|lat\b|lon\b|timestamp|"
    r"numer zam|z[aä]hler|factur|فاتورة|onderneming|licen[cs]e|records?|\bport\b|nhs|ssn|bsn",
    re.IGNORECASE,
)
_NEAR: Final = 32
_REGIONS: Final = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "PL", "SE", "BR", "IN", "JP", "BE", "FI", "AT", "CH", "AU")
_DATE: Final = re.compile(
    r"(?:19|20)\d\d[-./]?(?:0[1-9]|1[0-2])[-./]?(?:0[1-9]|[12]\d|3[01])|\d{1,2}[-./]\d{1,2}[-./](?:19|20)?\d\d\b"
)
_GROUPED: Final = re.compile(
    r"\(\d{2,5}\)[ \u00a0-]?\d{3,5}[ \u00a0.-]?\d{3,4}|[2-9]\d\d([-.])[2-9]\d\d\1\d{4}|0\d(?:[ .]\d\d){4}|"
    r"0\d{2,4}[ \u00a0/-]\d{3,8}(?:[ \u00a0-]\d{2,8}){0,4}"
)
"""What is written as phone numbers are, and little else is."""


def phones(text: str) -> Iterator[Finding]:
    """Yield the phone numbers of a text, with their extensions."""
    for match in _INTERNATIONAL.finditer(text):
        if _is_number(match[0], None):
            yield _found(text, match.start(), match.end())
    for match in _NATIONAL.finditer(text):
        start, end = match.span()
        number = match[0]
        if _DATE.match(number.lstrip("(")) or not _is_named(text, start, number):
            continue
        if any(_is_number(number, region) for region in _REGIONS):
            yield _found(text, start, end)


def _is_named(text: str, start: int, number: str) -> bool:
    lead = before(text, start, _NEAR)
    named, otherwise = [*_NAMED.finditer(lead)], [*_OTHERWISE.finditer(lead)]
    if otherwise and (not named or otherwise[-1].end() > named[-1].end()):
        return False
    return bool(named) or bool(_GROUPED.fullmatch(number))


def _is_number(number: str, region: str | None) -> bool:
    plain = f"+{number[2:]}" if region is None and number.startswith("00") else number
    try:
        parsed = phonenumbers.parse(plain.replace("(0)", ""), region)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_possible_number(parsed)


def _found(text: str, start: int, end: int) -> Finding:
    extension = _EXTENSION.match(text, end)
    return Finding("phone", start, extension.end() if extension else end)
