"""Runs a retrieval: rewrites the query where it is to be, and searches."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio.exceptions import FailureError, is_cancelled_exception

from ...contracts.collection.collection import MAX_QUERY_CHARS
from ...contracts.errors import SpecError
from ...contracts.model import Model, OutputSchema
from ...contracts.specs.agent import Agent
from ...contracts.specs.retrieve import Retrieve
from ...contracts.wire.retrieval import RetrievalCall, Retrieved
from ...contracts.wire.run import Result, Status
from ..budget.spent_error import BudgetSpentError
from ..concurrency import told_by
from ..host import Host
from ..scope import Scope
from ..tally import Tally

MOST_QUERIES = 4
"""So many queries a model may make of one."""

_MULTI_QUERY = (
    f"Write up to {MOST_QUERIES} other ways of searching for what the message asks: in other words, such as documents "
    "would use. Do not answer it."
)
_DECOMPOSITION = (
    f"Split the message into the simpler questions, at most {MOST_QUERIES}, whose answers together answer it. Each has "
    "to be understood without the others. Do not answer them."
)
_HYDE = "Write a passage of two or three sentences, as it might stand in a document, that answers the message."


async def run_retrieve(host: Host, spec: Retrieve, scope: Scope) -> Result:
    """Return the passages that a search finds, as a model reads them."""
    tally = Tally()
    try:
        found = await search_for(host, spec, scope, tally)
    except SpecError as error:
        return tally.result(Status.FAILED, str(error))
    except BudgetSpentError as spent:
        result = tally.result(Status.EXHAUSTED, spent.reason)
        return result.model_copy(update={"exhausted": spent.limit})
    except asyncio.CancelledError:
        return tally.cancelled()
    except FailureError as error:
        if is_cancelled_exception(error):
            return tally.cancelled()
        return tally.result(Status.FAILED, told_by(error))
    result = tally.result(Status.COMPLETED, found.note, output=found.content)
    return result.model_copy(update={"passages": tuple(passage.id for passage in found.passages)})


async def search_for(host: Host, spec: Retrieve, scope: Scope, tally: Tally) -> Retrieved:
    """Return what a search finds. Its note says what did not go as it should.

    Raises:
        SpecError: Something that it takes is missing or wrong; says which.
        BudgetSpentError: A budget is not enough for it.
        FailureError: It cannot be searched, or is cancelled.
        asyncio.CancelledError: The workflow is being cancelled.
    """
    message = scope.render(spec.query) if spec.query else scope.message
    call = RetrievalCall(
        collection=spec.collection,
        query=message.text,
        conditions=spec.conditions(scope.names),
        limit=spec.limit,
    )
    note = ""
    if spec.model:
        said = tally.add(await host.ask(_rewriter(spec, spec.model), scope.path, message))
        if said.status is Status.CANCELLED:
            raise asyncio.CancelledError
        if said.status is Status.COMPLETED:
            call = call.model_copy(update=_rewritten(spec, said.output))
        else:
            note = f"the query was not rewritten: {said.status}: {said.reason}"
    found = await host.search(call, scope.path, tally)
    notes = "; ".join(filter(None, (note, found.note)))
    return found.model_copy(update={"note": notes})


def _rewriter(spec: Retrieve, model: Model) -> Agent:
    if spec.rewrite == "hyde":
        return Agent(name=spec.name, model=model, instructions=_HYDE)
    queries = {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MOST_QUERIES}
    schema = {
        "type": "object",
        "properties": {"queries": queries},
        "required": ["queries"],
        "additionalProperties": False,
    }
    return Agent(
        name=spec.name,
        model=model,
        instructions=_MULTI_QUERY if spec.rewrite == "multi-query" else _DECOMPOSITION,
        output=OutputSchema(name="queries", json_schema=schema),
    )


def _rewritten(spec: Retrieve, output: Any) -> dict[str, Any]:
    """Return what a model made of the query, as fields of the call."""
    if spec.rewrite == "hyde":
        return {"hypothetical": output[:MAX_QUERY_CHARS]}
    written = (query[:MAX_QUERY_CHARS] for query in output["queries"] if query.strip())
    return {"queries": tuple(dict.fromkeys(written))[:MOST_QUERIES]}
