"""PDF by PDFium: the text of each page, in the order in which it was written.

Must not take what is only a picture of text for text.
"""

from __future__ import annotations

from typing import Any, Final

import pypdfium2 as pdfium

from .....contracts.collection.document import Document
from .....contracts.errors import DocumentError
from ..plain import MAX_CHARS, bounded, clean, without_spaces_at_ends

_PASSWORD: Final = 4
"""PDFium's code for a document that wants one."""

# PDFium leaves a mark where it has joined a word that a line's end had parted.
_LIGATURES: Final = str.maketrans({0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl"})


def read_pdf(data: bytes) -> Document:
    """Return the text of a PDF.

    Raises:
        DocumentError: It wants a password, is damaged or has no text.
    """
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) == _PASSWORD or "password" in str(error).lower():
            raise DocumentError("it is protected by a password: save it without one") from error
        raise DocumentError(f"it is damaged ({error})") from error
    texts: list[str] = []
    pages: list[int] = []
    offset = 0
    for number in range(len(document)):
        pages.append(offset)
        texts.append(_page_text(document, number))
        offset += len(texts[-1]) + 2
        if offset > MAX_CHARS:
            raise DocumentError(f"it has more than {MAX_CHARS:,} characters up to page {number + 1:,}: cut it")
    try:
        text = bounded("\n\n".join(texts))
    except DocumentError as error:
        raise DocumentError(f"{error}: its {len(pages):,} pages may be scanned, and want text recognition") from error
    return Document(text, "text", clean(document.get_metadata_value("Title")).strip(), tuple(pages))


def _page_text(document: Any, number: int) -> str:
    """Return the text of a page. None where it is damaged: the others may be whole."""
    try:
        page = document[number]
        content = page.get_textpage()
        text: str = content.get_text_range()
        # Left open, all of them would be in memory.
        content.close()
        page.close()
    except pdfium.PdfiumError:
        return ""
    return without_spaces_at_ends(clean(text).translate(_LIGATURES)).strip("\n")
