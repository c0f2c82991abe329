"""One search of a collection: what is asked, and the passages that were found."""

from __future__ import annotations

import re
from html import escape
from typing import Any

from ..collection.collection import Collection
from ..collection.document import PATH_SEPARATOR
from ..collection.fields import Condition
from ..contract import Contract
from ..guardrails.any_guardrail import AnyGuardrail
from ..message import ToolResultPart
from .guardrails.decision import GuardrailDecision
from .totals import Staged

_FRAME = re.compile(r"<(?=\s*/?\s*passage)", re.IGNORECASE)
_ESCAPED = re.compile(r"&lt;(?=\s*/?\s*passage)", re.IGNORECASE)
_NOTHING = "Nothing was found."


class RetrievalCall(Contract):
    """Input of one search."""

    collection: Collection
    """As the run has it. What it is made of, such as its embedding, has to be what the worker's store has."""
    query: str
    conditions: tuple[Condition, ...] = ()
    """What the fields of a document have to be."""
    queries: tuple[str, ...] = ()
    """Further ways of asking, searched for as the query is."""
    hypothetical: str = ""
    """A passage that might answer the query, which is searched for by meaning alone."""
    limit: int
    """Most passages."""
    tenant: str = ""
    """Whose documents, where the collection is partitioned."""
    call_id: str = ""
    """Id of the tool call that asks for it; empty where none does."""
    name: str = ""
    """What the model calls the tool that asks for it."""
    judge_tokens: int = 0
    """Most tokens of the reranker's one call, where a budget limits the search: it is shown no more passages than fit.
    An attempt of which nobody knows what it cost is then the last."""
    guardrails: tuple[AnyGuardrail, ...] = ()
    """What passages have to pass."""


class Scores(Contract):
    """How well a passage fits, by each stage that had it.

    None where a stage did not find it.
    """

    dense: float | None = None
    """Cosine of the embeddings, -1 to 1."""
    sparse: float | None = None
    """BM25, from 0."""
    fused: float | None = None
    """Of both ways of searching, by their ranks: 0 to 1."""
    rerank: float | None = None
    """By the reranker: the more the better."""


class Passage(Contract):
    """A piece of a document that was found."""

    id: str
    """What it is cited by. The same for the same piece of the same content."""
    text: str
    source: str
    """URI of the document."""
    title: str = ""
    page: int | None = None
    """From 1; None where the document has no pages."""
    headings: tuple[str, ...] = ()
    """The headings that it stands under, from the top."""
    start: int
    """Offset in the document's text, in characters."""
    end: int
    fields: dict[str, Any] = {}
    scores: Scores = Scores()


class Retrieved(Staged):
    """Output of one search, with what its embedding and its reranker cost."""

    passages: tuple[Passage, ...] = ()
    """The best first."""
    searched: int = 0
    """How many passages the collection has."""
    seconds: float = 0.0
    step: int = 0
    """Which moment of the collection was searched."""
    note: str = ""
    """What there is to say of a search that did not go quite as it should, such as that nothing was reranked."""
    decisions: tuple[GuardrailDecision, ...] = ()
    """What guardrails decided of the passages."""
    sealed: dict[str, str] = {}
    """Originals of what they redacted, as ciphertext, by placeholder."""

    @property
    def content(self) -> str:
        """What a model reads of it."""
        if not self.passages:
            return _NOTHING
        return "\n".join(map(_told, self.passages))

    def as_result(self, call_id: str, name: str) -> ToolResultPart:
        """Return what the model is told that asked for it."""
        advice = "" if self.passages else " Try other words, or fewer filters."
        return ToolResultPart(call_id=call_id, name=name, content=self.content + advice, passages=len(self.passages))

    def summary(self, collection: str) -> str:
        """Return it in a line."""
        found = f"{collection} · {len(self.passages)} of {self.searched:,} · {self.seconds * 1000:.0f} ms"
        return " · ".join(filter(None, (found, self.totals.told, self.note)))


def text_within_frame(told: str) -> str:
    """Return the text of a passage without its frame."""
    return _ESCAPED.sub("<", told)


def _told(passage: Passage) -> str:
    said = {
        "id": passage.id,
        "source": passage.source,
        "section": PATH_SEPARATOR.join(passage.headings),
        "page": str(passage.page or ""),
    }
    written = "".join(f' {name}="{escape(value)}"' for name, value in said.items() if value)
    # No text may end its frame, and begin one under another's name.
    return f"<passage{written}>\n{_FRAME.sub('&lt;', passage.text.strip())}\n</passage>"
