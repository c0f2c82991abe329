"""What a Temporal server refuses, in its own words as recorded, and what we make of them."""

from __future__ import annotations

import pytest
from temporalio.service import RPCError, RPCStatusCode

from sostenuto.clients.rpc_errors import translate_rpc_errors
from sostenuto.contracts.errors import SetupError, SpecError


@pytest.mark.parametrize(
    "words",
    [
        "invalid query: invalid search attribute: SostenutoStatus",
        "Namespace default has no mapping defined for search attribute SostenutoStatus",
    ],
)
def test_search_attributes_of_ours_that_are_missing_have_a_remedy(words: str) -> None:
    with (
        pytest.raises(SetupError, match=r"register them by `sostenuto search-attributes`") as caught,
        translate_rpc_errors("the list of runs"),
    ):
        raise RPCError(words, RPCStatusCode.INVALID_ARGUMENT, b"")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "words",
    [
        "invalid query: invalid search attribute: Nope",
        "invalid query: invalid search attribute: SostenutoStatu",
        "invalid query: invalid expression: invalid value type for search attribute SostenutoTokens of type Int: "
        '"x" (type: string)',
    ],
)
def test_a_query_that_is_wrong_is_answered_by_the_servers_words(words: str) -> None:
    with pytest.raises(SpecError) as caught, translate_rpc_errors("the list of runs"):
        raise RPCError(words, RPCStatusCode.INVALID_ARGUMENT, b"")
    assert str(caught.value) == f"the list of runs: the Temporal server rejects it: {words}"


@pytest.mark.parametrize(
    ("words", "status", "kind", "told"),
    [
        ("workflow execution already completed", RPCStatusCode.NOT_FOUND, SpecError, "it has ended already"),
        (
            "grpc: received message after decompression larger than max 4194304",
            RPCStatusCode.RESOURCE_EXHAUSTED,
            SpecError,
            "too large for the Temporal server",
        ),
        (
            "search attribute SostenutoTenant value size 5002 exceeds size limit 2048",
            RPCStatusCode.INVALID_ARGUMENT,
            SpecError,
            "exceeds size limit 2048",
        ),
    ],
)
def test_what_is_wrong_is_not_told_as_something_else(
    words: str, status: RPCStatusCode, kind: type[Exception], told: str
) -> None:
    with pytest.raises(kind, match=told), translate_rpc_errors("run 'x'"):
        raise RPCError(words, status, b"")
