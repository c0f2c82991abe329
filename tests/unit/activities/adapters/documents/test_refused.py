"""What cannot be read is told with its reason, soon, and harms nothing: also what was made to do harm."""

from __future__ import annotations

import io
import os
import time
import zipfile
from pathlib import Path

import pytest

from sostenuto.activities.adapters.documents import csv_rows, isolation, json_records, plain
from sostenuto.activities.adapters.documents.isolation import read_isolated
from sostenuto.activities.adapters.documents.loading import MAX_BYTES, load
from sostenuto.contracts.errors import DocumentError, SetupError
from tests.fakes.documents import (
    ENCRYPTED_OFFICE,
    ENCRYPTED_PDF,
    OLD_OFFICE,
    archive,
    docx,
    docx_parts,
    paragraph,
    pdf,
    pptx,
    shape,
    written_pdf,
)

DOCX = docx(paragraph("words"))
SLIDE_LESS = (
    '<p:presentation xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main">'
    "<p:sldIdLst><p:sldId/></p:sldIdLst></p:presentation>"
)
BOMB = "".join(f'<!ENTITY e{level} "{f"&e{level - 1};" * 10 if level else "lol" * 10}">' for level in range(10))


def reason(data: bytes, name: str, media_type: str = "") -> str:
    with pytest.raises(DocumentError) as caught:
        load(data, name, media_type)
    assert str(caught.value).startswith(f"{name}: ")
    return str(caught.value)


def encrypted_archive() -> bytes:
    """A DOCX file whose parts say that they are encrypted."""
    data = bytearray(DOCX)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        found = data.find(mark)
        while found >= 0:
            data[found + offset] |= 1
            found = data.find(mark, found + 4)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "name", "why"),
    [
        (b"", "a.md", "0 bytes"),
        (b" \n\t\r\n", "a.md", "no text"),
        (b"---\ntitle: x\n---\n", "a.md", "no text"),
        (b"<p> </p>", "a.html", "no text"),
        (b"[]", "a.json", "no text"),
        (b"\n\n", "a.csv", "no text"),
        (pdf("", ""), "a.pdf", "its 2 pages may be scanned"),
        (pdf(), "a.pdf", "damaged"),
        (docx(""), "a.docx", "no text"),
        (pptx(shape("", "title"), ""), "a.pptx", "no text"),
        (ENCRYPTED_PDF, "a.pdf", "password"),
        (ENCRYPTED_OFFICE, "a.docx", "password"),
        (encrypted_archive(), "a.docx", "password"),
        (OLD_OFFICE, "a.doc", "before 2007"),
        (pdf("words")[:-400], "a.pdf", ""),
        (b"%PDF-1.4\n" + bytes(range(256)) * 10, "a.pdf", "damaged"),
        (DOCX[:-100], "a.docx", "damaged"),
        (DOCX.replace(b"word/document.xml", b"word/document.xm_")[:-1] + b"word/document.xml", "a.docx", "damaged"),
        (archive({"word/document.xml": "<w"}), "a.docx", "damaged"),
        (archive({"ppt/presentation.xml": "\x00"}), "a.pptx", "damaged"),
        (archive({"ppt/presentation.xml": SLIDE_LESS}), "a.pptx", "a slide is listed"),
        (archive({"a.txt": "x"}), "a.zip", "archive"),
        (pdf("words"), "a.txt", "is a PDF file"),
        (pdf("words"), "a.md", "is a PDF file"),
        (DOCX, "a.pptx", "is a DOCX file"),
        (DOCX, "a.csv", "is a DOCX file"),
        (b"words", "a.pdf", "is none"),
        (b"words", "a.docx", "is none"),
        (b"\x89PNG\r\n\x1a\n", "a.md", "a picture"),
        (b"\x1f\x8b\x08", "a.txt", "compressed"),
        (b"{\\rtf1 words}", "a.txt", "Rich Text"),
        (b"\x7fELF\x02", "tool", "a program"),
        (bytes(range(256)), "a.md", "not in UTF-8 at byte 128"),
        (b"\x00\x01\x02\x03" * 100, "a.md", "control characters"),
        (b"words " * 100_000 + b"\x00" * 2000, "a.txt", "control characters"),
        ("é".encode("latin-1"), "a.txt", "not in UTF-8 at byte 0"),
        (b"\xff\xfeh\x00i", "a.txt", "not in utf-16"),
        (b'a,b\n"open,1\n', "a.csv", "line 2"),
        (b"a\n" + b"x" * 200_000, "a.csv", "field larger"),
        (b'{"a": 1}\n{bad', "a.jsonl", "line 2 is no JSON"),
        (b"{bad", "a.json", "is no JSON"),
        (b"[" * 100_000, "a.json", "deeper than 100"),
        (b'{"a":' * 150 + b"1" + b"}" * 150, "a.json", "deeper than 100"),
        (b"[" * 2_000_000, "a.json", "deep"),
        (b"<div>" * 3000 + b"words", "a.html", "too deep"),
        (b"<table><tr><td>" * 30_000 + b"words", "a.html", "too deep"),
        (archive(docx_parts("&e9;", declaration=f"<!DOCTYPE w [{BOMB}]>")), "a.docx", "document type"),
        (docx("<w:tbl><w:tr><w:tc>" * 20_000 + "</w:tc></w:tr></w:tbl>" * 20_000), "a.docx", "too deep"),
    ],
)  # fmt: skip
def test_the_reason_is_told(data: bytes, name: str, why: str) -> None:
    begun = time.process_time()
    assert why in reason(data, name)
    assert time.process_time() - begun < 60


