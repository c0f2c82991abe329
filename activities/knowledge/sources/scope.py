"""What the paths and patterns of an ingest cover.

The same for who lists files and for who tells what is gone. Must not list a folder.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_MAGIC: Final = ("*", "?", "[")
_FOLDERS: Final = "**"

_Part = str | re.Pattern[str] | None
"""What one name of a path has to be. None: any number of names, as `**` says."""


def is_pattern(source: str) -> bool:
    """Return whether a path is a pattern.

    What is there under this very name is none, whatever its characters.
    """
    return has_magic(source) and not os.path.lexists(source)


@dataclass(frozen=True, slots=True)
class _Source:
    """A path or a pattern, name by name."""

    parts: tuple[_Part, ...]
    base: str
    """What stands before its first part that is a pattern."""
    is_folder: bool
    """Whether it ends with a slash: no file is meant."""

    def steps(self, at: int) -> Iterable[int]:
        """Return the places where one is at a place: a `**` may stand for nothing."""
        while at < len(self.parts) and self.parts[at] is None:
            yield at
            at += 1
        yield at


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a path leads into each of the sources; false where it leads into none."""

    sources: tuple[_Source, ...]
    places: frozenset[tuple[int, int]]
    """Number of a source, and how many of its parts the path has, by its last name."""
    passing: frozenset[tuple[int, int]] = frozenset()
    """The same, where the last name was passed through by a `**`, or stands below what a source names."""

    def __bool__(self) -> bool:
        return bool(self.places or self.passing)

    @property
    def has_file(self) -> bool:
        """Whether a file there is one of the sources'."""
        ended = (self.sources[number] for number, at in self.places if at == len(self.sources[number].parts))
        return self.is_below or any(not source.is_folder for source in ended)

    @property
    def is_below(self) -> bool:
        """Whether it stands below what a source names."""
        return any(at == len(self.sources[number].parts) for number, at in self.passing)

    @property
    def is_named(self) -> bool:
        """Whether a source names it, and so all that stands below it."""
        return any(at == len(self.sources[number].parts) for number, at in self.places)

    @property
    def by_name(self) -> Reached:
        """The same without what was only passed through."""
        return Reached(self.sources, self.places)

    def below(self, name: str) -> Reached:
        """Return how far a name below this one leads. Hidden ones have to be named."""
        places: set[tuple[int, int]] = set()
        passing: set[tuple[int, int]] = set()
        for number, at in self.places | self.passing:
            source = self.sources[number]
            part = source.parts[at] if at < len(source.parts) else None
            if part is None:
                if not name.startswith("."):
                    passing.update((number, step) for step in source.steps(at))
            elif part == name if isinstance(part, str) else part.match(name):
                places.update((number, step) for step in source.steps(at + 1))
        return Reached(self.sources, frozenset(places), frozenset(passing))


class SourceScope:
    """What several sources cover together.

    Args:
        sources: Absolute paths of files and folders, and patterns.
        is_shaped: Tells patterns from names. Default: by what is on this machine, too.
    """

    def __init__(self, sources: Iterable[str], is_shaped: Callable[[str], bool] = is_pattern) -> None:
        self._sources = tuple(_parsed(source, is_shaped(source)) for source in sources)

    @property
    def tops(self) -> list[str]:
        """Where to look for what they cover: none of these is within another."""
        bases = {source.base for source in self._sources}
        return [base for base in bases if not any(base != other and is_within(base, other) for other in bases)]

    def at(self, path: str) -> Reached:
        """Return how far a path leads into the sources."""
        starts = ((number, step) for number, source in enumerate(self._sources) for step in source.steps(0))
        reached = Reached(self._sources, frozenset(starts))
        for name in filter(None, path.split("/")):
            reached = reached.below(name)
        return reached


def is_within(path: str, folder: str) -> bool:
    """Return whether a path stands below a folder."""
    return path.startswith(folder.rstrip("/") + "/")


@lru_cache(1_000)
def _parsed(source: str, has_patterns: bool) -> _Source:
    names = [name for name in os.path.normpath(source).split("/") if name]
    parts = tuple(_part(name) if has_patterns else name for name in names)
    known = next((number for number, part in enumerate(parts) if not isinstance(part, str)), len(parts))
    return _Source(parts, "/" + "/".join(names[:known]), source.endswith("/"))


def _part(name: str) -> _Part:
    if name == _FOLDERS:
        return None
    if not has_magic(name):
        return name
    # As in a shell, what is hidden has to be meant.
    return re.compile(("" if name.startswith(".") else r"(?!\.)") + fnmatch.translate(name))


def has_magic(text: str) -> bool:
    """Return whether a name has a character of patterns."""
    return any(mark in text for mark in _MAGIC)
