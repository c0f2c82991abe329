"""What each format becomes: its text as a person reads it, with headings, tables and pages."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sostenuto.activities.adapters.documents.headings import Outline
from sostenuto.activities.adapters.documents.loading import load, taken
from sostenuto.contracts.collection.document import Document
from sostenuto.contracts.errors import DocumentError
from tests.fakes.documents import docx, grid, paragraph, pdf, pptx, shape, table

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def test_plain_text_has_line_ends_of_one_kind_and_no_control_characters() -> None:
    document = load(b"\xef\xbb\xbfone\r\ntwo\rthree\x00\x07\tfour\x0cfive", "notes.txt")
    assert document == Document("one\ntwo\nthree\tfour\nfive", "text")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_marks_tell_the_encoding(encoding: str) -> None:
    assert load("grüße 😀 中文".encode(encoding), "a.md").text == "grüße 😀 中文"


def test_an_encoding_that_was_declared_is_taken() -> None:
    assert load("é".encode("latin-1"), "a", "text/plain; charset=iso-8859-1").text == "é"
    page = '<meta charset="iso-8859-1"><p>é</p>'.encode("latin-1")
    assert load(page, "a.html").text == "é"
    assert load("<meta charset=latin1><p>é</p>".encode(), "a.html", "text/html; charset=utf-8").text == "é"


def test_source_is_code() -> None:
    assert load(b"def f():\n    return 1\n", "a.py").form == "code"


@pytest.mark.parametrize(
    ("front", "title"),
    [
        ("---\ntitle: Guide\nx: 1\n---\n", "Guide"),
        ('---\ntags: [a]\ntitle: "It: works"\n---\n', "It: works"),
        ("---\r\ntitle: 'Guide'\r\n...\r\n", "Guide"),
        ("---\ntitle : Guide \t\n---\n", "Guide"),
        ("---\ntitle: 'one' and 'two'\n---\n", "'one' and 'two'"),
        ("---\ntitle:\nx: 1\n---\n", ""),
        ("---\nx: 1\n---\n", ""),
    ],
)
def test_front_matter_is_cut_off_and_its_title_is_kept(front: str, title: str) -> None:
    document = load(f"{front}# Head\n\ntext".encode(), "a.md")
    assert document == Document("# Head\n\ntext", "markdown", title)


def test_what_goes_along_with_every_passage_is_bounded() -> None:
    words = "x" * 3_000_000
    cut_off = "x" * 499 + "…"
    assert load(f"---\ntitle: {words}\n---\ntext".encode(), "a.md").title == cut_off
    assert taken(Document("text", title=words)).title == cut_off
    assert Document("text", title="x" * 500).title == "x" * 500
    page = load(f"<title>{'x' * 900}</title><p>text</p>".encode(), "a.html")
    assert page.title == cut_off
    for heading in (f"# {words}\ntext", f"{words}\n===\ntext"):
        assert Outline(heading).path_of(len(heading) - 1, len(heading)) == ("x" * 200,)


def test_a_line_at_the_beginning_is_no_front_matter() -> None:
    assert load(b"---\n\ntext", "a.md").text == "---\n\ntext"


PAGE = b"""<!-- made by hand --><!doctype html><html><head><title>A &amp; B</title><style>s{}</style></head><body>
<nav><a href="/">Home</a></nav><h1><a href="#a">One</a></h1><p>Some <b>bold</b> words.</p>
<table><tr><th>Name</th><th>Qty</th></tr><tr><td>bolt</td><td>7</td></tr></table>
<ul><li>x</li><li>y</li></ul><pre><code class="language-python">def f():
    return 1</code></pre><script>alert(1)</script><h2>Two</h2><p>end<img src="data:image/png;base64,AAAA" alt="picture">
