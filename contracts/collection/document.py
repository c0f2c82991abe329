"""A document as a loader gives it back."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from ..contract import brief
from ..errors import SpecError
from ..text import shorten

PATH_SEPARATOR: Final = " > "
"""Stands between the headings of a path."""

Form = Literal["text", "markdown", "code"]
"""What the text of a document is written in."""

MAX_TITLE_CHARS: Final = 500
"""Longest title of a document that is kept."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document's text, without what only its format needed.

    It is cut into passages by its form: Markdown at its headings, code at its blank lines.
    """

    text: str
    form: Form = "text"
    title: str = ""
    """Cut at `MAX_TITLE_CHARS`: it goes along with every passage that is found."""
    pages: tuple[int, ...] = ()
    """Offset in `text` at which each page or slide begins, in characters. Empty where it has none."""

    def __post_init__(self) -> None:
        title: object = self.title
        if isinstance(title, str) and len(title) > MAX_TITLE_CHARS:
            object.__setattr__(self, "title", shorten(title, MAX_TITLE_CHARS))


Loader = Callable[[bytes, str], "Document | str | Awaitable[Document | str]"]
"""A loader of one's own: a named function of a document's bytes and its address. A text is taken for plain text. It
raises `ValueError` with the reason where it cannot read one."""


def named_loaders(given: Mapping[str, Loader] | None, where: str) -> dict[str, Loader]:
    """Return loaders by the suffix of the files that they are for.

    Raises:
        SpecError: A suffix is none, or its loader is no function with a name.
    """
    if not isinstance(given, Mapping | None):
        raise SpecError(f"{where}: {brief(given)} is not a dict of functions by suffix: write {{'.eml': read_mail}}")
    loaders = dict(given or {})
    for suffix, loader in loaders.items():
        if not str(suffix).startswith(".") or suffix != suffix.lower() or "/" in suffix:
            raise SpecError(f"{where}: {suffix!r} is not the suffix of files: write it as '.eml', in lower case")
        name = getattr(loader, "__name__", "")
        if inspect.isclass(loader) or not name or name == "<lambda>":
            raise SpecError(f"{where}[{suffix!r}]: {brief(loader)} is not a loader: pass a function that has a name")
    by_name: dict[str, Loader] = {}
    for suffix, loader in loaders.items():
        if by_name.setdefault(loader.__name__, loader) is not loader:
            raise SpecError(
                f"{where}[{suffix!r}]: there is already another loader named {loader.__name__!r}: rename one"
            )
    return loaders
