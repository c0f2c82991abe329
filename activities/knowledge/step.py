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
from ...contracts.wire.totals import Totals
from ..call.bill import Bill, Costs
from ..call.failure import failure
from ..call.heartbeat import heartbeats
from ..not_served import NotServedError, cannot
from .sources import SourceElsewhere, SourceError
from .store.vector_store import StoreUnavailable

_ATTEMPTS: Final = 4
"""After so many whoever asked is told."""

PATIENT_ATTEMPTS: Final = 12
"""The same for work that nobody waits for at a screen: so it goes on through some minutes of a busy provider."""

_LONGEST_PAUSE: Final = timedelta(minutes=1)


@asynccontextmanager
async def step(
    kind: str = names.COLLECTION_FAILED,
    *,
    costs: Costs | None = None,
    unserved: str = "",
    attempts: int = _ATTEMPTS,
) -> AsyncIterator[Bill]:
    """Heartbeat, and put what goes wrong into a failure of a durable type.

    Gives the bill for what is to be paid for. What a failed attempt has spent is told to the next one, and is the
    detail of the failure.

    Args:
        kind: Type of the failure of what a collection could not do.
        costs: What calls cost, where the step makes some.
        unserved: What to tell before the reason why this worker cannot.
        attempts: How often it is tried, where what went wrong may pass.
    """
    async with heartbeats() as report:
        bill = Bill(costs, report)
        try:
            yield bill
        except (NotServedError, SourceElsewhere) as error:
            await bill.keep()
            raise await cannot(f"{unserved}{error}") from None
        except (DocumentError, SourceError) as error:
            spent = await bill.keep()
            raise failure(error, str(error), kind=names.DOCUMENT_FAILED, retryable=False, details=spent) from None
        except SostenutoError as error:
            raise _failed(error, kind, attempts, await bill.keep()) from None


def _failed(error: SostenutoError, kind: str, attempts: int, spent: tuple[Totals, ...]) -> ApplicationError:
    attempt = activity.info().attempt
    passing, delay = isinstance(error, StoreUnavailable), None
    if isinstance(error, ModelError):
        passing, delay = error.retryable, error.retry_after
        # Each answer that cannot be read is paid for.
        attempts = min(attempts, error.most_attempts or attempts)
        if delay is None and isinstance(error, RateLimited | Overloaded):
            delay = min(timedelta(seconds=2.0**attempt), _LONGEST_PAUSE)
    retryable = passing and attempt < attempts
    words = str(error) or type(error).__name__
    return failure(error, words, kind=kind, retryable=retryable, delay=delay, details=spent)
