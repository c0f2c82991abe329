"""An answer with numbered footnotes: what it rests on, for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Collection as Group
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic_core import to_json, to_jsonable_python

from ...contracts.collection.citation import Attribution, Citation, Cited
from ...contracts.collection.document import PATH_SEPARATOR
from ...contracts.text import one_line
from .terminal import harmless

_CLAIM_CHARS = 200
_PLACE_CHARS = 200
_QUOTE_CHARS = 300
_INDENT = " " * 4
_CITED = frozenset(Cited.model_fields)
_BY_SIMILARITY = "Found by closeness in meaning: the model did not name its sources."


def with_notes(output: Any, citations: Sequence[Citation], *, width: int = 0) -> str:
    """Return what a run came to, with what it rests on below it.

    An answer that cites is its words, with the further fields of its class as JSON; any other object is JSON.

    Args:
        output: That, as a text, a value of the output type, or JSON where the type is not known.
        citations: What it rests on, also where an earlier step said so.
        width: Columns to break the lines at; 0 leaves them whole, and a text that cites nothing as it is to the letter.
    """
    if isinstance(output, str):
        return with_footnotes(output, citations, width=width) if citations or width else output
    plain = to_jsonable_python(output, fallback=str)
    fields = plain if isinstance(plain, Mapping) else {}
    answer = fields.get("answer")
    if not isinstance(answer, str) or not (citations or isinstance(fields.get("claims"), list)):
        # Numbers in the middle of it would make it another JSON.
        return harmless("\n".join([_json(plain), *_notes(citations, frozenset(), width)]))
    more = {name: value for name, value in fields.items() if name not in _CITED}
    return with_footnotes(answer, citations, width=width, more=_json(more) if more else "")


def with_footnotes(answer: str, citations: Sequence[Citation], *, width: int = 0, more: str = "") -> str:
    """Return an answer with what it rests on below it.

    The number of a footnote stands behind the words that it is about, or these stand in the footnote where the answer
    puts them otherwise.

    Args:
        answer: The answer.
        citations: What its claims rest on.
        width: Columns to break the lines at; 0 leaves them whole.
        more: What stands between the answer and the footnotes.
    """
    marked, in_text = _marked(answer, citations)
    paragraphs = marked.splitlines() or [""]
    lines = [broken for line in paragraphs for broken in _broken(line, width)]
    lines += ["", more] if more else []
    return harmless("\n".join([*lines, *_notes(citations, in_text, width)]))


def footnotes(citations: Sequence[Citation]) -> str:
    """Return what stands below an answer that was shown already."""
    return harmless("\n".join(_notes(citations, frozenset(), 0)))


def _notes(citations: Sequence[Citation], in_text: Group[int], width: int) -> Iterator[str]:
    for number, citation in enumerate(citations, 1):
        yield from ("", *_note(number, citation, width, with_claim=number not in in_text))
    if any(citation.attribution is Attribution.SIMILARITY for citation in citations):
        yield from ("", *_broken(_BY_SIMILARITY, width))


def _json(value: Any) -> str:
    return to_json(value, indent=2).decode()


def _marked(answer: str, citations: Sequence[Citation]) -> tuple[str, set[int]]:
    """Return the answer with the numbers of footnotes in it, and which ones those are."""
    by_claim: dict[str, list[int]] = {}
    for number, citation in enumerate(citations, 1):
        by_claim.setdefault(citation.claim, []).append(number)
    ends = {
        answer.index(claim) + len(claim): numbers for claim, numbers in by_claim.items() if claim and claim in answer
    }
    for end in sorted(ends, reverse=True):
        answer = f"{answer[:end]} {''.join(f'[{number}]' for number in ends[end])}{answer[end:]}"
    return answer, {number for numbers in ends.values() for number in numbers}


def _note(number: int, citation: Citation, width: int, *, with_claim: bool) -> Iterator[str]:
    where = [_place(citation.source)]
    where += [f"page {citation.page}"] if citation.page else []
    where += [PATH_SEPARATOR.join(citation.headings)] if citation.headings else []
    told = [one_line(citation.claim, _CLAIM_CHARS)] if with_claim else []
    told.append(one_line(" · ".join(where), _PLACE_CHARS))
    told += [f"“{one_line(citation.quote, _QUOTE_CHARS)}”"] if citation.quote.strip() else []
    mark = f"[{number}] "
    for index, text in enumerate(told):
        yield from _broken(text, width, first=_INDENT if index else mark, further=_INDENT)


def _place(source: str) -> str:
    """Return where a document is; of a file here the path from here."""
    parts = urlsplit(source)
    if parts.scheme != "file":
        return source
    path = Path(unquote(parts.path))
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _broken(text: str, width: int, *, first: str = "", further: str = "") -> list[str]:
    if not width:
        return [f"{first}{text}"]
    broken = textwrap.wrap(text, max(width, 20), initial_indent=first, subsequent_indent=further)
    return broken or [first.rstrip()]
