"""Examples of what crosses the wire about collections."""

from __future__ import annotations

from typing import Any

from sostenuto import Usage
from sostenuto.contracts.collection.citation import Attribution, Citation
from sostenuto.contracts.collection.fields import Condition, Field
from sostenuto.contracts.contract import Contract
from sostenuto.contracts.wire import retrieval, totals
from sostenuto.contracts.wire.ingest import ingest
from tests.unit.contracts.spec_examples import HANDBOOK

FIELD = Field(kind="text", choices=("a", "b"))
CONDITION = Condition(field="team", any_of=("core", "ops"))
BETWEEN = Condition(field="year", at_least=2024, at_most=2026)
SCORES = retrieval.Scores(dense=0.5, sparse=7.25, fused=0.75, rerank=0.875)
PASSAGE = retrieval.Passage(
    id="6dc28a082f",
    text="Store it lying flat.",
    source="file:///docs/probe.md",
    title="The probe",
    page=2,
    headings=("The probe", "Storage"),
    start=10,
    end=30,
    fields={"team": "core"},
    scores=SCORES,
)
WRITING = ingest.Writing(name="handbook", generation=1, step=3)
FAILURE = ingest.DocumentFailure(uri="file:///docs/a.pdf", reason="it is protected by a password")
USED: dict[str, Any] = {"usage": Usage(input_tokens=1_200), "cost_usd": 0.25, "unpriced_calls": 1}
COUNTS: dict[str, Any] = {
    "done": 3,
    "unchanged": 2,
    "failed": 1,
    "removed": 4,
    "passages": 20,
    "found": 6,
    "listed": True,
} | USED
STAGE = totals.StepStage(kind="embeddings", model="openai/e", after_seconds=0.125, seconds=0.25, **USED)
PROGRESS = ingest.IngestProgress(**COUNTS)
CARRIED = ingest.IngestCarried(
    writing=WRITING,
    collection=HANDBOOK,
    fields={"team": "core"},
    cursor="/docs/m.md",
    progress=PROGRESS,
    failures=(FAILURE,),
    started=1_790_000_000.5,
    mark="run-1",
)

CITATION_OF_A_CLAIM = Citation(
    claim="It is stored flat.",
    passage="6dc28a082f",
    source="file:///docs/probe.md",
    title="The probe",
    page=2,
    headings=("The probe", "Storage"),
    quote="Store it lying flat.",
    start=10,
    end=30,
)

KNOWLEDGE: tuple[Contract, ...] = (
    CITATION_OF_A_CLAIM,
    Citation(
        claim="It is flat.",
        passage="0f2b9d1c33",
        source="file:///docs/probe.md",
        start=0,
        end=12,
        attribution=Attribution.SIMILARITY,
    ),
    FIELD,
    CONDITION,
    BETWEEN,
    SCORES,
    PASSAGE,
    retrieval.RetrievalCall(
        collection=HANDBOOK,
        query="How is it stored?",
        queries=("Where is it kept?",),
        hypothetical="It is kept in a box.",
        conditions=(CONDITION, BETWEEN),
        limit=3,
        tenant="acme",
        call_id="call_1_0",
        name="find",
        judge_tokens=9_000,
    ),
    retrieval.Retrieved(
        passages=(PASSAGE,), searched=1_204, seconds=0.011, step=3, note="not reranked", stages=(STAGE,), **USED
    ),
    STAGE,
    WRITING,
    FAILURE,
    PROGRESS,
    CARRIED,
    ingest.DocumentRef(uri="file:///docs/probe.md", hash="ab" * 32, size=1_000),
    ingest.IngestReport(collection="handbook", failures=(FAILURE,), seconds=1.5, note="slower", **COUNTS),
    ingest.IngestInput(
        collection="handbook",
        sources=("/docs",),
        host="desk",
        fields={"year": 2026},
        texts={"team": "core"},
        tenant="acme",
        prune=True,
        rebuild=True,
        concurrency=2,
        upload="ab" * 32,
        carried=CARRIED,
    ),
    ingest.BeginCall(
        collection="handbook",
        tenant="acme",
        fields={"year": 2026},
        texts={"team": "core"},
        rebuild=True,
        mark="run-1",
    ),
    ingest.IngestBegun(writing=WRITING, collection=HANDBOOK, fields={"team": "core"}, **USED),
    ingest.ListCall(
        writing=WRITING,
        sources=("/docs",),
        host="desk",
        tenant="acme",
        cursor="/docs/m.md",
        mark="run-1",
        limit=100,
        fields={"team": "core"},
        rebuild=True,
        upload="ab" * 32,
    ),
    ingest.DocumentPage(
        documents=(ingest.DocumentRef(uri="file:///docs/probe.md", hash="ab" * 32, size=1_000),),
        unchanged=2,
        failures=(FAILURE,),
        cursor="/docs/probe.md",
    ),
    ingest.DocumentCall(
        writing=WRITING,
        collection=HANDBOOK,
        uri="file:///docs/probe.md",
        host="desk",
        tenant="acme",
        fields={"team": "core"},
        mark="run-1",
        upload="ab" * 32,
    ),
    ingest.DocumentDone(passages=3, characters=1_000, stages=(STAGE,), **USED),
    ingest.ShowCall(
        writing=WRITING,
        tenant="acme",
        uris=("file:///docs/probe.md",),
        gone=("file:///docs/old.md",),
        all_of_it=True,
    ),
    ingest.VanishedCall(
        writing=WRITING,
        sources=("/docs",),
        tenant="acme",
        mark="run-1",
        cursor="00000000-0000-0000-0000-000000000001",
        limit=10,
    ),
    ingest.Vanished(uris=("file:///docs/old.md",), cursor="00000000-0000-0000-0000-000000000001"),
    ingest.CollectionSummary(
        name="handbook",
        embedding="local/minilm",
        dimensions=384,
        documents=3,
        passages=20,
        generation=1,
        updated="2026-11-29T08:48:24+00:00",
        served=False,
    ),
    ingest.CollectionsCall(
        kind="search",
        collection="handbook",
        query="How is it stored?",
        filters={"team": ("core", "ops"), "year": {"from": 2024}},
        texts={"team": "core"},
        limit=3,
        tenant="acme",
    ),
)
