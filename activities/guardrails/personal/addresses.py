"""E-mail addresses, and addresses of machines on the internet."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from ..finding import Finding, before

_EMAIL: Final = re.compile(
    r"(?<![A-Za-z0-9.%+@:_-])[A-Za-z0-9_\u00c0-\u024f][A-Za-z0-9._%+'\u00c0-\u024f-]{0,63}@"
    r"(?:[A-Za-z0-9\u00c0-\u024f](?:[A-Za-z0-9\u00c0-\u024f-]{0,61}[A-Za-z0-9\u00c0-\u024f])?\.){1,8}"
    r"(?!(?:png|jpe?g|gif|svg|webp|pdf|css|js|ts|py|rb|go|rs|md|txt|ya?ml|json|sh|so|dll|exe|zip|gz|service|socket|timer|"
    r"target|local|localhost|internal|lan|uart)\b)[A-Za-z]{2,24}(?![A-Za-z0-9@_-])(?!:[A-Za-z0-9_~/]|\()"
)
_OF_MESSAGE: Final = re.compile(r"(?:message-id|references|in-reply-to)\s*:[^\n]*$", re.IGNORECASE)
"""What stands before the id of a message, which looks like an address."""
_IPV4: Final = re.compile(r"(?<![A-Za-z0-9_.-])(?:\d{1,3}\.){3}\d{1,3}(?![A-Za-z0-9_-]|\.\w)")
_IPV6: Final = re.compile(
    r"(?<![A-Za-z0-9_:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f]{1,4})?(?![A-Za-z0-9_:])"
)
_LARGEST_OF_SECTION: Final = 30
"""Of four numbers that are no larger it is not sure that they are an address."""
_NAMED: Final = re.compile(
    r"\bips?\b|ip[_-]?addr|addr|host|server|client|peer|dns|ping|from|remote|gateway|\bvpn", re.IGNORECASE
)
_NUMBERED: Final = re.compile(
    r"(?:\bv(?:er(?:sion)?)?\.?|\bsections?|\bsec\.|\bchapters?|\bclauses?|\bparagraphs?|\brelease|\bbuild|\bfirmware|"
    r"\babschnitt|\bkapitel|\bpunkt|\bziffer|\bbump(?:ed)?|\bupgraded? to|§|#)\s*$",
    re.IGNORECASE,
)
"""What stands before a number of a version or of a part of a document."""
_BEFORE: Final = 24
_LINE: Final = 200


def emails(text: str) -> Iterator[Finding]:
    """Yield the e-mail addresses of a text.

    Of `git@host:path` nobody is the owner.
    """
    for match in _EMAIL.finditer(text):
        is_id = _OF_MESSAGE.search(before(text, match.start(), _LINE))
        if ".." not in match[0] and ".@" not in match[0] and not is_id:
            yield Finding("email", match.start(), match.end())


def ip_addresses(text: str) -> Iterator[Finding]:
    """Yield the addresses of machines.

    But for those that every machine has for itself.
    """
    for expression in (_IPV4, _IPV6):
        for match in expression.finditer(text):
            address = _address(match[0])
            # C++ writes names in names so.
            is_word = not any(char.isdigit() for char in match[0])
            if address is None or is_word or _is_everybodys(address):
                continue
            if ":" not in match[0] and _may_be_number(match[0], before(text, match.start(), _BEFORE)):
                continue
            yield Finding("ip", match.start(), match.end())


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _is_everybodys(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    is_broadcast = str(address) == "255.255.255.255"
    return address.is_loopback or address.is_unspecified or address.is_multicast or is_broadcast


def _may_be_number(four: str, lead: str) -> bool:
    """Return whether four numbers may be those of a version or of a section."""
    if _NUMBERED.search(lead):
        return True
    return max(map(int, four.split("."))) <= _LARGEST_OF_SECTION and not _NAMED.search(lead)
