"""Secrets that are known by what stands before them: a name, a header, a user."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import log2
from typing import Final

from ..finding import Finding

_NAME: Final = (
    r"(?:(?:[A-Za-z0-9]+[_.-]){0,6}?|PG|MYSQL_?|DB)(?P<name>pass(?:word|wd|phrase)?|pwd|secret(?:[_-]?(?:access[_-]?)?key)?|api[_-]?key|"
    r"access[_-]?key|account[_-]?key|private[_-]?key|auth[_-]?token|access[_-]?token|refresh[_-]?token|token|"
    r"client[_-]?secret|signing[_-]?key|encryption[_-]?key|credentials?|passwort|kennwort|mot[_ -]?de[_ -]?passe|"
    r"contrase(?:ñ|n)a|パスワード|senha|has[łl]o)"
    r"(?![_-]?(?:id|name|type|count|length|len|url|uri|file|path|policy|hash|expir\w*|ttl|env|ref|hint|rules?|min|max|age|"
    r"field|label|error|reset|s?_?used|limit)\b)(?:[_-]?[A-Za-z0-9]{1,12})?"
)
_NAMED: Final = rf"(?<![A-Za-z0-9]){_NAME}[\"'`]?\s{{0,3}}"
_ASSIGNED: Final = re.compile(
    rf"{_NAMED}(?:=>|:=|==?|[:\uff1a>])\s{{0,3}}(?P<quote>[\"'`]?)"
    rf"(?P<value>[^\s\"'`,;<>(){{}}]{{4,400}})",
    re.IGNORECASE,
)
_QUOTED: Final = re.compile(
    rf"{_NAMED}(?:=>|:=|==?|[:\uff1a])\s{{0,3}}(?P<quote>[\"'])(?P<value>[^\"'\n]{{4,200}})(?P=quote)",
    re.IGNORECASE,
)
_WORDS: Final = "password|passphrase|passwort|kennwort|mot de passe|contrase(?:ñ|n)a|パスワード|senha"
"""What people call a password."""
_SAID: Final = re.compile(
    rf"(?:{_WORDS}|passcode|pwd)"
    r"[^.@/\n]{0,24}?"
    r"(?:\bis\b|\bto\b|\bist\b|\blautet\b|\best\b|\bes\b|は|を|[:\uff1a])\s{0,2}[\"'`«「]?(?P<value>[^\s\"'`»」。、,]{6,80})",
    re.IGNORECASE,
)
_HEADER: Final = re.compile(
    r"(?:authorization\s{0,2}[:=]\s{0,2}[\"']?(?:bearer|basic|token|bot)|\bbearer)\s{1,3}(?P<value>[A-Za-z0-9._~+/=-]{12,2000})",
    re.IGNORECASE,
)
_URL: Final = re.compile(
    r"(?<![A-Za-z0-9])[a-z][a-z0-9+.-]{1,20}://(?P<user>[^\s:/@\"'<>]{0,80}):(?P<value>[^\s/\"'<>]{1,200}?)@[^\s\"'<>)\]]{1,300}",
    re.IGNORECASE,
)
_USER: Final = re.compile(r"(?:\s-u|--user)[\s=]{1,2}[\"']?[A-Za-z0-9._@-]{1,60}:(?P<value>[^\s\"']{4,100})")
_SQL: Final = re.compile(r"\bidentified\s+by\s+['\"](?P<value>[^'\"\n]{4,100})['\"]", re.IGNORECASE)
_OPTION: Final = re.compile(r"(?:-pass(?:in|out)\s+pass:|-p(?=[^\s-]*\d))(?P<value>[^\s\"']{6,100})")
_BESIDE: Final = re.compile(
    rf"(?:{_WORDS})"
    r"[\s:\uff1a]{1,3}[\"'`«「]?"
    r"(?P<value>(?=[^\s]{0,40}\d)(?=[^\s]{0,40}[A-Za-z])[^\s\"'`»」。、,]{8,60})|"
    r"\b(?P<before>(?=\S{0,40}\d)[A-Za-z][^\s\"'`,]{7,40})\s{1,2}(?:as|for) (?:the|your|my) "
    r"(?:new |temporary )?password",
    re.IGNORECASE,
)
_NEAR: Final = re.compile(
    r"(?:api|access|app|secret|signing|client|private)?[\s_-]?(?:key|secret|token|credential|clé|schl[uü]ssel|clave|キー|トークン)"
    r"[^\n]{0,80}?(?<![A-Za-z0-9+/_~.-])(?P<value>[A-Za-z0-9+/_~.-]{24,200}={0,2})(?![A-Za-z0-9+/_~-])",
    re.IGNORECASE,
)
"""A name of a key, and not far behind it what looks like one."""
_NETRC: Final = re.compile(r"\blogin\s+\S{1,60}\s+password\s+(?P<value>\S{4,100})")
_PLACEHOLDER: Final = re.compile(
    r"^(?:\$|%|<|\{|\[|@|&|\*|#\{|\\|/|\.\.\.|…)|\*{3}|x{4,}|\.{3}|…|^(?:your|my|the|some|an?|new|old|example|sample|dummy|fake|"
    r"test|foo|bar|change|replace|insert|enter|redact|remove|none|null|nil|true|false|undefined|string|str|text|password|"
    r"passwd|secret|token|process|env|os|config|settings?|self|this|request|req|user|args|params|options|data|get|input|"
    r"var|vars|local|module|context|secrets|vault|required|optional|must|should|at|from|for|not|is|in|and|or)"
    r"(?:$|[_.:\[(\s-])|change-?me|placeholder|(?-i:^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$)|^(?:sha\d+|md5|arn|urn|uuid)[:-]|^pk_|:secret:",
    re.IGNORECASE,
)
_CODE: Final = re.compile(r"^[A-Za-z_]+\d?(?:\.[A-Za-z_]+)+$|\(|\)|^[A-Za-z_]+\[|=>|->|::")
_KEY_LIKE: Final = re.compile(r"key|token|secret|credential", re.IGNORECASE)
_TRAILING: Final = ".,;:!?)]}'\"`"
_BITS_OF_KEY: Final = 3.9
_NO_KEY: Final = re.compile(
    r"^[0-9a-f-]{8,}$|^p[kub]{1,2}_|^MI[GI]|\.whl$|-any$|^sha\d|/.*/.*\.|^[A-Za-z]+([._/-][A-Za-z]+)+\d*$|"
    r"\.(?:com|org|net|io|example|json|ya?ml|py|js|ts|md)\b",
    re.IGNORECASE,
)
"""A digest, a path or a name."""
_LEAST_BITS: Final = 3.0
"""Bits of each character: of a key, more than of a word."""


def named_secrets(text: str) -> Iterator[Finding]:
    """Yield what a name, a header or an option says to be a secret."""
    yield from _assigned(text)
    for match in _HEADER.finditer(text):
        yield from _checked(match, "token")
    for expression in (_USER, _NETRC, _SQL, _OPTION):
        for match in expression.finditer(text):
            yield from _checked(match, "password")
    for match in _NEAR.finditer(text):
        value = match["value"]
        is_key = _bits(value) >= _BITS_OF_KEY and any(char.isdigit() for char in value)
        if is_key and not _NO_KEY.search(value):
            yield from _checked(match, "key")
    yield from _said(text)


def _assigned(text: str) -> Iterator[Finding]:
    for match in _QUOTED.finditer(text):
        yield from _checked(match, match["name"])
    for match in _ASSIGNED.finditer(text):
        # What is quoted may have blanks in it: then it is the other one's.
        if not match["quote"] or text.startswith(match["quote"], match.end()):
            yield from _checked(match, match["name"])


def _said(text: str) -> Iterator[Finding]:
    for match in _BESIDE.finditer(text):
        yield from _checked(match, "password", "before" if match["before"] else "value")
    for match in _SAID.finditer(text):
        value = match["value"].rstrip(_TRAILING)
        # In prose a password that is a plain word may be any word.
        if any(char.isdigit() or not char.isalnum() for char in value):
            yield from _checked(match, "password")


def connection_strings(text: str) -> Iterator[Finding]:
    """Yield addresses with a password in them."""
    for match in _URL.finditer(text):
        if not _PLACEHOLDER.search(match["value"]):
            yield Finding("connection_string", match.start(), match.start() + len(match[0].rstrip(_TRAILING)))


def _checked(match: re.Match[str], name: str, group: str = "value") -> Iterator[Finding]:
    value = match[group].rstrip(_TRAILING)
    if " " in value and not any(char.isdigit() for char in value):
        return
    if len(value) < 4 or _PLACEHOLDER.search(value) or _CODE.search(value):
        return
    is_key = bool(_KEY_LIKE.search(name))
    if is_key and (len(value) < 12 or _bits(value) < _LEAST_BITS or not _is_mixed(value)):
        return
    kind = "api_key" if is_key else "password"
    start = match.start(group)
    yield Finding(kind, start, start + len(value))


def _bits(text: str) -> float:
    """Return the entropy of a text, in bits for each of its characters."""
    counts = [text.count(char) / len(text) for char in set(text)]
    return -sum(part * log2(part) for part in counts)


def _is_mixed(text: str) -> bool:
    """Return whether a text is no word, nor several."""
    return any(char.isdigit() for char in text) or (text != text.lower() and text != text.upper() and "-" not in text)
