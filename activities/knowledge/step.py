"""What is around every activity about a collection.

Heartbeats, and failures of durable types.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from temporalio import activity
from temporalio.exceptions import ApplicationError

from ...contracts import names
from ...contracts.errors import DocumentError, ModelError, Overloaded, RateLimited, SostenutoError
from ..call.failure import failure
from ..call.heartbeat import heartbeats
from ..call.tool_call import Report
from ..not_served import NotServedError, cannot
from .sources import SourceElsewhere, SourceError
from .vector_store import StoreUnavailable

_ATTEMPTS: Final = 4
"""After so many whoever asked is told."""

PATIENT_ATTEMPTS: Final = 12
"""The same for work that nobody waits for at a screen: so it goes on through some minutes of a busy provider."""

_LONGEST_PAUSE: Final = timedelta(minutes=1)


@asynccontextmanager
async def step(
    kind: str = names.COLLECTION_FAILED, *, unserved: str = "", attempts: int = _ATTEMPTS
) -> AsyncIterator[Report]:
    """Heartbeat, and put what goes wrong into a failure of a durable type.

    Args:
        kind: Type of the failure of what a collection could not do.
        unserved: What to tell before the reason why this worker cannot.
        attempts: How often it is tried, where what went wrong may pass.
    """
    try:
        async with heartbeats() as report:
            yield report
    except (NotServedError, SourceElsewhere) as error:
        raise await cannot(f"{unserved}{error}") from None
    except (DocumentError, SourceError) as error:
        raise failure(error, str(error), kind=names.DOCUMENT_FAILED, retryable=False) from None
    except SostenutoError as error:
        raise _failed(error, kind, attempts) from None


def _failed(error: SostenutoError, kind: str, attempts: int) -> ApplicationError:
    attempt = activity.info().attempt
    passing, delay = isinstance(error, StoreUnavailable), None
    if isinstance(error, ModelError):
        passing, delay = error.retryable, error.retry_after
        # Each answer that cannot be read is paid for.
        attempts = min(attempts, error.most_attempts or attempts)
        if delay is None and isinstance(error, RateLimited | Overloaded):
            delay = min(timedelta(seconds=2.0**attempt), _LONGEST_PAUSE)
    retryable = passing and attempt < attempts
    return failure(error, str(error) or type(error).__name__, kind=kind, retryable=retryable, delay=delay)
