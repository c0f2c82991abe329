"""Links of the documentation lead somewhere: files and headings that exist. Addresses outside are not asked."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
_FENCE = re.compile(r"^(`{3,}|~{3,}).*?^\1", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)\s>]+)>?[^)]*\)|^\[[^\]]+\]:\s*(\S+)|(?:href|src)=\"([^\"]+)\"", re.MULTILINE)


def _prose(page: Path) -> str:
    return re.sub(r"`[^`\n]+`", "", _FENCE.sub("", page.read_text()))


def _anchors(page: Path) -> set[str]:
    """Headings as GitHub links to them."""
    headings = re.findall(r"^#{1,6}\s+(.+?)\s*#*$", _FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _problem(page: Path, link: str) -> str | None:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        return f"{link}: there is no {target}"
    if anchor and target.suffix == ".md" and anchor not in _anchors(target):
        return f"{link}: {target.name} has no such heading; it has {', '.join(sorted(_anchors(target)))}"
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = ["".join(found) for found in _LINK.findall(_prose(page))]
    inside = [link for link in links if not re.match(r"[a-z][a-z0-9+.-]*:", link)]
    assert [problem for link in inside if (problem := _problem(page, link))] == []


def test_a_broken_link_is_seen(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# One: two\n")
    page = tmp_path / "page.md"
    assert _problem(page, "there.md#one-two") is None
    assert "there is no" in (_problem(page, "gone.md") or "")
    assert "no such heading; it has one-two" in (_problem(page, "there.md#three") or "")


def test_there_are_pages() -> None:
    assert ROOT / "README.md" in PAGES
