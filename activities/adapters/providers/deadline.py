"""The time that one model call may take, the same for every adapter.

Must not know any provider.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from ....contracts.errors import Timeout
from ....contracts.model import Model

_MARGIN_SHARE = 0.05
_LONGEST_MARGIN = timedelta(seconds=2)


def call_seconds(model: Model) -> float:
    """Return the seconds a call may take: just less than the activity's timeout.

    So the adapter ends first and can say what happened, where the activity's timeout could not.
    """
    margin = min(model.timeout * _MARGIN_SHARE, _LONGEST_MARGIN)
    return (model.timeout - margin).total_seconds()


@asynccontextmanager
async def deadline(model: Model) -> AsyncIterator[None]:
    """Bound a whole call in time.

    The timeouts of HTTP clients bound only the wait for the next bytes.

    Raises:
        Timeout: The call took longer than `call_seconds`.
    """
    seconds = call_seconds(model)
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise Timeout(f"no whole answer within {seconds:g} s: raise Model.timeout to wait longer") from None
