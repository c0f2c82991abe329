"""From bytes to text, and text as every document has it.

Must not guess an encoding.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from ....contracts.errors import DocumentError

MAX_CHARS: Final = 20_000_000
"""Longest text of a document."""

_BOMS: Final = (
    # That of UTF-16 is how that of UTF-32 begins.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LINE_ENDS: Final = re.compile("[\x0b\x0c\x85\u2028\u2029]")
_UNWANTED: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
# What terminals and old printers are told, in logs and manual pages: text all the same.
_HARMLESS: Final = re.compile("[\x08\x1b]")
_MOST_UNWANTED: Final = 0.02
_FEW: Final = 8
_WINDOW: Final = 100_000
_FRONT_MATTER: Final = re.compile(r"---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_TITLE: Final = re.compile(r"^title[ \t]*:", re.MULTILINE)


def decode(data: bytes, encoding: str = "") -> str:
    """Return the text of bytes.

    By their byte order mark, else by the encoding that was declared, else by UTF-8.

    Raises:
        DocumentError: They are not in this encoding, or are no text.
    """
    chosen = next((name for mark, name in _BOMS if data.startswith(mark)), "") or encoding or "utf-8"
    try:
        # Others than those of text, such as `hex`, would return no text.
        text = data.decode(codecs.lookup(chosen).name)
    except LookupError as error:
        raise DocumentError(f"its encoding {chosen[:40]!r} is not known") from error
    except UnicodeError as error:
        where = f" at byte {error.start:,}" if isinstance(error, UnicodeDecodeError) else ""
        told = "it is no text, or its text is not in UTF-8" if chosen == "utf-8" else f"its text is not in {chosen}"
        raise DocumentError(f"{told}{where}: save it as UTF-8") from error
    for start in range(0, len(text), _WINDOW):
        window = _HARMLESS.sub("", text[start : start + _WINDOW])
        if len(_UNWANTED.findall(window)) > max(_FEW, _MOST_UNWANTED * len(window)):
            raise DocumentError("it is no text: too many of its characters are control characters")
    return text


def clean(text: str) -> str:
    r"""Return text with `\n` at line ends, without control characters and surrogates."""
    return _UNWANTED.sub("", _LINE_ENDS.sub("\n", text.replace("\r\n", "\n").replace("\r", "\n")))


def front_matter(text: str) -> tuple[str, str]:
    """Return the title that a text's front matter names, and the text without it."""
    found = _FRONT_MATTER.match(text)
    if found is None:
        return "", text
    title = _TITLE.search(found[1])
    said = found[1][title.end() :].partition("\n")[0] if title else ""
    return _unquoted(said.strip()), text[found.end() :]


def without_spaces_at_ends(text: str) -> str:
    """Return text without spaces and tabs at the ends of its lines."""
    return "\n".join(line.rstrip(" \t") for line in text.split("\n"))


def bounded(text: str) -> str:
    """Return the text.

    Raises:
        DocumentError: It has none but whitespace, or is too long.
    """
    if len(text) > MAX_CHARS:
        raise DocumentError(f"it has more than {MAX_CHARS:,} characters of text: cut it into several documents")
    if not text or text.isspace():
        raise DocumentError("it has no text")
    return text


def _unquoted(said: str) -> str:
    quote = said[:1]
    is_quoted = quote in ("'", '"') and len(said) > 1 and said.endswith(quote) and quote not in said[1:-1]
    return said[1:-1].strip() if is_quoted else said
