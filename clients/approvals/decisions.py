"""Sends what people decide to the workflow that waits for it.

Puts what it refuses into our errors.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar
from uuid import uuid4

from temporalio.client import (
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from ...activities.dropped_update import is_dropped
from ...contracts import names
from ...contracts.contract import Contract
from ...contracts.errors import SetupError, SpecError
from ...contracts.wire.control.decision import Decided, Decision
from ..rpc_errors import translate_rpc_errors

CameT = TypeVar("CameT", bound=Contract)

_PATIENCE_SECONDS: Final = 60.0
_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 5.0
_OVER: Final = ("already completed", "closing workflow")
"""In what the server says of a workflow that has ended, or ends just now."""
_AGAIN: Final = "; where a worker takes this one meanwhile, the second is refused, and nothing happens twice"


async def send_decision(temporal: Client, run_id: str, decision: Decision) -> Decided:
    """Send a decision, and wait until the run has taken it.

    Raises:
        SpecError: As for `send_to_run`.
        SetupError: As for `send_to_run`.
    """
    what = f"call {decision.call_id!r} of run {run_id!r}"
    return await send_to_run(temporal, run_id, names.DECIDE_UPDATE, decision, Decided, what, again=_AGAIN)


async def send_to_run(
    temporal: Client,
    run_id: str,
    update: str,
    said: Contract,
    came: type[CameT],
    what: str,
    *,
    again: str,
    update_id: str = "",
) -> CameT:
    """Send what somebody decides, and wait until the run has taken it.

    Args:
        temporal: Where the run is.
        run_id: Its id.
        update: Name of the update.
        said: What it takes.
        came: The type of what comes of it.
        what: What it is about, as a noun, for messages.
        again: What comes of it where it is sent again, in words.
        update_id: By which the run knows it again. Empty: none other has it.

    Raises:
        SpecError: The run refuses it, or has ended; says why.
        SetupError: The server is away, denies access, or no worker takes it.
    """
    handle = temporal.get_workflow_handle(run_id)
    same_id = update_id or uuid4().hex

    async def deliver() -> CameT:
        sent = await handle.start_update(
            update, said, id=same_id, wait_for_stage=WorkflowUpdateStage.COMPLETED, result_type=came
        )
        outcome: CameT = await sent.result()
        return outcome

    return await until_taken(deliver, what, taker="the run", again=again)


async def until_taken(send: Callable[[], Awaitable[CameT]], what: str, *, taker: str, again: str) -> CameT:
    """Send an update until a workflow of ours has taken it.

    Args:
        send: Sends it, and returns what comes of it. Each time under the same id.
        what: What it is about, as a noun, for messages.
        taker: The workflow, as a noun.
        again: What comes of it where it is sent again, in words.

    Raises:
        SpecError: The workflow refuses it, or has ended; says why.
        SetupError: The server is away, denies access, or no worker takes it.
    """
    unserved = (
        f"{what}: no worker took it within {_PATIENCE_SECONDS:g} s: start one that serves {taker} "
        f"(`sostenuto worker MODULE:APP`), and send it again{again}"
    )
    with translate_rpc_errors(what):
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return await _repeated(send)
        except WorkflowUpdateFailedError as error:
            why = error.cause.message if isinstance(error.cause, ApplicationError) else str(error.cause)
            raise SpecError(f"{what}: {why}") from None
        except WorkflowUpdateRPCTimeoutOrCancelledError:
            task = asyncio.current_task()
            if task and task.cancelling():
                # The SDK tells a cancel of ours as an error of its own.
                raise asyncio.CancelledError from None
            raise SetupError(unserved) from None
        except TimeoutError:
            raise SetupError(unserved) from None
        except RPCError as error:
            if any(words in error.message for words in _OVER):
                raise SpecError(f"{what}: {taker} has ended") from None
            raise


async def _repeated(send: Callable[[], Awaitable[CameT]]) -> CameT:
    """Send it again where the server drops it.

    As while the workflow continues as new.
    """
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            return await send()
        except RPCError as error:
            if not is_dropped(error):
                raise
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
