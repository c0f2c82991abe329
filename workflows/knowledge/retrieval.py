"""Searches a collection: one activity, by whichever worker has it."""

from __future__ import annotations

from temporalio import workflow

from ...activities.knowledge.retrieve import RetrieveActivities
from ...contracts.collection.collection import Collection
from ...contracts.errors import SpecError
from ...contracts.text import first_line
from ...contracts.wire.retrieval import RetrievalCall, Retrieved
from .. import policy
from ..search_attributes import TENANT
from ..until_served import until_served


async def retrieve(call: RetrievalCall, activity_id: str) -> Retrieved:
    """Return the passages that fit a query best.

    Raises:
        SpecError: The collection is partitioned, and the run is nobody's.
        FailureError: It cannot be searched; the cause says why.
    """
    call = call.model_copy(update={"tenant": tenant_of(call.collection)})

    async def start(refused: int) -> Retrieved:  # noqa: ARG001 - each try is the same
        return await workflow.start_activity_method(
            RetrieveActivities.retrieve,
            call,
            activity_id=activity_id,
            summary=first_line(f"{call.collection.name}: {call.query}", 80),
            **policy.retrieve_policy(),
        )

    return await until_served(start)


def tenant_of(collection: Collection) -> str:
    """Return whose documents a run finds.

    Those of its own tenant, whatever a model asks for.

    Raises:
        SpecError: The collection is partitioned, and the run is nobody's.
    """
    if not collection.partition:
        return ""
    tenant = workflow.info().typed_search_attributes.get(TENANT)
    if not tenant:
        raise SpecError(
            f"collection {collection.name!r} is partitioned by tenant, and the run has none: start it with tenant="
        )
    return tenant
