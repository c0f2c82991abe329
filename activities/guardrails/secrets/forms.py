"""Secrets that are known by their form, whatever stands around them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ..finding import Finding

_BEGIN: Final = r"(?<![A-Za-z0-9_])"
_END: Final = r"(?![A-Za-z0-9_])"
_KEYS: Final = (
    r"(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}",
    r"AIza[A-Za-z0-9_-]{35}",
    r"ya29\.[A-Za-z0-9_-]{20,}",
    r"sk-(?:proj-|svcacct-|admin-|or-v1-|ant-(?:api|admin|sid)\d\d-)?[A-Za-z0-9_-]{20,}",
    r"(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,}",
    r"whsec_[A-Za-z0-9+/=]{16,}",
    r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    r"SK[0-9a-f]{32}",
    r"key-[0-9a-zA-Z]{32}",
    r"hf_[A-Za-z0-9]{20,}",
    r"npm_[A-Za-z0-9]{30,}",
    r"pypi-AgE[A-Za-z0-9_-]{20,}",
    r"dop_v1_[a-f0-9]{32,}",
    r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}",
    r"lin_api_[A-Za-z0-9]{30,}",
    r"gsk_[A-Za-z0-9]{30,}",
    r"xai-[A-Za-z0-9]{30,}",
    r"r8_[A-Za-z0-9]{30,}",
    r"nvapi-[A-Za-z0-9_-]{30,}",
)
_TOKENS: Final = (
    r"gh[pousr]_[A-Za-z0-9]{30,}",
    r"github_pat_[A-Za-z0-9_]{22,}",
    r"gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat)-[A-Za-z0-9_-]{18,}",
    r"xox[abeoprs]-[A-Za-z0-9-]{10,}",
    r"xapp-\d-[A-Za-z0-9-]{20,}",
    r"(?:bot)?\d{8,10}:[A-Za-z0-9_-]{35}",
    r"[MNO][A-Za-z0-9_-]{22,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}",
    r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{10,}",
)
_FORM: Final = re.compile(rf"{_BEGIN}(?:(?P<api_key>{'|'.join(_KEYS)})|(?P<token>{'|'.join(_TOKENS)})){_END}")
_PRIVATE: Final = re.compile(r"-----BEGIN (?P<what>(?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?)-----")
_FEWEST_CHARS: Final = 9
_EXAMPLE: Final = re.compile(r"x{6,}|X{6,}|0{8,}|1234567|(?:YOUR|your)[_-]|EXAMPLE")
_BODY: Final = re.compile(r"[A-Za-z0-9+/=]{16,}")


def known_forms(text: str) -> Iterator[Finding]:
    """Yield what has the form of the keys and tokens of a provider."""
    for match in _FORM.finditer(text):
        # Those of examples say so: `AKIAXXXXXXXXXXXXXXXX`.
        if len(set(match[0].lower())) >= _FEWEST_CHARS and not _EXAMPLE.search(match[0]):
            yield Finding(match.lastgroup or "token", match.start(), match.end())


def private_keys(text: str) -> Iterator[Finding]:
    """Yield private keys, from their first line to their last."""
    start = 0
    while begin := _PRIVATE.search(text, start):
        last = f"-----END {begin['what']}-----"
        end = text.find(last, begin.end())
        if end < 0:
            return
        start = end + len(last)
        if _BODY.search(text, begin.end(), end):
            yield Finding("private_key", begin.start(), start)
