"""Searches a collection: one activity, by whichever worker has it."""

from __future__ import annotations

from temporalio import workflow

from ...activities.knowledge.retrieve import RetrieveActivities
from ...contracts.collection.collection import Collection
from ...contracts.errors import SpecError
from ...contracts.wire.retrieval import RetrievalCall, Retrieved
from .. import policy
from ..search_attributes import TENANT
from ..until_served import served


async def retrieve(call: RetrievalCall, activity_id: str, *, budgeted: bool = False) -> Retrieved:
    """Return the passages that fit a query best.

    Args:
        call: The search.
        activity_id: Its durable identity.
        budgeted: Whether an attempt of which nobody knows what it cost is the last.

    Raises:
        SpecError: The collection is partitioned, and the run is nobody's.
        FailureError: It cannot be searched; the cause says why.
    """
    call = call.model_copy(update={"tenant": tenant_of(call.collection)})
    return await served(
        RetrieveActivities.retrieve,
        call,
        summary=f"{call.collection.name}: {call.query}",
        options=policy.retrieve_policy(budgeted=budgeted),
        activity_id=activity_id,
    )


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
