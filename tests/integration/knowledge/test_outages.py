"""What a collection takes is away for a while: an ingest waits for it, and a search tells whoever asked."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sostenuto import App, Collection
from sostenuto.activities.adapters.qdrant.embedded import EdgeStore
from sostenuto.activities.knowledge.store.vector_store import StoreError, StoreUnavailable
from sostenuto.clients.ingest import CollectionFailed

if TYPE_CHECKING:
    from tests.integration.knowledge.conftest import Served

OUTAGE = 5
"""Calls in a row that find nobody: more than a search is tried."""


class Restarting(EdgeStore):
    """A store that cannot be reached at first by each of its calls, or by those of one kind, and then can."""

    def __init__(self, directory: Path, only: str = "") -> None:
        super().__init__(directory)
        self.only = only
        self.outage = 0
        self.refused: Counter[str] = Counter()

    async def _call(self, method: str, **arguments: Any) -> Any:
        if self.only in ("", method) and self.refused[method] < self.outage:
            self.refused[method] += 1
            raise StoreUnavailable(f"the store is being started anew, and took no {method}")
        return await super()._call(method, **arguments)


class Full(EdgeStore):
    """A store that has no room for indexes."""

    async def optimize(self, name: str) -> None:
        raise StoreError(f"no room for the indexes of {name}")


async def test_an_ingest_that_leaves_searches_slow_says_so(
    serving: Served, handbook: Collection, documents: Path, tmp_path: Path
) -> None:
    (documents / "alpha.md").write_text("This is alpha.")
    async with serving(App(collections=[handbook]), store=Full(tmp_path / "store")) as client:
        report = await (await client.ingest(handbook, documents)).result()
        assert report.done == 1
        assert "searched without new indexes, and more slowly: no room for the indexes of" in report.note
        assert (await client.search(handbook, "alpha")).passages


@pytest.mark.usefixtures("short_pauses")
async def test_every_step_of_an_ingest_waits_for_the_store(
    serving: Served, handbook: Collection, documents: Path, tmp_path: Path
) -> None:
    for name in ("alpha", "beta"):
        (documents / f"{name}.md").write_text(f"This is {name}.")
    store = Restarting(tmp_path / "store")
    async with serving(App(collections=[handbook]), store=store) as client:
        await (await client.ingest(handbook, documents)).result()
        (documents / "alpha.md").write_text("This is another alpha.")
        (documents / "beta.md").unlink()
        store.outage = 2
        report = await (await client.ingest(handbook, documents, prune=True)).result()
        # `begin` makes, `list` and `vanished` scroll, a document is upserted, `show` sets, `finish` optimizes.
        assert {"create", "scroll", "upsert", "set_payload", "optimize"} <= set(store.refused)
        assert (report.done, report.removed, report.failed) == (1, 1, 0)

        store.refused.clear()
        store.outage = OUTAGE
        with pytest.raises(CollectionFailed, match="the store is being started anew"):
            await client.search(handbook, "alpha")
        store.outage = 0
        assert [one.text for one in (await client.search(handbook, "alpha")).passages] == ["This is another alpha."]


@pytest.mark.usefixtures("short_pauses")
@pytest.mark.parametrize("method", ["create", "scroll", "set_payload", "optimize"])
async def test_an_outage_longer_than_a_search_waits_ends_no_ingest(
    serving: Served, handbook: Collection, documents: Path, tmp_path: Path, method: str
) -> None:
    """Each of `begin`, `list`, `show` and `finish` is the one that meets it."""

    (documents / "alpha.md").write_text("This is alpha.")
    store = Restarting(tmp_path / "store", method)
    store.outage = OUTAGE
    async with serving(App(collections=[handbook]), store=store) as client:
        report = await (await client.ingest(handbook, documents)).result()
    assert (report.done, report.failed, store.refused[method]) == (1, 0, OUTAGE)
