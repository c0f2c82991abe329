"""Secrets in texts, and what only looks like them."""

from __future__ import annotations

import pytest

from sostenuto.activities.guardrails.secrets.secrets import secrets
from tests.unit.activities.guardrails.lengths import takes_no_longer_than_its_length

# In two parts, so that nobody takes this file for a leak.
GITHUB = "ghp_" + "a9Kd83hGq2LmZx7TnB4vWc6YpR1sUe5J0oHf"
STRIPE = "sk_" + "live_51HbTq9KwZr3Xv8LmNp2QsYd"
AWS = "AKIA" + "6QEOFJZRFR45AQZE"
JWT = "eyJ" + "hbGciOiJIUzI1NiJ9.eyJ" + "zdWIiOiI0MiIsIm4iOiJBIn0.b3s8Jk2Lq9Zx7TnB4vWc"
HIGH = "x8Kd83hGq2LmZx7TnB4vWc6YpR1sUe5J"
PEM = (
    "-----BEGIN EC PRIVATE "
    + "KEY-----\nMHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04fSeQ6tF1aY\n-----END EC PRIVATE "
    + "KEY-----"
)


def found(text: str) -> list[tuple[str, str]]:
    return [(one.kind, text[one.start : one.end]) for one in secrets(text)]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        (f"remote: {GITHUB} expired", "token", GITHUB),
        (f"STRIPE={STRIPE}", "api_key", STRIPE),
        (f"aws_access_key_id = {AWS}", "api_key", AWS),
        (f"Cookie: session={JWT};", "token", JWT),
        (f'api_key: "{HIGH}"', "api_key", HIGH),
        (f"here is the API key for the sandbox: {HIGH} - go on", "api_key", HIGH),
        (f"curl -H 'Authorization: Bearer {HIGH}'", "api_key", HIGH),
        ("postgres://app:h4z3l-nut@db.example/shop", "connection_string", "postgres://app:h4z3l-nut@db.example/shop"),
        ("PGPASSWORD=H*+uQ!F2ag pg_dump", "password", "H*+uQ!F2ag"),
        ('{"password": "Tulip.pickle9949"}', "password", "Tulip.pickle9949"),
        ("curl -u anna:Tulip.pickle9949 https://host.example", "password", "Tulip.pickle9949"),
        ("The password is turnip80Glacier, change it.", "password", "turnip80Glacier"),
        ("IDENTIFIED BY 'N2hs_O!ZzG'", "password", "N2hs_O!ZzG"),
        (f"key:\n{PEM}\n", "private_key", PEM),
    ],
)
def test_what_is_found(text: str, kind: str, value: str) -> None:
    assert found(text) == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "API_KEY=YOUR_API_KEY",
        "password: ${DB_PASSWORD}",
        "password = os.environ['PASSWORD']",
        "token: <token>",
        "api_key = xxxxxxxxxxxxxxxxxxxxxxxx",
        "aws_access_key_id = AKIAXXXXXXXXXXXXXXXX",
        "postgres://user:${PASSWORD}@db/shop",
        "https://host.example:8443/path@2x",
        "commit 4f0fa0d49c5962c9048e975afda6a14f0fa0d49c",
        "request 4f0fa0d4-9c59-462c-9048-e975afda6a14",
        "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----",
        "-----BEGIN PRIVATE " + "KEY-----\n[REDACTED]\n-----END PRIVATE " + "KEY-----",
        'errors.password = "Passwords do not match"',
        "A password must have 12 characters and a digit.",
        "if (password === confirmPassword) {",
        "",
    ],
)
def test_what_only_looks_like_it(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "part", ["key ", "password:", "a://b:", "-----BEGIN PRIVATE KEY-----", "eyJ", "a1B2_", "sk-", "token="]
)
def test_hostile_texts_take_no_longer_than_their_length(part: str) -> None:
    assert takes_no_longer_than_its_length(secrets, part)
