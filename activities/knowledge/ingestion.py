"""The steps of an ingest.

What is new is found, brought in where no search sees it, and shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from ...contracts.collection.collection import Collection
from ...contracts.collection.document import Document
from ...contracts.collection.fields import parsed_texts, values_from
from ...contracts.errors import DocumentError, SpecError
from ...contracts.text import encodable, file_name
from ...contracts.wire.ingest.ingest import (
    BeginCall,
    DocumentCall,
    DocumentDone,
    DocumentFailure,
    DocumentPage,
    IngestBegun,
    ListCall,
    ShowCall,
    Vanished,
    VanishedCall,
)
from ..call.failure import told, ungrouped
from ..call.own_loader import load_by
from ..call.stages import StageClock
from ..call.user_code import UserCode
from ..not_served import NotServedError
from ..prices.price import OnCharge
from .chunk import Chunk
from .encoding import OnProgress
from .search import Knowledge
from .sources.addresses import AddressSource, Web
from .sources.buckets import Buckets, BucketSource
from .sources.files import FileSource, path_of
from .sources.listing import covering, folders_of, next_page, owner_of
from .sources.source import SourceKind, is_path
from .sources.uploaded import UploadedDocuments, UploadedSource, Uploads
from .store.stored import KnownVersion, Stored, StoredPassage, Version, document_key, stored_fields
from .store.vector_store import SparseVector

_PASSAGES_AT_ONCE: Final = 64
_READ_AT_ONCE: Final = 2
_MOST_VANISHED_BYTES: Final = 500_000
"""Of the addresses of a page: they stand in the history."""
_LOOKED_AT_ONCE: Final = 1_000


class Cutter(Protocol):
    """Cuts documents into passages."""

    def chunks(self, document: Document) -> Sequence[Chunk]:
        """Return the passages of a document. Blocks."""
        ...


Load = Callable[[bytes, str], Document]
"""Reads a document, by its content and its name. Blocks; raises `DocumentError` with the reason for a person."""


@dataclass(frozen=True, slots=True)
class DocumentReading:
    """What reads documents."""

    load: Load
    cutter: Callable[[str, int], Cutter]
    """Returns what cuts passages for an embedding model, of at most so many of its tokens."""
    web: Web
    buckets: Buckets
    taken: Callable[[object], Document]
    """Returns what somebody's own loader gave back as a document, or raises `DocumentError`. Blocks."""
    uploads: Uploads | None = None
    """Where clients upload documents to; None where this worker has no such place."""


