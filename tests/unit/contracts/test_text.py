"""Secrets are taken out of texts, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from sostenuto.contracts.text import redacted


@pytest.mark.parametrize(
    ("secrets", "text"),
    [
        (["sk-planted-secret"], "the key [redacted] is refused: [redacted]"),
        (["k"], "the key sk-planted-secret is refused: sk-planted-secret"),
        (["refused"], "the key sk-planted-secret is refused: sk-planted-secret"),
        (["planted-secret", "sk-planted-secret"], "the key [redacted] is refused: [redacted]"),
        ([""], "the key sk-planted-secret is refused: sk-planted-secret"),
        ([], "the key sk-planted-secret is refused: sk-planted-secret"),
    ],
)
def test_a_secret_is_taken_out_where_it_is_long_enough_to_be_one(secrets: list[str], text: str) -> None:
    assert redacted("the key sk-planted-secret is refused: sk-planted-secret", secrets) == text


@pytest.mark.parametrize("quoted", [str, repr, ascii, json.dumps, lambda text: repr(text.encode())])
def test_a_secret_is_found_as_errors_quote_it(quoted: Callable[[str], str]) -> None:
    secret = "sk-1\"\n'\\\x00é-SECRET"
    assert "SECRET" not in redacted(f"Illegal header value {quoted(secret)}: no", [secret])
