"""Puts what a Temporal server refuses into words that say what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from temporalio.service import RPCError, RPCStatusCode

from ..contracts import names
from ..contracts.errors import SetupError, SostenutoError, SpecError
from ..contracts.limits import HOW_TO_KEEP_OUTSIDE

# Not "search attribute SostenutoTokens of type Int": that one is there, and the query compares it with something else.
_LACKING = re.compile(rf"search attribute:? (?:{'|'.join(names.SEARCH_ATTRIBUTES)})\b(?! of type| value size)")


@contextmanager
def translate_rpc_errors(what: str) -> Iterator[None]:
    """Turn the RPC errors of its block into ours.

    Args:
        what: What was being done, as a noun: `run 'ticket-812'`, `the list of runs`.

    Raises:
        SpecError: The request is wrong: no such run, a bad query, too large an input.
        SetupError: The server is away, denies access, or lacks something.
    """
    try:
        yield
    except RPCError as error:
        raise _explanation(what, error) from error


def _explanation(what: str, error: RPCError) -> SostenutoError:
    message = error.message
    if _LACKING.search(message):
        return SetupError(
            f"{what}: the Temporal namespace lacks our search attributes ({message}): "
            "register them by `sostenuto search-attributes`"
        )
    if error.status is RPCStatusCode.NOT_FOUND:
        if message.startswith("Namespace"):
            return SetupError(f"{what}: {message} Set TEMPORAL_NAMESPACE to one that exists.")
        if "already completed" in message:
            return SpecError(f"{what}: it has ended already")
        return SpecError(f"{what}: there is no such run, or its history is past the retention time ({message})")
    if error.status is RPCStatusCode.INVALID_ARGUMENT:
        return SpecError(f"{what}: the Temporal server rejects it: {message}")
    if error.status is RPCStatusCode.RESOURCE_EXHAUSTED and "larger than max" in message:
        return SpecError(f"{what}: too large for the Temporal server: pass less, or {HOW_TO_KEEP_OUTSIDE} ({message})")
    if error.status in (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED):
        return SetupError(f"{what}: the Temporal server denies access ({message}): check TEMPORAL_API_KEY")
    is_late = error.status in (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)
    how = "took too long to answer" if is_late else "does not answer as it should"
    return SetupError(f"{what}: the Temporal server {how}: {message}")