class Ingestion:
    """Brings documents into the collections of an app.

    Args:
        knowledge: Where they are, and what embeds them.
        served: The collections of the app.
        reading: What reads documents.
        user: Runs loaders of people's own.
    """

    def __init__(
        self, knowledge: Knowledge, served: Mapping[str, Collection], reading: DocumentReading, user: UserCode
    ) -> None:
        self._knowledge = knowledge
        self._served = served
        self._reading = reading
        self._user = user
        self._uploaded = UploadedDocuments(reading.uploads)
        # Reading one may take gigabytes.
        self._slots = asyncio.Semaphore(_READ_AT_ONCE)

    def collection(self, name: str) -> Collection:
        """Return a collection of the app.

        Raises:
            NotServedError: The app has none of that name.
        """
        if name not in self._served:
            known = ", ".join(sorted(self._served)) or "none"
            raise NotServedError(
                f"this worker's app has no collection {name!r} (it has: {known}): "
                f"add it by App(collections=[Collection({name!r})])"
            )
        return self._served[name]

    async def begin(self, call: BeginCall, charge: OnCharge) -> IngestBegun:
        """Begin a change of a collection."""
        collection = self.collection(call.collection)
        fields = values_from(collection.fields, call.fields, "fields")
        fields |= parsed_texts(collection.fields, call.texts, "fields")
        if collection.partition and not call.tenant:
            raise SpecError(f"collection {collection.name!r} is partitioned by tenant: say whose documents they are")
        if not collection.partition and call.tenant:
            raise SpecError(f"collection {collection.name!r} is not partitioned: it takes no tenant")
        encoder = self._knowledge.encoder(collection.embedding)
        wanted = Stored(
            name=collection.name,
            generation=0,
            embedding=collection.embedding,
            dimensions=await encoder.dimensions(charge),
            fields=collection.fields,
            partition=collection.partition,
        )
        writing = await self._knowledge.collections.begin(wanted, rebuild=call.rebuild)
        return IngestBegun(writing=writing, collection=collection, fields=fields)

    async def page(self, call: ListCall) -> DocumentPage:
        """Return the next documents of the sources that are new or changed."""
        kinds = self._kinds(call.host, call.upload)
        listed = await next_page(kinds, call.cursor, call.sources, call.limit)
        seen, failures = listed.documents, listed.failures
        uris = [one.uri for one in seen]
        versions: Mapping[str, KnownVersion] = {}
        if not call.rebuild:
            versions = await self._knowledge.collections.versions(call.writing, uris, call.tenant)
            # What cannot be read now is not gone.
            there = [*versions, *(failure.uri for failure in failures), *await self._below(call, kinds, failures)]
            await self._knowledge.collections.mark(call.writing, there, call.tenant, call.mark)
        fields = stored_fields(call.fields)
        changed = tuple(one for one in seen if versions.get(one.uri) != (one.hash, fields))
        return DocumentPage(
            documents=changed, unchanged=len(seen) - len(changed), failures=tuple(failures), cursor=listed.cursor
        )

    async def bring_in(self, call: DocumentCall, report: OnProgress, clock: StageClock) -> DocumentDone:
        """Read a document, cut it, embed it and store it where no search sees it.

        Args:
            call: Which one.
            report: Told how far it is.
            clock: Takes the time of the embedding, and is told what is to be paid for.

        Raises:
            DocumentError: It cannot be read; says why.
        """
        collection = call.collection
        kinds = self._kinds(call.host, call.upload)
        content = await owner_of(kinds, call.uri).content(call.uri)
        # An attempt whose worker died after its last write need not be paid for again.
        there = await self._knowledge.collections.staged_one(call.writing, call.uri, call.tenant)
        if there.get("hash") == content.hash:
            return DocumentDone(passages=there["passages"], characters=there.get("characters", 0))
        async with self._slots:
            document = await self._loaded(collection, content.data, call.uri)
            cutter = self._reading.cutter(collection.embedding, collection.chunk_tokens)
            chunks = await asyncio.to_thread(cutter.chunks, document)
        if not chunks:
            raise DocumentError("it has no text")
        passages = await self._embedded(collection, chunks, report, clock)
        version = Version(
            uri=call.uri,
            hash=content.hash,
            title=document.title,
            tenant=call.tenant,
            fields=call.fields,
            seen=call.mark,
            characters=len(document.text),
        )
        await self._knowledge.collections.stage(call.writing, version, passages)
        return DocumentDone(passages=len(passages), characters=len(document.text))

    async def show(self, call: ShowCall) -> Stored:
        """Let searches see what was brought in."""
        collections = self._knowledge.collections
        keys = [document_key(uri, call.tenant) for uri in call.uris]
        if call.all_of_it:
            keys = await collections.staged(call.writing)
        gone = [document_key(uri, call.tenant) for uri in call.gone]
        stored = await collections.show(call.writing, keys, gone)
        if not call.all_of_it:
            await collections.sweep(call.writing)
        return stored

    async def vanished(self, call: VanishedCall) -> Vanished:
        """Return documents under the sources that this ingest has not seen."""
        records = await self._knowledge.collections.documents(
            call.writing.name, tenant=call.tenant, after=call.cursor, limit=call.limit
        )
        is_covered = covering(self._kinds(), call.sources)
        gone: list[str] = []
        room = _MOST_VANISHED_BYTES
        for record in records:
            uri = record.payload["uri"]
            if record.payload.get("seen") != call.mark and is_covered(uri):
                gone.append(uri)
                room -= len(uri)
            if room < 0:
                return Vanished(uris=tuple(gone), cursor=record.id)
        return Vanished(uris=tuple(gone), cursor=records[-1].id if len(records) == call.limit else "")

    async def finish(self, call: ShowCall) -> str:
        """Delete what nobody sees any more, and make searches fast.

        Returns why that cannot be, if it cannot.
        """
        return await self._knowledge.collections.finish(call.writing)

    async def _embedded(
        self, collection: Collection, chunks: Sequence[Chunk], report: OnProgress, clock: StageClock
    ) -> list[StoredPassage]:
        encoder = self._knowledge.encoder(collection.embedding)
        passages: list[StoredPassage] = []
        for start in range(0, len(chunks), _PASSAGES_AT_ONCE):
            batch = chunks[start : start + _PASSAGES_AT_ONCE]
            texts = [chunk.embedded_text() for chunk in batch]
            with clock.stage("embeddings", collection.embedding) as charge:
                encoded = await encoder.passages(texts, charge)
            sparse = await asyncio.to_thread(self._weigh, texts)
            passages += [
                StoredPassage(
                    text=chunk.text,
                    start=chunk.start,
                    end=chunk.end,
                    page=chunk.page,
                    headings=chunk.headings,
                    dense=one.dense,
                    sparse=words,
                    codes=one.codes,
                )
                for chunk, one, words in zip(batch, encoded, sparse, strict=True)
            ]
            await report(f"{len(passages)} of {len(chunks)} passages")
        return passages

    def _kinds(self, host: str = "", upload: str = "") -> tuple[SourceKind, ...]:
        """Return the kinds of sources, in the order in which they are listed."""
        files = UploadedSource(self._uploaded, upload) if upload else FileSource(host)
        return files, BucketSource(self._reading.buckets), AddressSource(self._reading.web)

    async def _below(
        self, call: ListCall, kinds: Sequence[SourceKind], failures: Sequence[DocumentFailure]
    ) -> list[str]:
        """Return the documents below what cannot be listed now."""
        folders = tuple(f"{uri}/" for uri in await folders_of(kinds, [one.uri for one in failures]))
        found: list[str] = []
        cursor = ""
        while folders:
            records = await self._knowledge.collections.documents(
                call.writing.name, tenant=call.tenant, after=cursor, limit=_LOOKED_AT_ONCE
            )
            found += [uri for record in records if (uri := record.payload["uri"]).startswith(folders)]
            if len(records) < _LOOKED_AT_ONCE:
                break
            cursor = records[-1].id
        return found

    def _weigh(self, texts: Sequence[str]) -> list[SparseVector]:
        return [self._knowledge.sparse.document(text) for text in texts]

    async def _loaded(self, collection: Collection, data: bytes, uri: str) -> Document:
        name = encodable(path_of(uri)) if is_path(uri) else uri
        own = collection.loader_of(uri)
        if not own:
            return await asyncio.to_thread(self._reading.load, data, name)
        loader = self.collection(collection.name).functions.get(own)
        if loader is None:
            raise NotServedError(f"the collection {collection.name!r} of this worker's app has no loader {own!r}")
        said = await load_by(loader, data, uri, self._user)
        return await asyncio.to_thread(self._taken, said, f"{file_name(uri)}: by its loader {own}")

    def _taken(self, said: object, where: str) -> Document:
        try:
            return self._reading.taken(said)
        except DocumentError as error:
            raise DocumentError(f"{where}: {error}") from None
        except BaseException as error:  # noqa: BLE001 - what it gives back may be of a class that raises anything
            raise DocumentError(f"{where}: what it gives back cannot be read: {told(ungrouped(error))}") from None
