"""What names a person or opens a door is masked, what only looks like it is not, and no text takes long."""

from __future__ import annotations

import json
import random
import subprocess
import sys

import pytest

from sostenuto.workers.telemetry.masks import masked

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.s5cGsx_yzQ-abc"
MASKED = [
    ("Write to ada.lovelace+x@mail.example.org.", "Write to [e-mail]."),
    ("Konto DE89 3704 0044 0532 0130 00, bitte", "Konto [IBAN], bitte"),
    ("GB29NWBK60161331926819", "[IBAN]"),
    ("gb29 nwbk 6016 1331 9268 19", "[IBAN]"),
    ("card 4111 1111 1111 1111 exp 12/29", "card [card] exp 12/29"),
    ("5500-0000-0000-0004", "[card]"),
    ("call +49 (0)30 1234567 or 0044 20 7946 0958", "call [phone] or [phone]"),
    ("+1-202-555-0143", "[phone]"),
    (f"Bearer {JWT}", "Bearer [token]"),
    ("sk-ant-api03-abcdefghijklmnop", "[key]"),
    ("ghp_abcdefghijklmnopqrstuvwxyz012345", "[key]"),
    ("AKIAIOSFODNN7EXAMPLE", "[key]"),
    ("AIzaSyA1234567890abcdefghijklmnopqrstuv", "[key]"),
    ("xoxb-123456789012-abcdefghij", "[key]"),
    ("redis://user:hunter2@db:6379/0", "redis://[password]@db:6379/0"),
    ("postgresql://:p@ss:word@db/x", "postgresql://[password]@db/x"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----!", "[private key]!"),
    ("-----BEGIN PRIVATE KEY-----\nMIIE", "[private key]"),
]
KEPT = [
    "2026-11-29T10:00:00.123456Z",
    "29.11.2026, 10:00",
    "1 000 000 000 EUR, 1,234,567.89 USD",
    "0.4111111111111111",
    "3.141592653589793",
    "1764410400000",
    "order 2026-000123-4711",
    "ORDER AB12CDEF34567890",
    "4111 1111 1111 1112",
    "192.168.100.200",
    "550e8400-e29b-41d4-a716-446655440000",
    "skandinavischsprachigerundreise",
    "pkgconfigurationfilesaredeprecated",
    "http://localhost:8080/a@b",
    "+1.5 and -3",
    "a@b",
    "12345678901234567890123456",
    "call_1_0",
]


@pytest.mark.parametrize(("text", "shown"), MASKED)
def test_what_is_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


@pytest.mark.parametrize("text", KEPT)
def test_what_stays(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize("text", [text for text, _ in MASKED if not text.startswith("-----BEGIN PRIVATE")])
def test_in_json_as_well(text: str) -> None:
    """A line break before it, escaped once or twice, is part of no word; the JSON around it stays JSON."""
    once = json.dumps({"log": f"before\n{text}\nafter", "n": 4.5})
    assert set(json.loads(masked(once))) == {"log", "n"}
    twice = json.dumps({"result": once})
    for written in (once, twice):
        assert masked(text) in masked(written)


def test_random_figures_stay_and_random_cards_do_not() -> None:
    dice = random.Random(4711)
    for _ in range(2_000):
        number = dice.randrange(10**12)
        assert masked(f"{number}") == f"{number}"
        price = f"{dice.uniform(0, 10**6):.2f} EUR"
        assert masked(price) == price
        body = "4" + "".join(dice.choices("0123456789", k=14))
        doubled = [sum(divmod(int(digit) * (2 if place % 2 == 0 else 1), 10)) for place, digit in enumerate(body)]
        assert masked(f"{body}{-sum(doubled) % 10}") == "[card]"


HOSTILE = [
    "a",
    "a.",
    "eyJ-",
    "eyJaaaaaaaa.",
    "sk-",
    "a@",
    "a@a-",
    "://@",
    "a://:",
    "x://a:",
    "0 ",
    "+4 ",
    "4 ",
    "AB12AAAA",
]
HOSTILE += ["DE89 ", "-----BEGIN A ", "-----BEGIN PRIVATE KEY-----", "\\n", "00", "-----BEGIN ", "@a.a", "é"]


def test_no_text_takes_long() -> None:
    """A megabyte of each: quadratic time would be hours. It is over before the test is, whatever else is busy."""
    code = (
        "from sostenuto.workers.telemetry.masks import masked\n"
        f"for piece in {HOSTILE!r}: masked(piece * (1_000_000 // len(piece)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=250)
