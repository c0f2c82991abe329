"""Registers the search attributes that runs carry, where nobody has."""

from __future__ import annotations

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from ..contracts import names
from ..contracts.errors import SetupError
from .rpc_errors import translate_rpc_errors

_TYPES = {
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "Double": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
    "Int": IndexedValueType.INDEXED_VALUE_TYPE_INT,
}
_NOT_HERE = frozenset({RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED})


async def register_search_attributes(temporal: Client) -> list[str]:
    """Register the search attributes that are missing and return their names.

    Raises:
        SetupError: One is registered with another type, or this server registers none through its API.
    """
    wanted = {name: _TYPES[kind] for name, kind in names.SEARCH_ATTRIBUTES.items()}
    with translate_rpc_errors("the search attributes"):
        try:
            known = await temporal.operator_service.list_search_attributes(
                ListSearchAttributesRequest(namespace=temporal.namespace)
            )
            for name, kind in wanted.items():
                if known.custom_attributes.get(name, kind) != kind:
                    raise SetupError(
                        f"the search attribute {name} of namespace {temporal.namespace!r} is not of type "
                        f"{names.SEARCH_ATTRIBUTES[name]}: remove it first"
                    )
            missing = {name: kind for name, kind in wanted.items() if name not in known.custom_attributes}
            if missing:
                request = AddSearchAttributesRequest(namespace=temporal.namespace, search_attributes=missing)
                await temporal.operator_service.add_search_attributes(request)
        except RPCError as error:
            if error.status not in _NOT_HERE:
                raise
            kinds = ", ".join(f"{name} ({kind})" for name, kind in names.SEARCH_ATTRIBUTES.items())
            raise SetupError(
                f"this Temporal server registers no search attributes through its API ({error.message}): "
                f"add them by its own tools: {kinds}"
            ) from error
    return list(missing)