def test_the_bound_of_bytes_is_checked_before_anything_else() -> None:
    assert "limit is 52,428,800" in reason(bytes(MAX_BYTES + 1), "a.pdf")
    with pytest.raises(DocumentError, match="limit is 3"):
        load(b"word", "a.md", max_bytes=3)


def test_an_encoding_that_is_none_of_text_is_not_known() -> None:
    assert "'hex' is not known" in reason(b"00", "a.txt", "text/plain; charset=hex")
    assert "not known" in reason(b"x", "a.txt", "text/plain; charset=utf-9")


def test_an_archive_is_measured_before_it_is_unpacked() -> None:
    """A megabyte of zeros packs into a kilobyte: 300 MB of them are never unpacked."""
    written = io.BytesIO(DOCX)
    with zipfile.ZipFile(written, "a", zipfile.ZIP_DEFLATED) as opened, opened.open("word/huge.xml", "w") as part:
        for _ in range(300):
            part.write(bytes(1024 * 1024))
    assert len(written.getvalue()) < 400_000
    begun = time.process_time()
    assert "unpacks to more" in reason(written.getvalue(), "a.docx")
    assert time.process_time() - begun < 10


def test_pages_that_are_one_page_again_and_again_come_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few bytes may be any number of pages: the time ends them."""
    kids = " ".join(["4 0 R"] * 200_000)
    content = "BT /F1 12 Tf 50 700 Td " + "(words and words and words) Tj " * 200 + "ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count 200000 >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 5 0 R "
        "/Resources << /Font << /F1 3 0 R >> >> >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< >>",
    ]
    with pytest.raises(DocumentError, match=r"within 3 s|20,000,000 characters"):
        read_isolated(written_pdf(objects), "pdf", seconds=3)


def test_text_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (plain, csv_rows, json_records):
        monkeypatch.setattr(module, "MAX_CHARS", 1000)
    long_name = "n" * 100
    assert "1,000 characters" in reason(b"words " * 200, "a.txt")
    assert "1,000 characters" in reason(_rows(long_name), "a.csv")
    assert "1,000 characters" in reason(f'[{{"{long_name}": {["x", {}] * 20}}}]'.replace("'", '"').encode(), "a.json")


def _rows(name: str) -> bytes:
    return "\n".join([name, *["x"] * 20]).encode()


def test_a_reader_that_wants_all_memory_harms_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "MAX_MEMORY_BYTES", 300 * 1024 * 1024)
    assert "memory" in reason(b"[" + b"[]," * 5_000_000 + b"1]", "a.json")


def test_a_reader_that_crashes_harms_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pypdfium2.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert "crashed the reader of PDF files" in reason(pdf("words"), "a.pdf")


def test_a_reader_that_prints_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "html_to_markdown.py").write_text("print('hello', flush=True)\nraise ValueError('é \\ud800')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert "damaged (ValueError" in reason(b"<p>x", "a.html")


def test_no_key_is_given_to_a_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pypdfium2.py").write_text("import os\nraise ValueError(sorted(os.environ))\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("ANTHROPIC_API_KEY", "secret")
    assert "PATH" in (told := reason(pdf("words"), "a.pdf"))
    assert "KEY" not in told


def test_a_library_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mammoth.py").write_text("raise ImportError('no mammoth')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(SetupError, match=r"no mammoth.*sostenuto\[knowledge\]"):
        load(DOCX, "a.docx")


def test_what_lies_in_the_working_directory_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mammoth.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    assert load(DOCX, "a.docx").text == "words"
    assert Path.cwd() == Path(os.path.realpath(tmp_path))
