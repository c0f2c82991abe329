"""What a client does with collections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from temporalio.client import Client as TemporalClient

from ...contracts.collection.collection import Collection
from ...contracts.collection.fields import Scalar
from ...contracts.contract import as_tuple
from ...contracts.errors import SpecError
from ...contracts.text import encodable
from ...contracts.wire.ingest.ingest import CollectionsCall, CollectionSummary, IngestInput
from ...contracts.wire.retrieval import Retrieved
from ..guardrails.restoring import Originals
from ..ingest import Ingest, ask_collections, check_no_ingest, start_ingest


class CollectionCalls:
    """The part of a `Client` that is about collections.

    Args:
        temporal: A connected Temporal client.
        task_queue: Where the workers listen unless told otherwise.
    """

    def __init__(self, temporal: TemporalClient, task_queue: str) -> None:
        self.temporal = temporal
        self.task_queue = task_queue

    async def ingest(
        self,
        collection: Collection | str,
        sources: Iterable[str | Path] | str | Path,
        *,
        fields: Mapping[str, Scalar] | None = None,
        texts: Mapping[str, str] | None = None,
        tenant: str = "",
        prune: bool = False,
        rebuild: bool = False,
        concurrency: int = 4,
        upload: bool = False,
        task_queue: str | None = None,
    ) -> Ingest:
        """Start bringing documents into a collection that the workers' app has.

        Documents that are there already as they are cost nothing; changed ones take the place of their earlier
        versions. Workers read the files themselves, unless they are uploaded.

        Args:
            collection: The collection, or its name.
            sources: Files, folders, patterns such as `docs/**/*.md`, the same in buckets (`s3://…`), and `https://`
                addresses, of buckets and hosts that the workers allow.
            fields: What is known of every document.
            texts: The same, as texts that the worker reads by the kinds of the fields.
            tenant: Whose documents they are, where the collection is partitioned.
            prune: Whether to take out documents of these sources that are gone.
            rebuild: Whether to make the collection anew, and show it when it is whole.
            concurrency: Documents at once.
            upload: Whether to read the files here, and give them to the workers by the directory for large payloads.
            task_queue: Where the workers listen. Default: the client's.

        Raises:
            SpecError: A source is not one, or an ingest of the collection is under way.
            SetupError: The server is away, or there is no directory to upload to.
        """
        given = [sources] if isinstance(sources, str | Path) else as_tuple(sources, "ingest: sources")
        asked = IngestInput(
            collection=collection if isinstance(collection, str) else collection.name,
            sources=tuple(map(str, given)),
            fields=dict(fields or {}),
            texts=dict(texts or {}),
            tenant=tenant,
            prune=prune,
            rebuild=rebuild,
            concurrency=concurrency,
        )
        return await start_ingest(self.temporal, task_queue or self.task_queue, asked, upload=upload)

    async def collections(self, *, task_queue: str | None = None) -> tuple[CollectionSummary, ...]:
        """Return the collections of the workers' store.

        Raises:
            CollectionFailed: The workers have none.
            SetupError: The server is away, or no worker answers.
        """
        found: tuple[CollectionSummary, ...] = await ask_collections(
            self.temporal, task_queue or self.task_queue, CollectionsCall(kind="list")
        )
        return found

    async def drop_collection(self, name: str, *, task_queue: str | None = None) -> bool:
        """Delete a collection with everything in it; return whether there was one.

        Raises:
            SpecError: An ingest of it is under way.
            CollectionFailed: The workers have no collections.
            SetupError: The server is away, or no worker answers.
        """
        await check_no_ingest(self.temporal, name)
        call = CollectionsCall(kind="drop", collection=name)
        dropped: bool = await ask_collections(self.temporal, task_queue or self.task_queue, call)
        return dropped

    async def search(
        self,
        collection: Collection | str,
        query: str,
        *,
        filters: Mapping[str, Any] | None = None,
        texts: Mapping[str, str] | None = None,
        limit: int = 0,
        tenant: str = "",
        task_queue: str | None = None,
    ) -> Retrieved:
        """Return the passages of a collection that fit a query best.

        Args:
            collection: The collection, or its name.
            query: What to look for.
            filters: A value, a list of which any will do, or `{"from": …, "to": …}`, by field.
            texts: Values by field, as texts that the worker reads by the kinds of the fields.
            limit: Most passages; 0 for as many as the collection says.
            tenant: Whose documents, where the collection is partitioned.
            task_queue: Where the workers listen. Default: the client's.

        Raises:
            SpecError: The query is no Unicode.
            CollectionFailed: It cannot be searched so; says why.
            SetupError: The server is away, or no worker answers.
        """
        if query != encodable(query):
            raise SpecError("query: it is not Unicode: it has half of a surrogate pair")
        call = CollectionsCall(
            kind="search",
            collection=collection if isinstance(collection, str) else collection.name,
            query=query,
            filters=dict(filters or {}),
            texts=dict(texts or {}),
            limit=limit,
            tenant=tenant,
        )
        found: Retrieved = await ask_collections(self.temporal, task_queue or self.task_queue, call)
        return Originals(self.temporal, f"search of {call.collection}").put_back(found, found.sealed)
