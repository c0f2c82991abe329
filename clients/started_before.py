"""What was started under an id before.

Whoever starts it again gets it, and nobody gets another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import JsonValue
from pydantic_core import from_json
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from ..contracts import names
from ..contracts.errors import SpecError
from ..history.reading.executions import describe, first_execution
from ..history.reading.follow import read_start
from ..workflows.search_attributes import RUNNABLE, TENANT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from temporalio.api.common.v1 import Payload

    from .start_request import Order


async def find_started_before(temporal: Client, run_id: str, order: Order, tenant: str) -> str:
    """Return an execution of the run that was started with this id before.

    Args:
        temporal: Where it is.
        run_id: The id.
        order: What is to be started.
        tenant: For whom.

    Raises:
        SpecError: It is a run of something else, of another tenant, or was asked something else.
        RPCError: The server refuses.
    """
    description = await describe(temporal, run_id)
    other = description.typed_search_attributes.get(RUNNABLE)
    if other != order.name:
        raise SpecError(
            f"{run_id!r} is a run of {other!r} already, and cannot be one of {order.name!r}: pass another id"
        )
    if (description.typed_search_attributes.get(TENANT) or "") != tenant:
        raise SpecError(f"{run_id!r} is a run of another tenant already: pass another id")
    try:
        started = await read_start(temporal, run_id, first_execution(description))
    except RPCError as error:
        # Its beginning is past the retention time.
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return description.run_id
    is_run = order.workflow == names.RUN_WORKFLOW
    said = _questions(started.input.payloads, is_run=is_run)
    asked = _questions(temporal.data_converter.payload_converter.to_payloads(order.arguments), is_run=is_run)
    if said is not None and said != asked:
        raise SpecError(
            f"{run_id!r} was started already, and was asked something else: pass another id, or the same input to get "
            "that run"
        )
    return description.run_id


def _questions(payloads: Sequence[Payload], *, is_run: bool) -> JsonValue:
    """Return what was asked; None where that is kept where this process does not look."""
    if any(payload.external_payloads for payload in payloads):
        return None
    values: list[Any] = [from_json(payload.data) if payload.data else None for payload in payloads]
    # What runs may have changed since: what it is asked has not.
    return values[0].get("message") if is_run else values
