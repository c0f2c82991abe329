"""Files come first, then objects, then addresses, and a page may have all three."""

from __future__ import annotations

from pathlib import Path

import pytest

from sostenuto.activities.knowledge.sources.addresses import AddressSource
from sostenuto.activities.knowledge.sources.files import FileSource
from sostenuto.activities.knowledge.sources.listing import covering, folders_of, next_page, owner_of
from sostenuto.activities.knowledge.sources.source import SourceError


class ShortWeb:
    """Has what its addresses end with, but nothing of `/gone`."""

    def __init__(self) -> None:
        self.fetched: list[str] = []

    async def fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        if url.endswith("/gone"):
            raise SourceError("its host answers 404")
        return url[-1].encode()


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6, 100])
async def test_pages_go_on_from_kind_to_kind(tmp_path: Path, limit: int) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text("x")
    sources = ["https://h/2", str(tmp_path), "https://h/gone", "https://h/1", "https://h/2"]
    web = ShortWeb()
    kinds = (FileSource(), AddressSource(web))
    found: list[str] = []
    cursor, is_first = "", True
    while cursor or is_first:
        is_first = False
        page = await next_page(kinds, cursor, sources, limit)
        assert len(page.documents) + len(page.failures) <= limit
        found += [*(one.uri for one in page.documents), *(one.uri for one in page.failures)]
        cursor = page.cursor
    files = [(tmp_path / name).as_uri() for name in ("a", "b", "c")]
    assert found[:3] == files
    assert sorted(found[3:]) == ["https://h/1", "https://h/2", "https://h/gone"]
    assert web.fetched == ["https://h/2", "https://h/gone", "https://h/1"]


async def test_each_kind_tells_what_is_its_own(tmp_path: Path) -> None:
    (tmp_path / "x.md").write_text("x")
    kinds = (FileSource(), AddressSource(ShortWeb()))
    file, page = (tmp_path / "x.md").as_uri(), "https://h/x.md"
    assert covering(kinds, [str(tmp_path)])(file)
    assert not covering(kinds, [str(tmp_path)])(page)
    assert covering(kinds, [page])(page)
    assert not covering(kinds, [page])(file)
    assert await folders_of(kinds, [file, tmp_path.as_uri(), page]) == [tmp_path.as_uri()]
    assert (await owner_of(kinds, page).content(page)).data == b"d"
    assert (await owner_of(kinds, file).content(file)).data == b"x"
