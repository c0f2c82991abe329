"""What was started under an id before.

Whoever starts it again gets it, and nobody gets another one.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from ..contracts import names
from ..contracts.contract import in_one_order
from ..contracts.errors import SpecError
from ..history.reading.executions import context_of, describe, first_execution
from ..history.reading.follow import decoded, read_start
from ..workflows.search_attributes import RUNNABLE, TENANT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from temporalio.api.common.v1 import Payload, Payloads

    from .start_request import Order


async def find_started_before(temporal: Client, run_id: str, order: Order) -> str:
    """Return an execution of the run that was started with this id before.

    Args:
        temporal: Where it is.
        run_id: The id.
        order: What is to be started.

    Raises:
        SpecError: It is a run of something else, of another tenant, with another context, or was asked something else.
        RPCError: The server refuses.
    """
    description = await describe(temporal, run_id)
    other = description.typed_search_attributes.get(RUNNABLE)
    if other != order.name:
        raise SpecError(
            f"{run_id!r} is a run of {other!r} already, and cannot be one of {order.name!r}: pass another id"
        )
    kind = description.workflow_type
    if kind not in (order.workflow, names.RUN_WORKFLOW):
        raise SpecError(
            f"{run_id!r} is of the type {kind!r} already, and cannot be {order.workflow!r}: pass another id"
        )
    if (description.typed_search_attributes.get(TENANT) or "") != order.tenant:
        raise SpecError(f"{run_id!r} is a run of another tenant already: pass another id")
    if await context_of(description) != order.context:
        raise SpecError(f"{run_id!r} was started already, with another context: pass another id, or the same context")
    try:
        started = await read_start(temporal, run_id, first_execution(description))
    except RPCError as error:
        # Its beginning is past the retention time.
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return description.run_id
    is_run = names.is_run_type(order.workflow)
    said = await _whole(temporal, started.input)
    asked = temporal.data_converter.payload_converter.to_payloads(order.arguments)
    given = None if is_run else order.arguments
    if said is not None and _questions(said, given) != _questions(asked, given):
        raise SpecError(
            f"{run_id!r} was started already, and was asked something else, or with another budget: pass another id, "
            "or the same input and budget to get that run"
        )
    return description.run_id


async def _whole(temporal: Client, said: Payloads) -> Sequence[Payload] | None:
    """Return payloads as before encryption and external storage.

    None where this process does not know how, or what is kept outside is not there any more.
    """
    try:
        found = (await decoded(said, temporal.data_converter)).payloads
    except Exception:  # noqa: BLE001 - whatever a codec or a store raises: the run goes on as it is
        return None
    return None if any(payload.external_payloads for payload in found) else found


def _questions(payloads: Sequence[Payload], given: Sequence[Any] | None) -> list[object]:
    """Return what was asked, to be compared.

    Args:
        payloads: As they are sent.
        given: What a code-first workflow is given now: knows what of it is a set. None: it is a run.
    """
    if given is not None:
        known = given if len(given) == len(payloads) else [None] * len(payloads)
        return [_argument(payload, one) for payload, one in zip(payloads, known, strict=True)]
    # What runs may have changed since: what it is asked has not.
    asked = from_json(payloads[0].data)
    messages = [*(asked.get("before") or ()), asked.get("message") or {}]
    said = [[one.get("role"), *map(_canonical, one.get("parts", ()))] for one in messages]
    return [said, _limits_of(asked.get("budget") or {})]


def _limits_of(budget: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a budget limits.

    The prices of what it degrades to may have changed since.
    """
    return {name: value for name, value in budget.items() if name != "on_exhausted"}


def _argument(payload: Payload, given: Any) -> object:
    is_json = payload.metadata.get("encoding", b"").startswith(b"json/")
    # Sets become lists, in the order of one process.
    return _canonical(in_one_order(from_json(payload.data), given)) if is_json else payload.data


def _canonical(value: Any) -> str:
    """Return a value as text that is the same however a dict was ordered.

    A text that is JSON, as fields are sent, counts as that JSON.
    """
    return json.dumps(_read(value), sort_keys=True)


def _read(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _read(one) for key, one in value.items()}
    if isinstance(value, list):
        return [*map(_read, value)]
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return ["json", _read(from_json(value))]
        except ValueError:
            return value
    return value