</body></html>"""


@pytest.mark.parametrize("name", ["a.html", "page"])
def test_html_becomes_markdown(name: str) -> None:
    document = load(PAGE, name)
    assert (document.form, document.title) == ("markdown", "A & B")
    assert document.text.startswith(
        "# One\n\nSome **bold** words.\n\n| Name | Qty |\n| --- | --- |\n| bolt | 7 |\n\n- x\n"
    )
    assert "```python\ndef f():\n    return 1\n```\n\n## Two\n\nend" in document.text
    assert not [word for word in ("Home", "alert", "s{}", "base64") if word in document.text]


def test_of_html_with_a_main_part_only_that_is_taken() -> None:
    page = b"<body><div>menu</div><main><h1>One</h1>text</main><div>about us</div></body>"
    assert load(page, "a.html").text == "# One\n\ntext"
    assert load(b"<body>words<main> </main></body>", "a.html").text == "words"


def test_a_pdf_has_pages_and_a_title() -> None:
    document = load(pdf("First page.\nIts end.", "", "Third page.", title="Book"), "a.pdf")
    assert document == Document("First page.\nIts end.\n\n\n\nThird page.", "text", "Book", (0, 22, 24))
    assert document.text[document.pages[2] :] == "Third page."


def test_a_docx_has_headings_and_tables() -> None:
    body = (
        paragraph("Report", "Title")
        + paragraph("Parts", "heading1")
        + paragraph("Some words.")
        + table(("Name", "Qty"), ("bolt", "7"))
        + paragraph("Detail", "heading2")
        + paragraph("more")
    )
    for name, media_type in (("a.docx", ""), ("upload", DOCX), ("upload", "")):
        document = load(docx(body, "The title"), name, media_type)
        assert (document.form, document.title) == ("markdown", "The title")
        assert document.text.startswith("# Report\n\n# Parts\n\nSome words.\n\n|")
        assert "| bolt | 7 |" in document.text
        assert document.text.endswith("## Detail\n\nmore")


def test_a_media_type_that_is_wrong_does_not_hide_what_a_document_is() -> None:
    assert load(pdf("words"), "a.pdf", "text/html").text == "words"
    assert load(pdf("words"), "upload", "application/pdf").text == "words"


def test_a_pptx_has_slides_in_the_order_in_which_they_are_shown() -> None:
    first = shape("Plan", "ctrTitle") + shape("one\ntwo") + shape("7", "sldNum")
    second = shape("untitled") + grid(("Name", "Qty"), ("bolt", "7 | 8"))
    document = load(pptx(first, second, notes={1: "say it"}, title="Deck"), "a.pptx")
    assert document.text == (
        "# Plan\n\none\n\ntwo\n\nNotes: say it\n\n# Slide 2\n\nuntitled\n\n"
        "| Name | Qty |\n| --- | --- |\n| bolt | 7 \\| 8 |"
    )
    assert (document.form, document.title) == ("markdown", "Deck")
    assert [document.text[page:].split("\n")[0] for page in document.pages] == ["# Plan", "# Slide 2"]


def test_what_a_slide_has_for_old_programs_is_not_said_twice() -> None:
    namespace = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    choice = f"<mc:Choice>{shape('new')}</mc:Choice><mc:Fallback>{shape('new')}</mc:Fallback>"
    slide = f"<mc:AlternateContent {namespace}>{choice}</mc:AlternateContent>"
    assert load(pptx(slide), "a.pptx").text == "# Slide 1\n\nnew"


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ('Name,Qty,2020\nbolt,7,\n"nut, big","1\n2",3\n', "Name: bolt; Qty: 7\n\nName: nut, big; Qty: 1 2; 2020: 3"),
        ("a;b\n1;2,5\n", "a: 1; b: 2,5"),
        ("a\tb\nx\ty\tz\n", "a: x; b: y; column 3: z"),
        ("1,2\n3,4\n", "column 1: 1; column 2: 2\n\ncolumn 1: 3; column 2: 4"),
        ("\n,\na,b\n", "a; b"),
    ],
)
def test_each_row_of_a_table_reads_by_itself(table: str, text: str) -> None:
    assert load(table.encode(), "a.csv") == Document(text, "text")


def test_json_says_the_path_to_each_value_and_numbers_as_they_are_written() -> None:
    records = (
        b'[{"id": 1.50, "tags": ["a", "b"], "in": {"no": null, "yes": true, "l": [{"q": 1}, {"q": 2}]}}, {"id": 2}]'
    )
    text = "id: 1.50\ntags: a, b\nin.yes: true\nin.l.1.q: 1\nin.l.2.q: 2\n\nid: 2"
    assert load(records, "a.json").text == text
    assert load(b'"words"', "a.json").text == "words"


def test_json_lines_are_records() -> None:
    document = load(b'{"a": "x\\ud800y\\u0000z"}\r\n\r\n{"a": 12345678901234567890}\n', "a.jsonl")
    assert document.text == "a: xyz\n\na: 12345678901234567890"


@pytest.mark.parametrize(("name", "form"), [("a.json", "[{}]"), ("a.jsonl", "{}")])
def test_large_json_becomes_what_small_does(name: str, form: str) -> None:
    record = '{"a": "é", "b": [1, 2]}'
    document = load(form.format(f"{record}{' ' * 1_100_000}").encode("utf-16"), name)
    assert document == Document("a: é\nb: 1, 2", "text")


def test_a_text_that_speaks_of_pdf_is_a_text() -> None:
    assert load(b"A file of PDF begins with %PDF-1.7 and then", "a.txt").form == "text"
    assert load(b'out = b"%PDF-1.4\\n"\nout += b"startxref\\n0\\n%%EOF"\n', "write_pdf.py").form == "code"


def test_nothing_heavy_is_loaded_by_those_who_load_documents() -> None:
    """A crash of what reads a document must not be a crash of the worker: nothing that reads them is in it."""
    program = (
        "import sys\n"
        "from sostenuto.activities.adapters.documents.loading import load\n"
        "from sostenuto.activities.adapters.documents import chunker\n"
        "load(b'<p>x', 'a.html')\n"
        "print({'pypdfium2', 'mammoth', 'html_to_markdown', 'tokenizers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_what_somebodys_own_loader_gives_back_is_tidied() -> None:
    assert taken("a\r\nb\x00") == Document("a\nb")
    two_pages = taken(Document("one\r\n\x00two\r\nthree", "markdown", "A\x1b title", pages=(0, 6)))
    assert two_pages == Document("one\ntwo\nthree", "markdown", "A title", pages=(0, 4))
    assert two_pages.text[4:] == "two\nthree"
    assert taken(Document("onetwo", pages=(3,))).pages == (3,)
    assert taken(Document("x", title=None)).title == ""  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (None, "it gives back None, and not a text or a Document"),
        (b"x", "it gives back b'x', and not a text or a Document"),
        (Document(7), "it gives back Document"),  # type: ignore[arg-type]
        ("", "it has no text"),
        (" \n", "it has no text"),
        ("\x00", "it has no text"),
        (Document("x", "html"), "its form is 'html', and not one of text, markdown, code"),  # type: ignore[arg-type]
        (Document("x", pages=(3,)), "its pages are not offsets in its text, in their order"),
        (Document("xyz", pages=(2, 1)), "its pages are not offsets in its text, in their order"),
        (Document("xyz", pages=("a",)), "its pages are not offsets in its text"),  # type: ignore[arg-type]
        (Document("xyz", pages=3), "its pages are not offsets in its text"),  # type: ignore[arg-type]
        (Document("xyz", pages=None), "its pages are not offsets in its text"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_document(said: object, told: str) -> None:
    with pytest.raises(DocumentError, match=told):
        taken(said)
