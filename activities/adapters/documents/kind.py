"""Tells what a document is: by what it is called, and by how its bytes begin.

Must not read it.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Final, Literal

from ....contracts.errors import DocumentError

Kind = Literal["text", "code", "markdown", "html", "pdf", "docx", "pptx", "csv", "json", "jsonl"]

_BY_SUFFIX: Final[dict[str, Kind]] = {
    **dict.fromkeys((".md", ".markdown", ".mdown", ".mkd", ".mdx", ".qmd"), "markdown"),
    **dict.fromkeys((".html", ".htm", ".xhtml"), "html"),
    **dict.fromkeys((".csv", ".tsv", ".tab"), "csv"),
    **dict.fromkeys((".json", ".ipynb", ".geojson"), "json"),
    **dict.fromkeys((".jsonl", ".ndjson"), "jsonl"),
    **dict.fromkeys((".pdf",), "pdf"),
    **dict.fromkeys((".docx", ".docm"), "docx"),
    **dict.fromkeys((".pptx", ".pptm"), "pptx"),
    **dict.fromkeys((".txt", ".text", ".log", ".rst", ".adoc", ".org", ".tex", ".srt", ".vtt"), "text"),
    **dict.fromkeys(
        (
            *(".py", ".pyi", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx", ".java", ".kt", ".kts", ".scala", ".go"),
            *(".rs", ".c", ".h", ".cc", ".cpp", ".hpp", ".cs", ".fs", ".swift", ".m", ".rb", ".php", ".pl", ".lua"),
            *(".r", ".jl", ".ex", ".exs", ".erl", ".hs", ".ml", ".clj", ".dart", ".sh", ".bash", ".zsh", ".ps1"),
            *(".sql", ".proto", ".graphql", ".css", ".scss", ".less", ".vue", ".svelte", ".xml", ".svg", ".yaml"),
            *(".yml", ".toml", ".ini", ".cfg", ".tf", ".hcl", ".gradle", ".cmake", ".mk", ".bat", ".asm", ".zig"),
        ),
        "code",
    ),
}
_BY_MEDIA_TYPE: Final[dict[str, Kind]] = {
    "text/markdown": "markdown",
    "text/x-markdown": "markdown",
    "text/html": "html",
    "application/xhtml+xml": "html",
    "text/csv": "csv",
    "text/tab-separated-values": "csv",
    "application/json": "json",
    "application/jsonl": "jsonl",
    "application/x-ndjson": "jsonl",
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
}
_NO_TEXT: Final = ("pdf", "docx", "pptx")
_OLD_OFFICE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_FOREIGN: Final = (
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"RIFF", "a picture or a recording"),
    (b"OggS", "a recording"),
    (b"ID3", "a recording"),
    (b"\x1f\x8b", "a compressed file"),
    (b"BZh", "a compressed file"),
    (b"\xfd7zXZ", "a compressed file"),
    (b"7z\xbc\xaf", "an archive"),
    (b"Rar!", "an archive"),
    (b"SQLite format 3\0", "a database"),
    (b"\x7fELF", "a program"),
    (b"{\\rtf", "a document in Rich Text Format"),
    (b"%!PS", "a document in PostScript"),
)
_COMMENT: Final = re.compile(rb"<!--.*?-->", re.DOTALL)
_HTML: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_BEGINNING: Final = 1024


def document_kind(data: bytes, name: str, media_type: str = "") -> Kind:
    """Return what a document is.

    Raises:
        DocumentError: It is none that can be read, or another than its name or media type says.
    """
    # Servers say `text/plain` of whatever they do not know.
    by_type = _BY_MEDIA_TYPE.get(media_type.partition(";")[0].strip().lower())
    by_name = _BY_SUFFIX.get(PurePath(name).suffix.lower())
    declared = by_type or by_name
    found = _found(data, is_text=by_name is not None and by_name not in _NO_TEXT)
    if found is None:
        if declared in _NO_TEXT:
            raise DocumentError(f"it is called a {declared.upper()} file and is none, or is damaged at its beginning")
        return declared or ("html" if _HTML.match(_COMMENT.sub(b"", data[:_BEGINNING])) else "text")
    if declared is not None and found not in (by_type, by_name):
        raise DocumentError(f"it is a {found.upper()} file, and is called one of another format: rename it")
    return found


def _found(data: bytes, *, is_text: bool) -> Kind | None:
    """Return what the bytes are; None where they may be text.

    Args:
        data: The bytes.
        is_text: Whether the name says so.
    """
    if b"%PDF-" in data[:_BEGINNING]:
        # It may have something before it. A text may speak of it, or write one.
        is_pdf = data.startswith(b"%PDF-") or b"\0" in data or (b"startxref" in data[-2048:] and not is_text)
        return "pdf" if is_pdf else None
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _in_archive(data)
    if data.startswith(_OLD_OFFICE):
        # How Office writes the name of what it has encrypted.
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise DocumentError("it is protected by a password: save it without one")
        raise DocumentError("it is in a format of Office before 2007: save it as DOCX, PPTX or PDF")
    for beginning, what in _FOREIGN:
        if data.startswith(beginning):
            raise DocumentError(f"it is {what}, which has no text that can be read")
    return None


def _in_archive(data: bytes) -> Kind:
    # Names stand in an archive as they are. To open it is for a process that may take its memory.
    if b"word/document.xml" in data:
        return "docx"
    if b"ppt/presentation.xml" in data:
        return "pptx"
    raise DocumentError("it is an archive, or a document in a format that is not read: save it as DOCX, PPTX or PDF")
