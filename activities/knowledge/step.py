"""What is around every activity about a collection.

Heartbeats, and failures of durable types.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from temporalio import activity
from temporalio.exceptions import ApplicationError

from ...contracts import names
from ...contracts.collection import patience
from ...contracts.collection.patience import Patience
from ...contracts.errors import DocumentError, ModelError, Overloaded, RateLimited, SostenutoError
from ...contracts.wire.totals import Totals
from ..call.bill import Bill, Costs
from ..call.failure import failure, told
from ..call.heartbeat import heartbeats
from ..not_served import NotServedError, cannot
from .sources.source import SourceElsewhere, SourceError, SourceUnavailable
from .store.vector_store import StoreUnavailable

T = TypeVar("T")


@asynccontextmanager
async def step(
    kind: str = names.COLLECTION_FAILED,
    *,
    costs: Costs | None = None,
    unserved: str = "",
    by: Patience | None = None,
) -> AsyncIterator[Bill]:
    """Heartbeat, and put what goes wrong into a failure of a durable type.

    Gives the bill for what is to be paid for. What a failed attempt has spent is told to the next one, and is the
    detail of the failure.

    Args:
        kind: Type of the failure of what a collection could not do.
        costs: What calls cost, where the step makes some.
        unserved: What to tell before the reason why this worker cannot.
        by: How often it is tried, where what went wrong may pass. Default: as often as a search.
    """
    by = by or patience.SEARCH
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
            raise _failed(error, kind, by, await bill.keep()) from None
        except asyncio.CancelledError:
            # A worker that ends cancels its activities, and another one begins them again.
            await bill.keep()
            raise
        except Exception as error:  # noqa: BLE001 - a bug of ours, or of a library: what was paid for is paid for
            again = activity.info().attempt < by.attempts
            raise failure(error, told(error), kind=kind, retryable=again, details=await bill.keep()) from None


def needed(part: T | None) -> T:
    """Return what does the work, which a worker has whose app has collections.

    Raises:
        NotServedError: This worker has none.
    """
    if part is None:
        raise NotServedError("this worker's app has no collections: add them by App(collections=[…])")
    return part


def _failed(error: SostenutoError, kind: str, by: Patience, spent: tuple[Totals, ...]) -> ApplicationError:
    attempt, attempts = activity.info().attempt, by.attempts
    passing, delay = isinstance(error, StoreUnavailable | SourceUnavailable), None
    if isinstance(error, ModelError):
        passing, delay = error.retryable, error.retry_after
        # Each answer that cannot be read is paid for.
        attempts = min(attempts, error.most_attempts or attempts)
        if delay is None and isinstance(error, RateLimited | Overloaded):
            delay = by.busy_pause(attempt)
    retryable = passing and attempt < attempts
    words = str(error) or type(error).__name__
    return failure(error, words, kind=kind, retryable=retryable, delay=delay, details=spent)
