"""Reads what a docstring says of a function and of its parameters.

Knows the forms of Google, numpy, Sphinx and Epytext. Must not know types: a docstring's own are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import pairwise

_OF_PARAMETERS = (
    *("Args", "Arguments", "Parameters", "Params"),
    *("Keyword Args", "Keyword Arguments", "Keyword Parameters", "Other Parameters"),
)
_GOOGLE = re.compile(rf"^({'|'.join(_OF_PARAMETERS)}|Returns|Raises|Yields|Examples?|Notes?):\s*$")
_NUMPY = re.compile(
    rf"^({'|'.join(_OF_PARAMETERS)}|Returns|Yields|Receives|Raises|Warns|Warnings|See Also|Notes|References|Examples"
    r"|Attributes|Methods)\s*$"
)
_UNDERLINE = re.compile(r"^-{3,}\s*$")
_FIELD = re.compile(
    r"^\s*[:@](param|parameter|arg|argument|key|keyword|kwarg|type|raises?|except|exception|returns?|rtype|yields?|ytype)"
    r"\b([^:]*):\s*(.*)$"
)
_PARAMETER_FIELDS = frozenset({"param", "parameter", "arg", "argument", "key", "keyword", "kwarg"})
_ARGUMENT = re.compile(r"^[*`]*(\w+)`*\s*(?:\((?:[^()]|\([^()]*\))*\))?\s*:\s*(.*)$")
_NUMPY_NAMES = re.compile(r"^([*`]*\w+`*(?:\s*,\s*[*`]*\w+`*)*)\s*(?::.*)?$")


class _Place(Enum):
    """What the lines that come next are."""

    TEXT = auto()
    GOOGLE = auto()
    NUMPY = auto()
    FIELD = auto()
    ELSEWHERE = auto()


@dataclass(slots=True)
class Docstring:
    """What a docstring says."""

    text: str = ""
    """What comes before its first section or field."""
    parameters: dict[str, str] = field(default_factory=dict)
    """What it says of each parameter, on one line."""

    @classmethod
    def of(cls, doc: str, names: Collection[str]) -> Docstring:
        """Read a docstring, as `inspect.getdoc` returns it.

        Args:
            doc: The docstring.
            names: The function's parameters: such a name begins a note wherever it stands in its section.
        """
        reader = _Reader(names)
        for line, following in pairwise([*doc.splitlines(), ""]):
            reader.read(line, following)
        return cls(
            text="\n".join(reader.text).strip(),
            parameters={name: " ".join(said) for name, said in reader.notes.items() if said},
        )


class _Reader:
    """Goes through a docstring once, line by line."""

    def __init__(self, names: Collection[str]) -> None:
        self.text: list[str] = []
        self.notes: dict[str, list[str]] = {}
        self._names = names
        self._place = _Place.TEXT
        self._current: list[str] = []
        self._indent: int | None = None

    def read(self, line: str, following: str) -> None:
        """Take the next line.

        Args:
            line: The line.
            following: The one after it.
        """
        if self._begins(line, following):
            return
        if self._place is _Place.TEXT:
            self.text.append(line)
        elif not line.strip():
            # What follows a field's paragraph, and is no field, is of no parameter.
            self._current = [] if self._place is _Place.FIELD else self._current
        elif self._place is _Place.FIELD:
            self._add(line)
        elif self._place in (_Place.GOOGLE, _Place.NUMPY):
            self._in_section(line)

    def _begins(self, line: str, following: str) -> bool:
        """Return whether the line begins a section or a field, and begin it."""
        underlined = _UNDERLINE.match(following) is not None
        if found := _GOOGLE.match(line):
            self._section(_Place.GOOGLE if found[1] in _OF_PARAMETERS else _Place.ELSEWHERE)
        elif underlined and (found := _NUMPY.match(line)):
            self._section(_Place.NUMPY if found[1] in _OF_PARAMETERS else _Place.ELSEWHERE)
        elif found := _FIELD.match(line):
            self._section(_Place.FIELD)
            words = found[2].split()
            if found[1] in _PARAMETER_FIELDS and words:
                # The type, where there is one, stands before the name.
                self._note(words[-1], found[3])
        else:
            return self._place is _Place.NUMPY and _UNDERLINE.match(line) is not None
        return True

    def _section(self, place: _Place) -> None:
        self._place = place
        self._current = []
        self._indent = None

    def _in_section(self, line: str) -> None:
        indent = len(line) - len(line.lstrip())
        if self._indent is None:
            self._indent = indent
        if indent == 0 < self._indent:
            self._section(_Place.ELSEWHERE)
            return
        is_outer = indent <= self._indent
        if self._place is _Place.NUMPY:
            self._in_numpy(line, is_outer=is_outer)
            return
        found = _ARGUMENT.match(line.strip())
        if found and (is_outer or found[1] in self._names):
            self._note(found[1], found[2])
        else:
            self._add(line)

    def _in_numpy(self, line: str, *, is_outer: bool) -> None:
        if not is_outer:
            self._add(line)
            return
        found = _NUMPY_NAMES.match(line.strip())
        self._current = []
        for name in found[1].split(",") if found else ():
            self._note(name, "", alone=False)

    def _note(self, name: str, said: str, *, alone: bool = True) -> None:
        name = name.strip(" *`\\")
        self.notes[name] = []
        self._current = [name] if alone else [*self._current, name]
        self._add(said)

    def _add(self, line: str) -> None:
        for name in self._current:
            if line.strip():
                self.notes[name].append(line.strip())
