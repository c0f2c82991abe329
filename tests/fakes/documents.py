"""Documents made by hand: bytes of each format, so that nothing has to write them but these lines."""

from __future__ import annotations

import base64
import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_SLIDE = (
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'

ENCRYPTED_PDF = zlib.decompress(
    base64.b85decode(
        "c$|$=OK;Oa5WerPm`jdy-w#Vx4z!Jg05wVrm#T+-2BXNXoQ>4-CpqvB;EynIp|u(gSX#;cUNbx6#rk6PhM!5Y`1$Mm55j@L5WbSO"
        "C3HOw=@9b>t!_e2!Z@3jWVs}{Pe+ZIX>T6yGtjl)<~^b3!=bOh34PzCJ=}sq;RfzzR(WDQ_to!)EqTg-WA<idQ2(q&=qB%n!x+(l"
        "49e-poI3w@c)+skj7^8Lr*n4<A2YW0I$h7wKZC$nkc587{kDDqE*u&`iAFWXiU#Rbx2rf8dR={={Fn&6f|g}1kkwvhm7P^l#^Phh"
        "MRV@0^iky~LUKl@m}F8$Si@Drtq&#Htg!h{IO-UYD~;AsFlQT=RaBh05QF!|7U4osSz`&Sombo_#_-#eQanT5d_fOmE`)(0?D+ws"
        "wbW4H8RK~QiRoW3-JD>YyHm{A6HFNXg4NM?yF5;Fz3#qcY=v%yp@N(iK;QLc0RHFw0$0{zd#o7EWx;C)5qTrE(D?I(;<b}u`9Bg|"
        "^kpB%$NLKU@22<Fk98V|vW6@cmsczD8*Hz`_W"
    )
)
"""One empty page that wants the password `secret`."""

OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000)
ENCRYPTED_OFFICE = OLD_OFFICE + "EncryptedPackage".encode("utf-16-le") + bytes(1000)


def pdf(*pages: str, title: str = "") -> bytes:
    """Return a PDF with one line of text per line of a page."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, page in enumerate(pages):
        shown = " T* ".join(f"({line}) Tj" for line in page.split("\n") if line)
        content = f"BT /F1 12 Tf 14 TL 50 700 Td {shown} ET" if shown else ""
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents {5 + 2 * number} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>",
            f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        ]
    objects.append(f"<< /Title ({title}) >>")
    return written_pdf(objects)


def written_pdf(objects: Sequence[str]) -> bytes:
    """Return a PDF of objects, the first its catalogue and the last what it says of itself."""
    data = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    trailer = f"trailer\n<< /Size {size} /Root 1 0 R /Info {len(objects)} 0 R >>\nstartxref\n{len(data)}\n%%EOF\n"
    return data + f"xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}".encode()


def archive(parts: Mapping[str, str | bytes]) -> bytes:
    """Return a ZIP archive."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in parts.items():
            opened.writestr(name, content)
    return written.getvalue()


def paragraph(text: str, style: str = "") -> str:
    """Return a paragraph of a DOCX body."""
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{properties}<w:r><w:t>{text}</w:t></w:r></w:p>"


def table(*rows: Sequence[str]) -> str:
    """Return a table of a DOCX body."""
    written = ("".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) for row in rows)
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in written)}</w:tbl>"


def docx_parts(body: str, title: str = "", declaration: str = "") -> dict[str, str | bytes]:
    """Return what is in a DOCX file."""
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="{name.replace(" ", "")}"><w:name w:val="{name}"/></w:style>'
        for name in ("Title", "heading 1", "heading 2")
    )
    kind = f"{_OFFICE}/officeDocument"
    return {
        "[Content_Types].xml": (
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="xml" ContentType="application/xml"/></Types>'
        ),
        "_rels/.rels": _relationships(("rId1", kind, "word/document.xml")),
        "word/_rels/document.xml.rels": _relationships(("rId1", f"{_OFFICE}/styles", "styles.xml")),
        "word/styles.xml": f"<w:styles {_W}>{styles}</w:styles>",
        "word/document.xml": f"{declaration}<w:document {_W}><w:body>{body}</w:body></w:document>",
        "docProps/core.xml": _properties(title),
    }


def docx(body: str, title: str = "") -> bytes:
    """Return a DOCX file."""
    return archive(docx_parts(body, title))


def shape(text: str, place: str = "body") -> str:
    """Return a shape of a slide with one paragraph per line."""
    lines = "".join(f"<a:p><a:r><a:t>{line}</a:t></a:r></a:p>" for line in text.split("\n"))
    return f'<p:sp><p:nvSpPr><p:nvPr><p:ph type="{place}"/></p:nvPr></p:nvSpPr><p:txBody>{lines}</p:txBody></p:sp>'


def grid(*rows: Sequence[str]) -> str:
    """Return a table of a slide."""
    cell = "<a:tc><a:txBody><a:p><a:r><a:t>{}</a:t></a:r></a:p></a:txBody></a:tc>"
    written = "".join(f"<a:tr>{''.join(cell.format(text) for text in row)}</a:tr>" for row in rows)
    framed = f"<a:graphic><a:graphicData><a:tbl>{written}</a:tbl></a:graphicData></a:graphic>"
    return f"<p:graphicFrame>{framed}</p:graphicFrame>"


def pptx(*slides: str, notes: Mapping[int, str] | None = None, title: str = "") -> bytes:
    """Return a PPTX file. The first slide that is shown is the last in the archive."""
    notes = notes or {}
    count = len(slides)
    listed = "".join(f'<p:sldId id="{256 + number}" r:id="rId{number}"/>' for number in range(1, count + 1))
    shown = [
        (f"rId{number}", f"{_OFFICE}/slide", f"slides/slide{count - number}.xml") for number in range(1, count + 1)
    ]
    parts: dict[str, str | bytes] = {
        "ppt/presentation.xml": f"<p:presentation {_SLIDE}><p:sldIdLst>{listed}</p:sldIdLst></p:presentation>",
        "ppt/_rels/presentation.xml.rels": _relationships(*shown),
        "docProps/core.xml": _properties(title),
    }
    for number, content in enumerate(slides, 1):
        file = count - number
        parts[f"ppt/slides/slide{file}.xml"] = (
            f"<p:sld {_SLIDE}><p:cSld><p:spTree>{content}</p:spTree></p:cSld></p:sld>"
        )
        if number in notes:
            target = f"../notesSlides/notes{file}.xml"
            parts[f"ppt/slides/_rels/slide{file}.xml.rels"] = _relationships(("rId1", f"{_OFFICE}/notesSlide", target))
            parts[f"ppt/notesSlides/notes{file}.xml"] = f"<p:notes {_SLIDE}>{shape(notes[number])}</p:notes>"
    return archive(parts)


def _relationships(*found: tuple[str, str, str]) -> str:
    listed = "".join(f'<Relationship Id="{id}" Type="{kind}" Target="{target}"/>' for id, kind, target in found)
    return f"<Relationships {_PACKAGE}>{listed}</Relationships>"


def _properties(title: str) -> str:
    return (
        '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{title}</dc:title></cp:coreProperties>'
    )
