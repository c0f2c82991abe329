"""PPTX, as Markdown: each slide under its title, with its notes.

Read without a library: python-pptx brings lxml, Pillow and XlsxWriter along, 34 MB to write what is only read here.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element

from .....contracts.collection.document import Document
from .....contracts.errors import DocumentError
from ..plain import MAX_CHARS, bounded, clean
from .office import OfficeArchive

_A: Final = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_P: Final = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_R: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_RELATIONSHIP: Final = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_PRESENTATION: Final = "ppt/presentation.xml"
_FALLBACK: Final = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_TITLES: Final = {"title", "ctrTitle"}
_FURNITURE: Final = {"sldNum", "dt", "ftr", "hdr", "sldImg"}


def read_pptx(data: bytes) -> Document:
    """Return the text of a PPTX file.

    Raises:
        DocumentError: It is damaged, encrypted, made to do harm or has no text.
    """
    archive = OfficeArchive(data)
    texts: list[str] = []
    pages: list[int] = []
    offset = 0
    said = False
    for number, slide in enumerate(_slides(archive), 1):
        title, body = _slide_text(archive, slide)
        said = said or bool(title or body)
        text = "\n\n".join(filter(None, (f"# {title or f'Slide {number}'}", body)))
        pages.append(offset)
        texts.append(text)
        offset += len(text) + 2
        if offset > MAX_CHARS:
            raise DocumentError(f"it has more than {MAX_CHARS:,} characters up to slide {number:,}: cut it")
    return Document(bounded("\n\n".join(texts) if said else ""), "markdown", archive.title(), tuple(pages))


def _slides(archive: OfficeArchive) -> Iterator[str]:
    targets = {id: target for id, _, target in _relationships(archive, _PRESENTATION)}
    for slide in archive.part(_PRESENTATION).iterfind(f"{_P}sldIdLst/{_P}sldId"):
        target = targets.get(slide.get(f"{_R}id", ""), "")
        if not target:
            raise DocumentError("it is damaged: a slide is listed that it does not have")
        yield target


def _relationships(archive: OfficeArchive, part: str) -> Iterator[tuple[str, str, str]]:
    """Yield the id, kind and part of all that a part refers to."""
    folder, name = posixpath.split(part)
    listed = f"{folder}/_rels/{name}.rels"
    if listed not in archive.names:
        return
    for found in archive.part(listed).iter(_RELATIONSHIP):
        target = posixpath.normpath(posixpath.join("/", folder, found.get("Target", ""))).lstrip("/")
        yield found.get("Id", ""), found.get("Type", "").rpartition("/")[2], target


def _slide_text(archive: OfficeArchive, slide: str) -> tuple[str, str]:
    title = ""
    parts: list[str] = []
    for shape in _said_once(archive.part(slide)).iter():
        if shape.tag == f"{_A}tbl":
            place, text = "", _table(shape)
        elif shape.tag == f"{_P}sp":
            place, text = _place(shape), _paragraphs(shape)
        else:
            continue
        if place in _TITLES and not title:
            title = " ".join(text.split())
        elif text and place not in _FURNITURE:
            parts.append(text)
    for _, kind, target in _relationships(archive, slide):
        if kind == "notesSlide" and target in archive.names:
            shapes = archive.part(target).iter(f"{_P}sp")
            notes = [_paragraphs(shape) for shape in shapes if _place(shape) == "body"]
            parts += [f"Notes: {note}" for note in notes if note]
    return title, "\n\n".join(parts)


def _said_once(slide: Element) -> Element:
    """Return a slide without what old programs show in place of what is new."""
    for holder in list(slide.iter()):
        for fallback in holder.findall(_FALLBACK):
            holder.remove(fallback)
    return slide


def _place(shape: Element) -> str:
    """Return which of its layout's places a shape takes; empty where none."""
    found = shape.find(f"{_P}nvSpPr/{_P}nvPr/{_P}ph")
    return "" if found is None else found.get("type", "obj")


def _paragraphs(shape: Element) -> str:
    return "\n\n".join(filter(None, (_line(paragraph) for paragraph in shape.iter(f"{_A}p"))))


def _line(paragraph: Element) -> str:
    marks = {f"{_A}br": "\n", f"{_A}tab": "\t"}
    words = "".join(
        marks.get(part.tag) or part.text or "" for part in paragraph.iter() if part.tag in {*marks, f"{_A}t"}
    )
    return "\n".join(" ".join(line.split()) for line in clean(words).split("\n")).strip()


def _table(table: Element) -> str:
    rows = [
        " | ".join(" ".join(_paragraphs(cell).split()).replace("|", "\\|") for cell in row.iterfind(f"{_A}tc"))
        for row in table.iterfind(f"{_A}tr")
    ]
    columns = max((len(row.findall(f"{_A}tc")) for row in table.iterfind(f"{_A}tr")), default=0)
    if not any(row.replace("|", "").strip() for row in rows):
        return ""
    return "\n".join([f"| {rows[0]} |", "|" + " --- |" * columns, *(f"| {row} |" for row in rows[1:])])
