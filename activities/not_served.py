"""What a worker answers where it lacks something: another one may make the call.

The call has not begun, whatever it does. A missing piece on one worker is not missing everywhere: during a deploy, old
and new ones share a queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from temporalio import activity
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from ..contracts import names
from ..contracts.errors import SostenutoError
from ..contracts.wire.places import ActivityId
from .call.own_workflow_query import release_own_run


class NotServedError(SostenutoError):
    """This worker lacks what a call takes; says what, and how to serve it."""


@activity.defn(dynamic=True)
async def not_served(given: Sequence[RawValue]) -> None:  # noqa: ARG001 - whatever it is, nobody here can use it
    """Answer for every activity that this worker does not have.

    Repeatable: it does nothing. A tool call fails with `NotServed`, which its workflow hands to another worker; any
    other activity fails as the SDK has it, and is retried as its own policy says. Costs nothing.
    """
    info = activity.info()
    if ActivityId.parse(info.activity_id).is_tool_call:
        raise await cannot(f"no worker here serves a tool {info.activity_type!r}: put it into App(tools=[...])")
    raise ApplicationError(f"no activity {info.activity_type!r} is served by this worker", type="NotFoundError")


async def cannot(why: str) -> ApplicationError:
    """Return the failure of a call that this worker cannot make, to be raised.

    Args:
        why: What it lacks, and what to do about it.
    """
    if not activity.info().is_local:
        # Its next workflow task may go to a worker that has what is lacking here. Where that fails it takes longer.
        with suppress(Exception):
            async with asyncio.timeout(1):
                await release_own_run()
    # A call that is repeated keeps its count: its retries are Temporal's.
    return ApplicationError(why, type=names.NOT_SERVED, non_retryable=activity.info().attempt == 1)
