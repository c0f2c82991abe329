"""The workflow of an ingest.

It finds documents page by page, brings them in, and shows each page at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from ...activities.knowledge.ingest import IngestActivities
    from ...contracts import names
    from ...contracts.text import file_name, first_line
    from ...contracts.wire.ingest.ingest import (
        BeginCall,
        DocumentCall,
        DocumentDone,
        DocumentFailure,
        DocumentPage,
        DocumentRef,
        IngestBegun,
        IngestCarried,
        IngestInput,
        IngestProgress,
        IngestReport,
        ListCall,
        ShowCall,
        Vanished,
        VanishedCall,
    )
    from ...contracts.wire.places import Place
    from ...contracts.wire.totals import Totals
    from .. import policy
    from ..concurrency import spent_by, told_by
    from ..search_attributes import STATUS
    from ..until_served import served

T = TypeVar("T")

_PAGE = 100
"""Documents that are listed, brought in and shown together."""

_VANISHED_PAGE = 1_000
"""Documents that are looked at together, and taken out together where they are gone."""

_MOST_FAILURES = 100
"""Failures that the report tells; of the rest it has the number."""

_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError)


@workflow.defn(name=names.INGEST_WORKFLOW, sandboxed=False, failure_exception_types=_UNREADABLE)
class IngestWorkflow:
    """Brings documents into a collection.

    States: begun, then page by page until all is listed, then done. It accepts the progress query, and a cancel at any
    moment, after which searches see what was shown so far. It continues as new between two pages when the server
    suggests so. A document that cannot be brought in is reported and stops nothing else.
    """

    @workflow.init
    def __init__(self, asked: IngestInput) -> None:
        self._asked = asked
        self._progress = IngestProgress()
        self._failures: list[DocumentFailure] = []
        self._started = workflow.now().timestamp()
        self._step = 0

    @workflow.query(name=names.INGEST_PROGRESS_QUERY)
    def progress(self) -> IngestProgress:
        """Return how far it is."""
        return self._progress

    @workflow.run
    async def run(self, asked: IngestInput) -> IngestReport:  # noqa: ARG002 - taken by __init__, as the SDK wants it
        """Bring everything in."""
        try:
            report = await self._all()
        except FailureError as error:
            self._publish("cancelled" if is_cancelled_exception(error) else "failed")
            self._leave()
            if is_cancelled_exception(error):
                raise
            told, report = told_by(error), self._report()
            raise ApplicationError(told, report, type=names.COLLECTION_FAILED, non_retryable=True) from None
        self._publish("completed")
        self._leave()
        return report

    async def _all(self) -> IngestReport:
        carried = self._asked.carried or await self._begun()
        self._progress, self._failures = carried.progress, list(carried.failures)
        self._started = carried.started
        listed = False
        while not listed:
            carried = await self._page(carried)
            listed = not carried.cursor
            if not listed and workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(self._asked.model_copy(update={"carried": carried}))
        self._note(listed=True)
        if self._asked.prune and not self._asked.rebuild:
            carried = await self._pruned(carried)
        whole = ShowCall(writing=carried.writing, tenant=self._asked.tenant, all_of_it=True)
        if self._asked.rebuild:
            await self._do(IngestActivities.show, whole, "show", "show the whole")
        note: str | None = await self._do(IngestActivities.finish, whole, "finish", "tidy up")
        return self._report().model_copy(update={"note": note or ""})

    async def _begun(self) -> IngestCarried:
        mark = workflow.info().run_id
        call = BeginCall(
            collection=self._asked.collection,
            tenant=self._asked.tenant,
            fields=self._asked.fields,
            texts=self._asked.texts,
            rebuild=self._asked.rebuild,
            mark=mark,
        )
        begun: IngestBegun = await self._do(IngestActivities.begin, call, "begin", self._asked.collection)
        self._charge(begun.totals)
        return IngestCarried(
            writing=begun.writing,
            collection=begun.collection,
            fields=begun.fields,
            cursor="",
            progress=self._progress,
            failures=(),
            started=self._started,
            mark=mark,
        )

    async def _page(self, carried: IngestCarried) -> IngestCarried:
        writing = carried.writing
        call = ListCall(
            writing=writing,
            sources=self._asked.sources,
            host=self._asked.host,
            tenant=self._asked.tenant,
            cursor=carried.cursor,
            mark=carried.mark,
            limit=_PAGE,
            fields=carried.fields,
            rebuild=self._asked.rebuild,
            upload=self._asked.upload,
        )
        page: DocumentPage = await self._do(IngestActivities.page, call, f"list-{writing.step}", _after(carried.cursor))
        found = len(page.documents) + page.unchanged + len(page.failures)
        self._note(found=found, unchanged=page.unchanged, failed=len(page.failures))
        self._failed(page.failures)
        done = await self._documents(carried, page)
        if done and not self._asked.rebuild:
            show = ShowCall(writing=writing, tenant=self._asked.tenant, uris=tuple(done))
            await self._do(IngestActivities.show, show, f"show-{writing.step}", f"{len(done)} documents")
            writing = writing.next_step
        return carried.model_copy(
            update={
                "writing": writing,
                "cursor": page.cursor,
                "progress": self._progress,
                "failures": tuple(self._failures),
            }
        )

    async def _documents(self, carried: IngestCarried, page: DocumentPage) -> list[str]:
        """Bring the documents of a page in, several at once; return those that were."""
        slots = asyncio.Semaphore(self._asked.concurrency)

        async def bring_in(document: DocumentRef) -> str:
            async with slots:
                return document.uri if await self._document(carried, document) else ""

        ended = await asyncio.gather(*map(bring_in, page.documents))
        return [uri for uri in ended if uri]

    async def _document(self, carried: IngestCarried, document: DocumentRef) -> bool:
        call = DocumentCall(
            writing=carried.writing,
            collection=carried.collection,
            uri=document.uri,
            host=self._asked.host,
            tenant=self._asked.tenant,
            fields=carried.fields,
            mark=carried.mark,
            upload=document.hash if self._asked.upload else "",
        )
        self._step += 1
        name = f"document-{self._step}"
        try:
            done: DocumentDone = await self._do(IngestActivities.document, call, name, file_name(document.uri))
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            self._charge(spent_by(error))
            self._note(failed=1)
            self._failed((DocumentFailure(uri=document.uri, reason=told_by(error)),))
            return False
        self._charge(done.totals)
        self._note(done=1, passages=done.passages)
        return True

    async def _pruned(self, carried: IngestCarried) -> IngestCarried:
        cursor, pages = "", 0
        while True:
            call = VanishedCall(
                writing=carried.writing,
                sources=self._asked.sources,
                tenant=self._asked.tenant,
                mark=carried.mark,
                cursor=cursor,
                limit=_VANISHED_PAGE,
            )
            self._step += 1
            found: Vanished = await self._do(IngestActivities.vanished, call, f"vanished-{self._step}", "what is gone")
            if found.uris:
                pages += 1
                show = ShowCall(writing=carried.writing, tenant=self._asked.tenant, gone=found.uris)
                name = "remove" if pages == 1 else f"remove-{pages}"
                await self._do(IngestActivities.show, show, name, f"take out {len(found.uris)}")
                self._note(removed=len(found.uris))
                carried = carried.model_copy(update={"writing": carried.writing.next_step})
            cursor = found.cursor
            if not cursor:
                return carried

    async def _do(self, step: Callable[..., Awaitable[T]], call: Any, name: str, summary: str) -> T:
        """Do a step, by whichever worker can."""
        activity_id = Place(self._asked.collection).ingest_step(name)
        return await served(step, call, summary=summary, options=policy.ingest_policy(), activity_id=activity_id)

    def _note(self, *, listed: bool = False, **counts: int) -> None:
        now = self._progress
        update: dict[str, Any] = {name: getattr(now, name) + count for name, count in counts.items()}
        self._progress = now.model_copy(update=update | ({"listed": True} if listed else {}))
        workflow.set_current_details(_told(self._asked.collection, self._progress, self._failures))

    def _charge(self, totals: Totals) -> None:
        self._progress = self._progress.model_copy(update=dict(self._progress.totals + totals))

    def _failed(self, failures: tuple[DocumentFailure, ...]) -> None:
        self._failures += failures[: max(0, _MOST_FAILURES - len(self._failures))]

    def _report(self) -> IngestReport:
        return IngestReport(
            collection=self._asked.collection,
            failures=tuple(self._failures),
            seconds=round(workflow.now().timestamp() - self._started, 2),
            **dict(self._progress),
        )

    def _leave(self) -> None:
        """Leave in the memo how far it came: after its worker nothing else shows it."""
        workflow.upsert_memo({names.DETAILS_MEMO: _told(self._asked.collection, self._progress, self._failures)})

    def _publish(self, status: str) -> None:
        # Where the cluster lacks the attributes an upsert would fail the workflow task again and again.
        if workflow.info().typed_search_attributes.get(STATUS) is None:
            return
        updates: list[SearchAttributeUpdate[Any]] = [STATUS.value_set(status)]
        workflow.upsert_search_attributes(updates)


def _after(cursor: str) -> str:
    return f"after {file_name(cursor)}" if cursor else "from the beginning"


def _told(collection: str, progress: IngestProgress, failures: list[DocumentFailure]) -> str:
    """Return how far it is, as Markdown for the Temporal UI."""
    more = "" if progress.listed else " so far"
    head = (
        f"**{collection}** · {progress.found:,} documents{more} · {progress.done:,} brought in · "
        f"{progress.unchanged:,} unchanged · {progress.failed:,} failed · {progress.removed:,} removed"
    )
    head = " · ".join(filter(None, (head, progress.totals.told)))
    lines = (f"    {file_name(one.uri)}: {first_line(one.reason, 200)}" for one in failures[:20])
    return "\n\n".join([head, "\n".join(lines)]) if failures else head
