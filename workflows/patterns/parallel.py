"""Runs branches, or the items of a list, at once and joins their outputs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Container
from typing import Any

from pydantic import JsonValue

from ...contracts.specs.parallel import MAX_ITEMS, Parallel
from ...contracts.specs.runnable import Runnable
from ...contracts.template import INPUT
from ...contracts.text import plural
from ...contracts.wire.run import Result, Status
from ..concurrency import Job, being_cancelled, first_completed, run_together
from ..host import Host
from ..scope import Scope, items_of, message_of
from ..tally import Tally

_ITEMS_AT_ONCE = 20


async def run_parallel(host: Host, parallel: Parallel, scope: Scope) -> Result:
    """Run the branches or items and join their outputs."""
    scope = scope.asked(scope.message)
    if parallel.each is None:
        jobs = {branch.name: _branch(host, branch, scope.step(branch.name)) for branch in parallel.branches}
        return await _joined(host, parallel, scope, jobs, parallel.limit)
    items = items_of(scope.names.get(parallel.over))
    if items is None:
        return Result(status=Status.FAILED, reason=f"over: {{{parallel.over}}} is not a list of items")
    if len(items) > MAX_ITEMS:
        reason = f"over: {len(items):,} items, and at most {MAX_ITEMS:,} fit one run: nest a second list"
        return Result(status=Status.FAILED, reason=reason)
    jobs = {str(index): _item(host, parallel.each, scope, index, item) for index, item in enumerate(items)}
    return await _joined(host, parallel, scope, jobs, parallel.limit or _ITEMS_AT_ONCE)


def _branch(host: Host, runnable: Runnable, scope: Scope) -> Job:
    return lambda: host.run(runnable, scope)


def _item(host: Host, each: Runnable, scope: Scope, index: int, item: JsonValue) -> Job:
    name = f"{each.name}[{index}]"

    async def work() -> Result:
        here = scope.step(name).asked(message_of(item)).knowing({"item": item})
        if each.is_single_call:
            return await host.run(each, here)
        # Whatever an item comes to, it is one nested run here: the history grows by the same for each.
        result, _ = await host.child(each, here.path, here.message)
        return result

    return work


async def _joined(host: Host, parallel: Parallel, scope: Scope, jobs: dict[str, Job], limit: int | None) -> Result:
    tally, at_once = Tally(), min(len(jobs), limit or len(jobs))
    if parallel.join == "first":
        with host.shared(scope.path, at_once):
            winner, results = await first_completed(jobs.values(), limit, lambda: host.compensator.give_up(scope.path))
        _take(tally, jobs, results, ())
        if winner is not None:
            return tally.result(Status.COMPLETED, output=results[winner].output)
        return _failed(tally, results, None, 1)
    with host.shared(scope.path, at_once):
        results = await run_together(jobs.values(), limit)
    completed = {name: result for name, result in zip(jobs, results, strict=True) if result.status is Status.COMPLETED}
    whole = parallel.join == "all" and parallel.reducer is None
    _take(tally, jobs, results, completed if whole else ())
    output = _output(parallel, jobs, completed)
    wanted = len(jobs) if parallel.min_completed is None else parallel.min_completed
    if being_cancelled() or len(completed) < wanted:
        return _failed(tally, results, output, wanted)
    if whole:
        result = tally.result(Status.COMPLETED, output=output)
        passages = _passages(completed)
        return result.model_copy(update={"passages": passages}) if passages else result
    if parallel.reducer:
        return await _settled(host, parallel.reducer, scope, output, tally)
    if parallel.judge:
        return await _judged(host, parallel.judge, scope, completed, tally)
    return _majority(tally, completed)


def _take(tally: Tally, jobs: dict[str, Job], results: list[Result], told: Container[str]) -> None:
    """Take in the results; those that the output tells have no place among the steps."""
    for name, result in zip(jobs, results, strict=True):
        tally.add(result, "" if name in told else name)


def _output(parallel: Parallel, jobs: dict[str, Job], completed: dict[str, Result]) -> Any:
    """Return the outputs by branch, or by item with null for what did not complete."""
    if parallel.each is None:
        return {name: result.output for name, result in completed.items()}
    return [completed[name].output if name in completed else None for name in jobs]


def _passages(completed: dict[str, Result]) -> tuple[str, ...]:
    """Return the passages of all outputs, where each is what a search found."""
    if not all(result.passages for result in completed.values()):
        return ()
    return tuple(dict.fromkeys(one for result in completed.values() for one in result.passages))


def _failed(tally: Tally, results: list[Result], output: Any, wanted: int) -> Result:
    if being_cancelled() or (results and all(result.status is Status.CANCELLED for result in results)):
        return tally.cancelled(output)
    if len(results) < wanted:
        reason = f"{wanted} have to complete, of {plural(len(results), 'item')}"
        return tally.result(Status.FAILED, reason, output=output)
    broken = {name: step for name, step in tally.steps.items() if step.status is not Status.COMPLETED}
    shown = "; ".join(f"{name}: {step.status}: {step.reason}" for name, step in list(broken.items())[:5])
    more = f"; and {len(broken) - 5} more" if len(broken) > 5 else ""
    reason = f"{len(broken)} of {len(results)} did not complete: {shown}{more}"
    return tally.result(Status.FAILED, reason, output=output)


async def _settled(host: Host, runnable: Runnable, scope: Scope, told: Any, tally: Tally) -> Result:
    """Run a reducer or judge on the outputs."""
    here = scope.step(runnable.name).asked(message_of(told, host.found.texts))
    result = tally.add(await host.run(runnable, here), runnable.name)
    reason = f"{runnable.name}: {result.reason}" if result.reason else ""
    return tally.result(result.status, reason, output=result.output)


async def _judged(host: Host, judge: Runnable, scope: Scope, completed: dict[str, Result], tally: Tally) -> Result:
    told = {"input": scope.names[INPUT], "outputs": {name: result.output for name, result in completed.items()}}
    result = await _settled(host, judge, scope, told, tally)
    said = result.output.strip() if isinstance(result.output, str) else ""
    if result.status is Status.COMPLETED and said in completed:
        return tally.result(Status.COMPLETED, f"{judge.name} chose {said!r}", output=completed[said].output)
    return result


def _majority(tally: Tally, completed: dict[str, Result]) -> Result:
    votes: Counter[str] = Counter(_vote(result.output) for result in completed.values())
    counted = votes.most_common()
    if not counted:
        return tally.result(Status.FAILED, "nobody voted: no branch completed")
    reason = ", ".join(f"{count} for {vote[:60]}" for vote, count in counted)
    if len(counted) > 1 and counted[0][1] == counted[1][1]:
        return tally.result(Status.FAILED, f"the vote is tied ({reason}): add a judge=, or an odd number of branches")
    elected = next(result for result in completed.values() if _vote(result.output) == counted[0][0])
    return tally.result(Status.COMPLETED, reason, output=elected.output)


def _vote(output: Any) -> str:
    """Return a vote in its form for counting: case and outer spaces do not count."""
    return output.strip().casefold() if isinstance(output, str) else json.dumps(output, sort_keys=True)
