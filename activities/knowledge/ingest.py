"""The steps of an ingest as activities.

Must not import a vector database or a document library.
"""

from __future__ import annotations

from temporalio import activity

from ...contracts import names
from ...contracts.collection import patience
from ...contracts.wire.ingest.ingest import (
    BeginCall,
    DocumentCall,
    DocumentDone,
    DocumentPage,
    IngestBegun,
    ListCall,
    ShowCall,
    Vanished,
    VanishedCall,
)
from ..call.bill import Costs
from ..call.stages import StageClock
from .ingestion import Ingestion
from .step import needed, step


class IngestActivities:
    """The steps of bringing documents into the collections of an app.

    Args:
        ingestion: Does them. None: this worker has no collections.
        costs: What embedding costs.
    """

    def __init__(self, ingestion: Ingestion | None, costs: Costs) -> None:
        self._ingestion = ingestion
        self._costs = costs

    @activity.defn(name=names.INGEST_BEGIN_ACTIVITY)
    async def begin(self, call: BeginCall) -> IngestBegun:
        """Begin a change of a collection.

        Repeatable: what an earlier attempt began is never seen.
        """
        async with step(costs=self._costs, by=patience.INGEST) as bill:
            begun = await self.ingestion().begin(call, bill.charge)
            return begun.model_copy(update=dict(await bill.totals()))

    @activity.defn(name=names.INGEST_LIST_ACTIVITY)
    async def page(self, call: ListCall) -> DocumentPage:
        """Return the next documents of the sources that are new or changed.

        Repeatable; reads each of them.
        """
        async with step(by=patience.INGEST):
            return await self.ingestion().page(call)

    @activity.defn(name=names.INGEST_DOCUMENT_ACTIVITY)
    async def document(self, call: DocumentCall) -> DocumentDone:
        """Bring one document in, where no search sees it yet.

        Repeatable: an attempt takes the place of an earlier one. Fails with `DocumentFailed` where it cannot be read.
        Heartbeats on its own, with the passages so far. Costs an embedding of each passage.
        """
        async with step(costs=self._costs, by=patience.INGEST) as bill:
            clock = StageClock(bill.charge)
            done = await self.ingestion().bring_in(call, bill.progress, clock)
            spent = dict(await bill.totals())
            return done.model_copy(update=spent | {"stages": clock.stages()})

    @activity.defn(name=names.INGEST_SHOW_ACTIVITY)
    async def show(self, call: ShowCall) -> int:
        """Let searches see what was brought in.

        Returns how many passages the collection has. Repeatable.
        """
        async with step(by=patience.INGEST):
            return (await self.ingestion().show(call)).passages

    @activity.defn(name=names.INGEST_VANISHED_ACTIVITY)
    async def vanished(self, call: VanishedCall) -> Vanished:
        """Return documents that are gone from their sources. Repeatable."""
        async with step(by=patience.INGEST):
            return await self.ingestion().vanished(call)

    @activity.defn(name=names.INGEST_FINISH_ACTIVITY)
    async def finish(self, call: ShowCall) -> str | None:
        """Delete what nobody sees any more, and make searches fast.

        Returns why that cannot be, if it cannot. Repeatable.
        """
        async with step(by=patience.INGEST):
            return await self.ingestion().finish(call)

    def ingestion(self) -> Ingestion:
        """Return what does the steps.

        Raises:
            NotServedError: This worker has no collections.
        """
        return needed(self._ingestion)
