"""Runs a chain: one step after the other, until one does not complete."""

from __future__ import annotations

from ...contracts.errors import SpecError
from ...contracts.specs.chain import Chain, Step
from ...contracts.wire.run import Result, Status
from ..concurrency import being_cancelled, result_of_error
from ..host import Host
from ..scope import Scope, message_of
from ..tally import Tally


async def run_chain(host: Host, chain: Chain, scope: Scope) -> Result:
    """Run the steps in order until one does not complete; return the last result.

    Where the chain wants it, what they did is undone then. A cancel of the run says itself whether that is wanted.
    """
    if not chain.compensate:
        return await _steps(host, chain, scope)
    try:
        result = await _steps(host, chain, scope)
    except Exception as error:  # noqa: BLE001 - what was done is undone, whatever fails
        result = result_of_error(error)
    is_cancelled = result.status is Status.CANCELLED and being_cancelled()
    if result.status is Status.COMPLETED or (is_cancelled and not host.compensator.is_given_up(scope.path)):
        return result
    return result.model_copy(update={"compensated": await host.compensator.undo(scope.path)})


async def _steps(host: Host, chain: Chain, scope: Scope) -> Result:
    tally = Tally()
    scope = scope.asked(scope.message)
    before: Result | None = None
    for step in chain.steps:
        if being_cancelled():
            return tally.cancelled(before and before.output)
        before = tally.add(await _step(host, step, scope, before), step.name)
        if before.status is not Status.COMPLETED:
            return tally.result(before.status, f"step {step.name!r}: {before.reason}", output=before.output)
        scope = scope.knowing({step.name: before.output})
    result = tally.result(Status.COMPLETED, before.reason if before else "", output=before and before.output)
    return result.model_copy(update={"passages": before.passages}) if before else result


async def _step(host: Host, step: Step, scope: Scope, before: Result | None) -> Result:
    here = scope.step(step.name)
    try:
        if step.input:
            here = here.asked(scope.render(step.input, host.found.texts))
        elif before and not step.run.takes_template:
            here = here.asked(message_of(before.output, host.found.texts))
    except SpecError as error:
        return Result(status=Status.FAILED, reason=f"input: {error}")
    return await host.run(step.run, here)
