"""National ids of several countries, by their form and their check digits.

Where one in ten numbers has a right check digit, a word that names the id has to stand before it, or it has to be
written as it is usually.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from idnumbers.nationalid.BEL import NationalRegistrationNumber
from idnumbers.nationalid.BRA import CPFNumber
from idnumbers.nationalid.DEU import IdNr
from idnumbers.nationalid.ESP import DNI
from idnumbers.nationalid.FIN import HETU
from idnumbers.nationalid.FRA import INSEE
from idnumbers.nationalid.IND import UID
from idnumbers.nationalid.ITA import FiscalCode
from idnumbers.nationalid.NLD import BSN
from idnumbers.nationalid.POL import PESEL
from idnumbers.nationalid.SWE import PersonalIdentityNumber
from idnumbers.nationalid.USA import SocialSecurityNumber

from ..finding import Finding, before

_S: Final = r"[ \u00a0]?"
_NEAR: Final = 48
"""Characters before a number in which a word may say what it is."""
_FEWEST_DIGITS: Final = 2


@dataclass(frozen=True, slots=True)
class _Id:
    country: str
    form: re.Pattern[str]
    is_valid: Callable[[str], Any]
    named: re.Pattern[str] | None = None
    """What has to stand before it, where the form alone is not sure. None: nothing has to."""
    usual: re.Pattern[str] | None = None
    """As it is usually written: then nothing has to stand before it."""


def _id(country: str, form: str, is_valid: Callable[[str], Any], named: str = "", usual: str = "") -> _Id:
    return _Id(
        country,
        re.compile(rf"(?<![A-Za-z0-9_+./-])(?<!\d[ -])(?:{form})(?![A-Za-z0-9_/-]|\.\d| \d)", re.IGNORECASE | re.ASCII),
        is_valid,
        re.compile(named, re.IGNORECASE) if named else None,
        re.compile(usual) if usual else None,
    )


def _is_ssn(number: str) -> bool:
    digits = _digits(number)
    return bool(SocialSecurityNumber.validate(f"{digits[:3]}-{digits[3:5]}-{digits[5:]}"))


def _is_dni(number: str) -> bool:
    return bool(DNI.validate(f"{_digits(number):0>8}{number[-1].upper()}"))


def _is_nie(number: str) -> bool:
    """Return whether the letter is right, with 0, 1 or 2 in place of X, Y or Z."""
    first = "XYZ".index(number[0].upper())
    return _is_dni(f"{first}{_digits(number[1:])}{number[-1]}")


def _is_belgian(number: str) -> bool:
    return bool(NationalRegistrationNumber.validate(_digits(number)))


def _is_nhs(number: str) -> bool:
    """Return whether the last digit completes the weighted sum to a multiple of 11."""
    digits = _digits(number)
    return sum((10 - place) * int(digit) for place, digit in enumerate(digits[:9])) % 11 == -int(digits[9]) % 11


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


_IDS: Final = (
    _id(
        "us-ssn",
        r"\d{3}-\d{2}-\d{4}|\d{9}|\d{3} \d{2} \d{4}",
        _is_ssn,
        named=r"ssn|social[ _-]?(?:security|sec)?|\bsoc\b|taxpayer|itin|tin\b",
        usual=r"\d{3}-\d{2}-\d{4}",
    ),
    _id("fr-nir", rf"[12]{_S}\d\d{_S}\d\d{_S}\d[\dab]{_S}\d{{3}}{_S}\d{{3}}{_S}\d\d", INSEE.validate),
    _id("it-cf", r"[A-Z]{6}\d[\dLMNPQRSTUV][A-EHLMPRST]\d[\dLMNPQRSTUV][A-Z]\d{3}[A-Z]", FiscalCode.validate),
    _id("es-dni", r"\d{8}[ -]?[A-HJ-NP-TV-Z]|\d{1,2}\.\d{3}\.\d{3}[ -]?[A-HJ-NP-TV-Z]", _is_dni),
    _id("es-nie", r"[XYZ][ -]?\d{7}[ -]?[A-HJ-NP-TV-Z]", _is_nie),
    _id("se-personnummer", r"(?:\d{2})?\d{6}[-+]\d{4}", PersonalIdentityNumber.validate),
    _id(
        "se-personnummer",
        r"(?:19|20)?\d{10}",
        lambda number: PersonalIdentityNumber.validate(f"{number[:-4]}-{number[-4:]}"),
        named=r"person\w*nummer|pnr\b|personnr|samordningsnummer",
    ),
    _id("fi-hetu", r"\d{6}[-+A-FU-Y]\d{3}[\dA-FHJ-NPR-Y]", HETU.validate),
    _id("pl-pesel", r"\d{11}", PESEL.validate),
    _id("be-nn", r"\d{2}\.?\d{2}\.?\d{2}-?\d{3}\.?\d{2}|\d{2} \d{2} \d{2} \d{3} \d{2}", _is_belgian),
    _id("br-cpf", r"\d{3}\.?\d{3}\.?\d{3}-?\d{2}", CPFNumber.validate),
    _id("de-tax", rf"\d{{2}}{_S}\d{{3}}{_S}\d{{3}}{_S}\d{{3}}", IdNr.validate),
    _id(
        "in-aadhaar",
        r"\d{4}[ \u00a0-]?\d{4}[ \u00a0-]?\d{4}",
        UID.validate,
        named=r"aadh?aa?r|uidai|\buid\b|आधार",
        usual=r"\d{4}[ \u00a0-]\d{4}[ \u00a0-]\d{4}",
    ),
    _id(
        "uk-nhs",
        r"\d{3}[ \u00a0-]?\d{3}[ \u00a0-]?\d{4}",
        _is_nhs,
        named=r"nhs",
        usual=r"\d{3}[ \u00a0-]\d{3}[ \u00a0-]\d{4}",
    ),
    _id("nl-bsn", r"\d{9}|\d{4}\.\d{2}\.\d{3}", BSN.validate, named=r"bsn|burgerservice|sofi|citizen service"),
)


def national_ids(text: str) -> Iterator[Finding]:
    """Yield the national ids of a text."""
    for one in _IDS:
        for match in one.form.finditer(text):
            number = re.sub(r"[ \u00a0]", "", match[0])
            if len(set(_digits(number))) < _FEWEST_DIGITS or not _is_valid(one, number):
                continue
            is_usual = one.usual is not None and one.usual.fullmatch(match[0])
            if one.named is None or is_usual or one.named.search(before(text, match.start(), _NEAR)):
                yield Finding("national_id", match.start(), match.end())


def _is_valid(one: _Id, number: str) -> bool:
    try:
        return bool(one.is_valid(number))
    except Exception:  # noqa: BLE001 - a number of another form is none
        return False
