"""What brings documents into a collection.

What is asked, its steps, and what it came to.

No text of a document is in any of it: documents are named by address and hash.
"""

from __future__ import annotations

from typing import Final

from ...collection.collection import Collection
from ...collection.fields import Scalar
from ...contract import Contract
from ..totals import Charged, Staged

INGEST_KIND: Final = "ingest"
"""What events and spans call an ingest, where they have the kind of a runnable for a run."""


class Writing(Contract):
    """A change of a collection under way: where it is written, and as which step."""

    name: str
    generation: int
    step: int

    @property
    def next_step(self) -> Writing:
        """The step after this one, of the same change."""
        return self.model_copy(update={"step": self.step + 1})


class DocumentRef(Contract):
    """A document as a source has it."""

    uri: str
    hash: str
    """SHA-256 of its bytes; of an object in a bucket, of its ETag and size."""
    size: int
    """Bytes."""


class DocumentFailure(Contract):
    """A document that could not be brought in."""

    uri: str
    reason: str


class IngestProgress(Charged):
    """How far an ingest is, and what it has cost so far."""

    done: int = 0
    """Documents that were brought in, new or changed."""
    unchanged: int = 0
    """Documents that were there already as they are."""
    failed: int = 0
    """Documents that could not be brought in."""
    removed: int = 0
    """Documents that were taken out, being gone."""
    passages: int = 0
    """Passages of the documents that were brought in."""
    found: int = 0
    """Documents found so far; more may come."""
    listed: bool = False
    """Whether all of them were found."""


class IngestReport(IngestProgress):
    """What an ingest came to."""

    collection: str
    failures: tuple[DocumentFailure, ...] = ()
    """The first of those that failed."""
    seconds: float = 0.0
    note: str = ""
    """What there is to say of an ingest that did not go quite as it should, such as that searches are not as fast."""


class IngestCarried(Contract):
    """What an ingest takes along when it continues as new."""

    writing: Writing
    collection: Collection
    fields: dict[str, Scalar] = {}
    cursor: str
    progress: IngestProgress
    failures: tuple[DocumentFailure, ...]
    started: float
    """Seconds since 1970, UTC."""
    mark: str


class IngestInput(Contract):
    """Input of the ingest workflow."""

    collection: str
    """Its name in the worker's app."""
    sources: tuple[str, ...]
    """Absolute paths of files and folders, and what begins with `s3://` or `https://`."""
    host: str = ""
    """Name of the machine on which the paths were meant."""
    fields: dict[str, Scalar] = {}
    """What is known of every document."""
    texts: dict[str, str] = {}
    """The same, as texts that the worker reads by the kinds of the fields."""
    tenant: str = ""
    """Whose documents they are, where the collection is partitioned."""
    prune: bool = False
    """Whether to take out documents of these sources that are gone."""
    rebuild: bool = False
    """Whether to make the collection anew, and show it when it is whole."""
    concurrency: int = 4
    """Documents at once."""
    upload: str = ""
    """SHA-256 of the list of documents that the client has uploaded; empty where workers read the files."""
    carried: IngestCarried | None = None


class BeginCall(Contract):
    """Begins the change of a collection."""

    collection: str
    tenant: str = ""
    fields: dict[str, Scalar] = {}
    texts: dict[str, str] = {}
    rebuild: bool = False
    mark: str
    """Unique to the ingest: documents that it saw carry it."""


class IngestBegun(Charged):
    """A change that was begun.

    With what it cost to ask the embedding model for the length of its vectors.
    """

    writing: Writing
    collection: Collection
    """As the worker's app has it."""
    fields: dict[str, Scalar] = {}
    """What is known of every document, as it is stored."""


class ListCall(Contract):
    """Asks for the next documents of the sources that are new or changed."""

    writing: Writing
    sources: tuple[str, ...]
    host: str = ""
    tenant: str = ""
    cursor: str = ""
    """Where the page before ended; empty for the first."""
    mark: str
    limit: int
    fields: dict[str, Scalar] = {}
    """What is known of every document: one of which something else was known is brought in again."""
    rebuild: bool = False
    upload: str = ""
    """As `IngestInput.upload`."""


class DocumentPage(Contract):
    """Documents of the sources, in the order of their addresses."""

    documents: tuple[DocumentRef, ...] = ()
    """Those that are new or changed."""
    unchanged: int = 0
    failures: tuple[DocumentFailure, ...] = ()
    """Those that cannot be read."""
    cursor: str = ""
    """Where it ends; empty where there is nothing more."""


class DocumentCall(Contract):
    """Brings one document in, where no search sees it yet."""

    writing: Writing
    collection: Collection
    uri: str
    host: str = ""
    tenant: str = ""
    fields: dict[str, Scalar] = {}
    mark: str
    upload: str = ""
    """SHA-256 under which it was uploaded; empty where workers read it where it is."""


class DocumentDone(Staged):
    """A document that was brought in, with what its embedding cost."""

    passages: int
    characters: int


class ShowCall(Contract):
    """Lets searches see documents that were brought in."""

    writing: Writing
    tenant: str = ""
    uris: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    """Documents that searches are to see no more."""
    all_of_it: bool = False
    """Whether everything that was brought in at this step is meant."""


class VanishedCall(Contract):
    """Asks for documents under the sources that this ingest has not seen."""

    writing: Writing
    sources: tuple[str, ...]
    tenant: str = ""
    mark: str
    cursor: str = ""
    limit: int


class Vanished(Contract):
    """Documents that are gone from their sources."""

    uris: tuple[str, ...] = ()
    cursor: str = ""
    """Where it ends; empty where there is nothing more."""


class CollectionSummary(Contract):
    """A collection, as a list shows it."""

    name: str
    embedding: str
    dimensions: int
    documents: int
    passages: int
    generation: int
    updated: str = ""
    """When it was changed, as ISO 8601 in UTC; empty where it never was."""
    served: bool = True
    """Whether the worker's app has it."""


class CollectionsCall(Contract):
    """What is asked of collections besides the searches of runs."""

    kind: str
    """`list`, `drop` or `search`."""
    collection: str = ""
    query: str = ""
    filters: dict[str, Scalar | tuple[Scalar, ...] | dict[str, Scalar]] = {}
    texts: dict[str, str] = {}
    """Values by field, as texts that the worker reads by the kinds of the fields."""
    limit: int = 0
    """Most passages; 0 for as many as the collection says."""
    tenant: str = ""
