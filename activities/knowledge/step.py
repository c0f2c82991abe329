"""What is around every activity about a collection.

Heartbeats, and failures of durable types.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio import activity
from temporalio.exceptions import ApplicationError

from ...contracts import names
from ...contracts.errors import DocumentError, ModelError, SostenutoError
from ..call.failure import failure
from ..call.heartbeat import heartbeats
from ..call.tool_call import Report
from ..not_served import NotServedError, cannot
from .sources import SourceElsewhere, SourceError
from .vector_store import StoreUnavailable

_ATTEMPTS = 4
"""After so many whoever asked is told."""


@asynccontextmanager
async def step(kind: str = names.COLLECTION_FAILED, *, unserved: str = "") -> AsyncIterator[Report]:
    """Heartbeat, and put what goes wrong into a failure of a durable type.

    Args:
        kind: Type of the failure of what a collection could not do.
        unserved: What to tell before the reason why this worker cannot.
    """
    try:
        async with heartbeats() as report:
            yield report
    except (NotServedError, SourceElsewhere) as error:
        raise await cannot(f"{unserved}{error}") from None
    except (DocumentError, SourceError) as error:
        raise failure(error, str(error), kind=names.DOCUMENT_FAILED, retryable=False) from None
    except SostenutoError as error:
        raise _failed(error, kind) from None


def _failed(error: SostenutoError, kind: str) -> ApplicationError:
    passing = isinstance(error, StoreUnavailable) or (isinstance(error, ModelError) and error.retryable)
    delay = error.retry_after if isinstance(error, ModelError) else None
    retryable = passing and activity.info().attempt < _ATTEMPTS
    return failure(error, str(error) or type(error).__name__, kind=kind, retryable=retryable, delay=delay)
