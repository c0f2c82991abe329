"""Personal data in texts, and what only looks like it."""

from __future__ import annotations

import pytest

from sostenuto.activities.guardrails.finding import Finding, without_overlaps
from sostenuto.activities.guardrails.personal.accounts import is_card, is_iban
from sostenuto.activities.guardrails.personal.personal_data import DETECTORS, personal_data
from tests.unit.activities.guardrails.lengths import takes_no_longer_than_its_length


def found(text: str, *kinds: str) -> list[tuple[str, str]]:
    wanted = frozenset(kinds) or frozenset(DETECTORS)
    return [(one.kind, text[one.start : one.end]) for one in personal_data(text, wanted)]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("Write to anna.b+news@mail.example.org.", "email", "anna.b+news@mail.example.org"),
        ("メールはanna@example.comまで", "email", "anna@example.com"),
        ("Pay to DE89 3704 0044 0532 0130 00, please", "iban", "DE89 3704 0044 0532 0130 00"),
        ("ik heb 14 euro voor nl91abna0417164300", "iban", "nl91abna0417164300"),
        ("Card 4111-1111-1111-1111 exp 12/30", "card", "4111-1111-1111-1111"),
        ("Amex 378282246310005", "card", "378282246310005"),
        ("from 203.0.113.9: refused", "ip", "203.0.113.9"),
        ("[2001:db8::8:800:200c:417a]:443", "ip", "2001:db8::8:800:200c:417a"),
        ("Call +49 30 23125 114 now", "phone", "+49 30 23125 114"),
        ("(617) 555-0126 ext. 204", "phone", "(617) 555-0126 ext. 204"),
        ("emp,ssn\n12,219-09-9999", "national_id", "219-09-9999"),
        ("codice fiscale RSSMRA85T10A562S", "national_id", "RSSMRA85T10A562S"),
        ("DNI 12345678Z", "national_id", "12345678Z"),
        ("NIE X1234567L", "national_id", "X1234567L"),
        ("PESEL 44051401359", "national_id", "44051401359"),
        ("NHS number 943 476 5919", "national_id", "943 476 5919"),
        ("HETU 131052-308T", "national_id", "131052-308T"),
    ],
)
def test_what_is_found(text: str, kind: str, value: str) -> None:
    assert found(text) == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "git clone git@host.example:team/repo.git",
        "logo@2x.png and getty@tty1.service",
        "Message-ID: <20240311.0815@mx2.example.com>",
        "DE89 3704 0044 0532 0130 01",
        "4111-1111-1111-1112",
        "0000 0000 0000 0000",
        "Order 20240118550 of 2024-01-18",
        "see section 4.2.1.7, version 10.4.2.1",
        "127.0.0.1 and 0.0.0.0 and std::vector<int>",
        "000-12-3456 and 666-12-3456",
        "DNI 12345678A",
        "x" * 5_000,
        "",
    ],
)
def test_what_only_looks_like_it(text: str) -> None:
    assert found(text) == []


def test_kinds_that_are_not_wanted() -> None:
    text = "anna@example.com, 203.0.113.9"
    assert found(text, "ip") == [("ip", "203.0.113.9")]


def test_check_digits() -> None:
    assert is_iban("GB82 WEST 1234 5698 7654 32")
    assert not is_iban("GB82 WEST 1234 5698 7654 3")
    assert is_card("5555555555554444")
    assert not is_card("1234567812345670"), "no card begins so"


def test_of_two_that_overlap_the_surer_counts() -> None:
    surer, other, apart = Finding("card", 5, 10), Finding("phone", 0, 6), Finding("ip", 20, 25)
    assert without_overlaps([surer, other, apart]) == [surer, apart]


@pytest.mark.parametrize("part", ["1 ", "a@", "1.", "ab12 ", ":", "+1(", "a.b@c.", "4111 "])
def test_hostile_texts_take_no_longer_than_their_length(part: str) -> None:
    assert takes_no_longer_than_its_length(personal_data, part)
