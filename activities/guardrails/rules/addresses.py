"""Addresses in texts that lead where they may not.

A text may be shown by programs that see links where others see none, so whatever one of them could follow is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from .hosts import AllowedHost, behind_host, hosts_of
from .readings import readings

OTHER_HOST: Final = "it leads to a host, or a path of it, that is not among those allowed"
NO_HOST: Final = "it leads to a script, to data or to something else that has no host"
_START: Final = re.compile(
    r"(?P<code>(?<![a-z0-9])(?:(?:java|vb)script:(?=\S)|data:(?=[;,]|[\w.+-]{1,60}/[\w.+-]{1,60}[;,])))"
    r"|(?:https?|wss?|ftps?|file):[/\\]+"
    r"|[a-z][a-z0-9+.-]{0,30}://"
    # Without a scheme only where it is a host: it may also be the slashes of a comment.
    r"|(?<![\w:/\\.])//(?=(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,63})"
    r"|(?<![a-z0-9.-])(?=www\d{0,3}\.\w)",
    re.IGNORECASE,
)
_MOST: Final = 3_000
"""Most characters of an address that are looked at. One that has to be in a folder may not have more."""
_BEFORE_PATH: Final = re.compile(r"[^\s<>]{0,1000}")
_WHOLE: Final = re.compile(rf"[^\s<>]{{0,{_MOST}}}")
_END: Final = re.compile(r"[^\s<>\"`)\]}|]*")
_TARGET: Final = re.compile(
    # Of a link or an image in Markdown.
    r"\]\(\s{0,9}(?:<(?P<angle>[^<>]{1,3000})|(?P<plain>[^\s)]{1,3000}))"
    # Of an attribute in HTML.
    r"|(?<![\w-])(?:xlink:)?(?:href|src|srcset|action|formaction|poster|background|data|cite|ping)\s{0,9}=\s{0,9}"
    r"(?:\"(?P<double>[^\"]{1,3000})|'(?P<single>[^']{1,3000})|(?P<bare>[^\s>\"']{1,3000}))"
    # Of what may be a link that is named elsewhere, or be in a style sheet.
    r"|(?:\[[^\]\n]{1,200}\]:|(?<![\w-])url\s{0,9}[(=])\s{0,9}"
    r"(?:<(?P<named>[^<>]{1,3000})|[\"']?(?P<maybe>[^\s>)\"']{1,3000}))",
    re.IGNORECASE,
)
_UNSURE: Final = frozenset(("maybe", "named"))
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_NO_NAME: Final = frozenset(("", "/", "\\", "?", "#"))
"""What stands behind the slashes of an address without a host."""
_OF_HOSTS: Final = frozenset(("http", "https", "ws", "wss", "ftp", "ftps", "file"))
_OF_CODE: Final = frozenset(("javascript", "vbscript", "data"))
_OF_PEOPLE: Final = frozenset(("mailto", "tel", "sms"))
_SLASHES: Final = re.compile(r"[/\\]{2,}")
_LEFT_OUT: Final = re.compile(r"[\t\r\n]")
_CONTROLS: Final = "".join(map(chr, range(0x21)))


def unlisted_addresses(text: str, allowed: Sequence[AllowedHost]) -> Iterator[tuple[int, int, str]]:
    """Yield the addresses that lead elsewhere than to some hosts.

    Each with its start, its end and what is wrong with it. Those within other addresses too. In no order, and some may
    overlap.
    """
    for shown in readings(text):
        for start, end, reason in (*_in_text(shown.text, allowed), *_in_links(shown.text, allowed)):
            yield shown.written_at(start), shown.written_at(end), reason


def _in_links(text: str, allowed: Sequence[AllowedHost]) -> Iterator[tuple[int, int, str]]:
    for found in _TARGET.finditer(text):
        group = found.lastgroup or "plain"
        # An attribute may have several.
        for target in dict.fromkeys((found[group], *found[group].split())):
            if reason := _of_target(target, allowed, is_sure=group not in _UNSURE):
                yield (*found.span(group), reason)
                break


def _in_text(text: str, allowed: Sequence[AllowedHost]) -> Iterator[tuple[int, int, str]]:
    end = 0
    for found in _START.finditer(text):
        # Of what is within one that was found nothing more need be said.
        if found.start() < end:
            continue
        reason = NO_HOST if found["code"] else _of_host(text, found.end(), allowed)
        if reason:
            whole = _END.match(text, found.end())
            end = whole.end() if whole else found.end()
            yield found.start(), end, reason


def _of_host(text: str, start: int, allowed: Sequence[AllowedHost]) -> str:
    """Return what is wrong with an address, by its host; empty if nothing is."""
    # Its path is looked at only where it matters: it may be as long as the text.
    expression = _WHOLE if any(one.path for one in allowed) else _BEFORE_PATH
    found = expression.match(text, start)
    has_host = found and found[0].lstrip(".")[:1] not in _NO_NAME
    return _elsewhere(found[0], allowed, is_cut=len(found[0]) >= _MOST) if found and has_host else ""


def _elsewhere(behind_scheme: str, allowed: Sequence[AllowedHost], *, is_cut: bool) -> str:
    path = behind_host(behind_scheme)
    for host in hosts_of(behind_scheme):
        if not host or not any(one.covers(host, path) and not (one.path and is_cut) for one in allowed):
            return OTHER_HOST
    return ""


def _of_target(target: str, allowed: Sequence[AllowedHost], *, is_sure: bool) -> str:
    """Return what is wrong with the target of a link; empty if nothing is.

    Args:
        target: What it is.
        allowed: Where it may lead.
        is_sure: Whether it is certainly one.
    """
    plain = _LEFT_OUT.sub("", target).strip(_CONTROLS)
    found = _SCHEME.match(plain)
    scheme = found[1].lower() if found else ""
    behind = plain[found.end() :] if found else plain
    if scheme in _OF_CODE:
        return NO_HOST
    if scheme in _OF_HOSTS or _SLASHES.match(behind):
        return _elsewhere(behind.lstrip("/\\"), allowed, is_cut=len(target) >= _MOST)
    return NO_HOST if scheme and is_sure and scheme not in _OF_PEOPLE else ""
