"""The archives that DOCX and PPTX are, bounded before anything is unpacked.

Must not unpack what is not text.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Final
from xml.etree import ElementTree
from xml.parsers import expat

from .....contracts.errors import DocumentError
from ..plain import clean

MAX_PARTS: Final = 20_000
MAX_PART_BYTES: Final = 64 * 1024 * 1024
"""Largest part of an archive that is read."""
MAX_XML_BYTES: Final = 256 * 1024 * 1024
"""Most bytes of all parts that are read."""

_CORE: Final = "docProps/core.xml"
_TITLE: Final = "{http://purl.org/dc/elements/1.1/}title"


class OfficeArchive:
    """An opened document of Office.

    Raises:
        DocumentError: It is damaged, encrypted, or unpacks to more than it may.
    """

    def __init__(self, data: bytes) -> None:
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise DocumentError("it is damaged: the archive that it is cannot be read") from error
        entries = self._archive.infolist()
        read = [entry.file_size for entry in entries if entry.filename.endswith((".xml", ".rels"))]
        if any(entry.flag_bits & 1 for entry in entries):
            raise DocumentError("it is protected by a password: save it without one")
        # What an entry says of its size is what is unpacked at most.
        if len(entries) > MAX_PARTS or sum(read) > MAX_XML_BYTES or max(read, default=0) > MAX_PART_BYTES:
            raise DocumentError("it unpacks to more than it may: it is too large, or made to do harm")
        self.names = frozenset(entry.filename for entry in entries)

    def part(self, name: str) -> ElementTree.Element:
        """Return the XML of a part.

        Raises:
            DocumentError: It is missing, damaged, or declares entities, which may unfold to anything.
        """
        try:
            content = self._archive.read(name)
            refuse_declarations(content)
            return ElementTree.fromstring(content)  # noqa: S314 - without declarations, and bounded
        except KeyError as error:
            raise DocumentError(f"it is damaged: its part {name[:80]} is missing") from error
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ElementTree.ParseError) as error:
            raise DocumentError(f"it is damaged: its part {name[:80]} cannot be read ({error})") from error

    def check(self) -> None:
        """Read all that is XML, so that whoever reads it next meets nothing unexpected.

        Raises:
            DocumentError: A part is damaged, or declares entities.
        """
        for name in sorted(self.names):
            if name.endswith((".xml", ".rels")):
                try:
                    refuse_declarations(self._archive.read(name))
                except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
                    raise DocumentError(f"it is damaged: its part {name[:80]} cannot be unpacked") from error

    def title(self) -> str:
        """Return the title in the document's properties; empty where they have none."""
        if _CORE not in self.names:
            return ""
        return " ".join(clean(self.part(_CORE).findtext(f".//{_TITLE}") or "").split())


def refuse_declarations(xml: bytes) -> None:
    """Raise where XML declares a document type.

    Office never does, and it may unfold to gigabytes.

    Raises:
        DocumentError: It does.
    """
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise DocumentError(f"it is damaged: {error}") from error


def _refuse(*_: object) -> None:
    raise DocumentError("its XML declares a document type, which no document of Office does")
