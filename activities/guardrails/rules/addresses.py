"""Addresses in texts that lead where they may not.

A text may be shown by programs that see links where others see none, so whatever one of them could follow is one.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from typing import Final

from .hosts import AllowedHost, behind_host, hosts_of

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
_BEFORE_PATH: Final = re.compile(r"[^\s<>]{0,1000}")
_WHOLE: Final = re.compile(rf"[^\s<>]{{0,{_MOST}}}")
_END: Final = re.compile(r"[^\s<>\"`)\]}|]*")
_TARGET: Final = re.compile(
    # Of a link or an image in Markdown, and of one that is named elsewhere.
    r"(?:\]\(\s{0,9}|^[ ]{0,3}\[[^\]\n]{1,200}\]:[ \t]{0,9})"
    r"(?:<(?P<angle>[^<>]{1,2000})|(?P<plain>[^\s)]{1,2000}))"
    # Of an attribute in HTML.
    r"|(?<![\w-])(?:xlink:)?(?:href|src|srcset|action|formaction|poster|background|data|cite|ping)\s{0,9}=\s{0,9}"
    r"(?:\"(?P<double>[^\"]{1,2000})|'(?P<single>[^']{1,2000})|(?P<bare>[^\s>\"']{1,2000}))",
    re.IGNORECASE | re.MULTILINE,
)
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_OF_HOSTS: Final = re.compile(r"https?|wss?|ftps?|file", re.IGNORECASE)
_NO_ADDRESSES: Final = frozenset(("mailto", "tel", "sms"))
_ESCAPED: Final = re.compile(r"\\([!-/:-@\[-`{-~])")
_LEFT_OUT: Final = re.compile(r"[\t\r\n]")
_CONTROLS: Final = "".join(map(chr, range(0x21)))


def unlisted_addresses(text: str, allowed: Sequence[AllowedHost]) -> Iterator[tuple[int, int, str]]:
    """Yield the addresses that lead elsewhere than to some hosts.

    Each with its start, its end and what is wrong with it. Those within other addresses too. In no
    order, and some may overlap.
    """
    yield from _in_text(text, allowed)
    for found in _TARGET.finditer(text):
        group = found.lastgroup or "plain"
        for reason in _of_target(found[group], allowed):
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
    return _elsewhere(found[0], allowed) if found and found[0].strip("./\\") else ""


def _elsewhere(behind_scheme: str, allowed: Sequence[AllowedHost]) -> str:
    path = behind_host(behind_scheme)
    is_cut = len(behind_scheme) >= _MOST
    for host in hosts_of(behind_scheme):
        if not host or not any(one.covers(host, path) and not (one.path and is_cut) for one in allowed):
            return OTHER_HOST
    return ""


def _of_target(target: str, allowed: Sequence[AllowedHost]) -> Iterator[str]:
    """Yield what is wrong with the target of a link."""
    # Markdown leaves backslashes out, HTML does not; in `srcset` there are several.
    for written in {target, _ESCAPED.sub(r"\1", target), *target.split()}:
        plain = _LEFT_OUT.sub("", html.unescape(written)).strip(_CONTROLS)
        scheme = _SCHEME.match(plain)
        if scheme and not _OF_HOSTS.fullmatch(scheme[1]):
            behind = plain[scheme.end() :]
            is_other = scheme[1].lower() in _CODE or not behind.startswith("//")
            if scheme[1].lower() not in _NO_ADDRESSES and is_other:
                yield NO_HOST
        elif scheme or re.match(r"[/\\]{2}", plain):
            behind = plain[scheme.end() if scheme else 0 :].lstrip("/\\")
            if reason := _elsewhere(behind, allowed):
                yield reason


_CODE: Final = frozenset(("javascript", "vbscript", "data"))
