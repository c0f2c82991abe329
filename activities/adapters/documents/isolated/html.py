"""HTML, as Markdown: headings, tables, lists and code stay what they are.

Must not keep what is not the page's own: navigation, scripts, pictures.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Final

import html_to_markdown

from .....contracts.collection.document import Document
from .....contracts.errors import DocumentError
from ..plain import bounded, clean, decode

_CHARSET: Final = re.compile(rb"<meta[^>]{0,200}?charset\s*=[\s\"']*([\w-]{1,40})", re.IGNORECASE)
_XML_ENCODING: Final = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w-]{1,40})", re.IGNORECASE)
_TITLE: Final = re.compile(r"<title[^>]{0,200}>([^<]{0,1000})</title", re.IGNORECASE)
_MAIN: Final = re.compile(r"<main\b", re.IGNORECASE)
_MAIN_END: Final = re.compile(r"</main\s*>", re.IGNORECASE)
# Links within the page, and what is no address at all.
_NO_LINK: Final = re.compile(r"\[([^\]\[\n]*)\]\(<?(?:data:|javascript:|#)[^)\n]*\)")
_BEGINNING: Final = 4096
_HEAD: Final = 100_000


def read_html(data: bytes) -> Document:
    """Return the text of a page, by the encoding that it names, else UTF-8.

    Raises:
        DocumentError: It has no text, or is nested too deep.
    """
    named = _CHARSET.search(data[:_BEGINNING]) or _XML_ENCODING.match(data[:_BEGINNING])
    source = clean(decode(data, named[1].decode("ascii") if named else ""))
    title = _TITLE.search(source[:_HEAD])
    words = " ".join(clean(unescape(title[1])).split()) if title else ""
    return Document(bounded(markdown_of(_main(source)) or markdown_of(source)), "markdown", words)


def _main(source: str) -> str:
    """Return what a page says is its main part; all of it where it does not say."""
    begins, ends = (list(mark.finditer(source)) for mark in (_MAIN, _MAIN_END))
    is_one = len(begins) == len(ends) == 1 and begins[0].end() < ends[0].start()
    return source[begins[0].start() : ends[0].end()] if is_one else source


def markdown_of(source: str) -> str:
    """Return HTML as Markdown.

    Raises:
        DocumentError: It is nested too deep, so that some of it would be lost.
    """
    options = html_to_markdown.ConversionOptions(
        extract_metadata=False,
        compact_tables=True,
        skip_images=True,
        preprocessing=html_to_markdown.PreprocessingOptions(enabled=True, preset="minimal", remove_navigation=False),
        exclude_selectors=["nav", "script", "style", "noscript", "template", "svg"],
    )
    converted = html_to_markdown.convert(source, options)
    for warning in converted.warnings:
        if "depth" in str(warning.kind):
            raise DocumentError("its elements stand in one another too deep")
    return "\n".join(map(_without_no_links, clean(converted.content or "").split("\n"))).strip("\n")


def _without_no_links(line: str) -> str:
    # What is never closed would be looked at once more for each that is opened.
    closed, mark, rest = line.rpartition(")")
    return _NO_LINK.sub(r"\1", closed + mark) + rest
