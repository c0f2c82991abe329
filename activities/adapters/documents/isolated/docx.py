"""DOCX by mammoth, which reads what paragraphs mean and not how they look.

What it makes is HTML, and read as such.
Must not open its pictures.
"""

from __future__ import annotations

import io
from typing import Any, Final

import mammoth

from .....contracts.collection.document import Document
from ..plain import bounded
from .html import markdown_of
from .office import OfficeArchive

_STYLES: Final = """\
p[style-name='Title'] => h1:fresh
p[style-name='Subtitle'] => p:fresh
p[style-name='Code'] => pre:fresh
"""


def read_docx(data: bytes) -> Document:
    """Return the text of a DOCX file.

    Raises:
        DocumentError: It is damaged, encrypted, made to do harm or has no text.
    """
    archive = OfficeArchive(data)
    archive.check()
    converted = mammoth.convert_to_html(
        io.BytesIO(data),
        style_map=_STYLES,
        convert_image=mammoth.images.img_element(_no_image),
        include_embedded_style_map=False,
        external_file_access=False,
    )
    return Document(bounded(markdown_of(converted.value)), "markdown", archive.title())


def _no_image(_: Any) -> dict[str, str]:
    return {}
