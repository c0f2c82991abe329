"""Hosts as browsers read them, and whether they are among some."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from ....contracts.errors import SetupError

LONGEST: Final = 1_000
"""Most characters before the path of an address. Nobody needs so many."""
_MOST_OF_HOST: Final = 300
_TO_BROWSERS: Final = re.compile(rf"[^/?#\\]{{0,{LONGEST}}}")
_TO_OTHERS: Final = re.compile(rf"[^/?#]{{0,{LONGEST}}}")
_TRAILING: Final = ".,;:!?'\")]}*_~>|`、。」』】》”\u2019»"
_PLAIN: Final = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_PORT: Final = re.compile(r":\d{0,5}$", re.ASCII)
_ODD: Final = re.compile(r"[^\w.-]")
_LAST_LABEL: Final = re.compile(r"[\w-]+")
_UNSEEN: Final = re.compile(
    "[\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
"""What browsers leave out of a host."""
_UP: Final = re.compile(r"(?:^|/)(?:\.|%2e){2}(?![\w.%-])|%2f|%5c", re.IGNORECASE)
"""What may lead out of a folder."""


@dataclass(frozen=True, slots=True)
class AllowedHost:
    """A host to which addresses may lead."""

    host: str
    """Its name as it goes over the wire."""
    below: bool
    """Whether it is all hosts below this one that are meant."""
    path: str
    """What the path has to begin with. Empty: it may be any."""

    def covers(self, host: str, path: str) -> bool:
        """Return whether an address is among those that are meant."""
        is_it = host.endswith(f".{self.host}") if self.below else host == self.host
        return is_it and (not self.path or _is_under(path, self.path))


def allowed_host(pattern: str) -> AllowedHost:
    """Return the host that is meant by a pattern such as `*.example.com`.

    Raises:
        ValueError: It is none.
        SetupError: The library that reads it is not installed.
    """
    host, slash, path = pattern.partition("/")
    name = host.removeprefix("*.")
    known = _on_the_wire(name)
    if not known:
        raise ValueError(f"{name!r} is no name of a host")
    return AllowedHost(known, host != name, (slash + path).rstrip("/"))


def hosts_of(behind_scheme: str) -> Iterator[str]:
    """Yield the host of an address.

    Hosts, where one program reads it otherwise than another. Empty where it cannot be read, or there is none.

    Args:
        behind_scheme: What stands behind the slashes.
    """
    of_browsers = _match(_TO_BROWSERS, behind_scheme)
    of_others = _match(_TO_OTHERS, behind_scheme)
    yield _read(of_browsers)
    if "@" in of_others[len(of_browsers) :]:
        yield _read(of_others)


def behind_host(behind_scheme: str) -> str:
    """Return what stands behind the host of an address, as browsers read it."""
    return behind_scheme[len(_match(_TO_BROWSERS, behind_scheme)) :]


def _match(expression: re.Pattern[str], text: str) -> str:
    found = expression.match(text)
    return found[0] if found else ""


def _read(before_path: str) -> str:
    """Return the name of a host as it goes over the wire.

    What stands behind it in a text may belong to it or not. Browsers take almost any character in a name, but there is
    no last part of one with any but letters, digits and hyphens: where that has none, all of it counts.
    """
    host = _UNSEEN.sub("", before_path.rpartition("@")[2])
    if len(before_path) >= LONGEST or len(host) >= _MOST_OF_HOST:
        return ""
    host = unicodedata.normalize("NFKC", host).replace("。", ".")
    host = _PORT.sub("", host.rstrip(_TRAILING))
    if "." in host and _LAST_LABEL.fullmatch(host.rpartition(".")[2]):
        return _on_the_wire(host)
    return _on_the_wire(_ODD.split(host, maxsplit=1)[0])


@lru_cache(maxsize=1024)
def _on_the_wire(host: str) -> str:
    """Return a host in small ASCII letters; empty where it is none."""
    low = host.lower().rstrip(".")
    if len(low) >= _MOST_OF_HOST or not low.isascii():
        return _encoded(low)
    return low if _PLAIN.fullmatch(low) else ""


def _encoded(host: str) -> str:
    idna: Any
    try:
        import idna  # noqa: PLC0415 - only for workers with such rules
    except ImportError as error:
        raise SetupError(f"hosts need the package idna ({error}): pip install 'sostenuto[guardrails]'") from None
    try:
        written: str = idna.encode(host, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return ""
    return written


def _is_under(path: str, folder: str) -> bool:
    plain = re.split(r"[?#]", path.replace("\\/", "/").replace("\\", "/"), maxsplit=1)[0]
    if _UP.search(plain):
        return False
    plain = plain.rstrip(_TRAILING)
    return plain == folder or plain.startswith(f"{folder}/")
