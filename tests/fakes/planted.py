"""Values of every kind that redaction is for, made by chance: nobody has them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

from sostenuto.activities.guardrails.personal.personal_data import personal_data
from sostenuto.activities.guardrails.secrets.secrets import secrets

_NAMES = ("anna", "ben", "carla", "deniz", "emeka", "fatima", "goran", "hana", "ivo", "jana")
_PLACES = ("example.com", "example.org", "mail.example.net")
_LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def _luhn(digits: str) -> str:
    """The digits with the check digit of Luhn."""
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if index % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return digits + str(-total % 10)


def _email(chance: random.Random) -> str:
    return f"{chance.choice(_NAMES)}.{chance.randrange(10_000)}@{chance.choice(_PLACES)}"


def _card(chance: random.Random) -> str:
    whole = _luhn("4" + "".join(chance.choices("0123456789", k=14)))
    return " ".join(whole[at : at + 4] for at in range(0, 16, 4))


def _iban(chance: random.Random) -> str:
    account = "".join(chance.choices("0123456789", k=18))
    check = 98 - int(f"{account}131400") % 97
    return f"DE{check:02}{account}"


def _phone(chance: random.Random) -> str:
    return f"+49 30 {chance.randrange(200_000, 999_999)}{chance.randrange(10, 99)}"


def _ip(chance: random.Random) -> str:
    return (
        f"203.0.113.{chance.randrange(1, 255)}"
        if chance.random() < 0.3
        else ".".join(str(chance.randrange(11, 220)) for _ in range(4))
    )


def _secret(chance: random.Random) -> str:
    return "ghp_" + "".join(chance.choices(_LETTERS, k=36))


KINDS: Mapping[str, Callable[[random.Random], str]] = {
    "email": _email,
    "card": _card,
    "iban": _iban,
    "phone": _phone,
    "ip": _ip,
    "secret": _secret,
}


def planted(kind: str, count: int, seed: int = 7) -> Sequence[str]:
    """So many different values of a kind that are found where they stand in a sentence.

    How well values are found is measured elsewhere: here it is about what becomes of those that are.
    """
    return list(islice(_found(KINDS[kind], random.Random(f"{kind}{seed}")), count))


def _found(make: Callable[[random.Random], str], chance: random.Random) -> Iterator[str]:
    known: set[str] = set()
    while True:
        value = make(chance)
        text = f"It is {value} here."
        places = [(one.start, one.end) for look in (personal_data, secrets) for one in look(text)]
        if value not in known and (6, 6 + len(value)) in places:
            known.add(value)
            yield value
