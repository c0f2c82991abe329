"""Carries out plans: members do tasks as their dependencies allow.

The planner revises after each plan, and the writer or the planner answers.
"""

from __future__ import annotations

import asyncio
from contextlib import nullcontext

from ...contracts.message import Message
from ...contracts.specs.agent import Agent
from ...contracts.specs.team import Team
from ...contracts.template import as_text
from ...contracts.text import plural
from ...contracts.wire.places import Place
from ...contracts.wire.run import Result, Status
from ..concurrency import being_cancelled, result_of_error, run_together
from ..host import Host
from ..scope import Scope
from ..tally import Tally
from .planner import Plan, Planner, Task

_LAST = "There is no further plan: write no tasks, and the answer."
_NEXT = "Write further tasks, or no tasks and the answer."


async def run_plan(host: Host, team: Team, scope: Scope) -> Result:
    """Plan and work in rounds; return the planner's or the writer's answer."""
    tally = Tally()
    planner = Planner(host, team, scope, tally)
    work = _Work(host, team, scope, tally)
    # The team's own model can put the answer into a form only when it is asked for nothing else.
    writes = team.writer is not None or team.output is not None or bool(team.validators)
    for plans_left in reversed(range(team.rounds)):
        plan = await planner.plan()
        if isinstance(plan, Result):
            return tally.result(plan.status, plan.reason)
        if not plan.tasks and writes:
            return await _written(host, team, scope, tally, work.found(answer=plan.answer))
        if not plan.tasks:
            return _said(tally, plan)
        await work.do(plan)
        if being_cancelled():
            return tally.cancelled()
        if writes and not plans_left:
            return await _written(host, team, scope, tally, work.found())
        planner.tell(f"{work.found(plan.tasks[0].number)}\n\n{_NEXT if plans_left else _LAST}")
    plan = await planner.plan()
    if isinstance(plan, Result):
        return tally.result(plan.status, plan.reason)
    if plan.tasks:
        reason = f"the planner wanted more than {plural(team.rounds, 'plan')}"
        return tally.result(Status.EXHAUSTED, reason, output=plan.answer or None)
    return _said(tally, plan)


def _said(tally: Tally, plan: Plan) -> Result:
    return tally.result(Status.COMPLETED, output=plan.answer)


async def _written(host: Host, team: Team, scope: Scope, tally: Tally, found: str) -> Result:
    message = Message.user([*scope.message.parts, f"\n\n{found}"])
    if team.writer:
        name = team.writer.name
        result = await host.run(team.writer, scope.step(name).asked(message))
    else:
        name = "writer"
        writer = Agent(
            name=team.name,  # so that workers know the type of its answer
            model=team.model or "",
            instructions=team.instructions,
            output=team.output,
            validators=team.validators,
        )
        result = await host.ask(writer, host.numbered(scope.path / name), message)
    tally.add(result, name)
    return tally.result(result.status, f"{name}: {result.reason}" if result.reason else "", output=result.output)


class _Work:
    """The tasks of all plans of a run, and what they came to."""

    def __init__(self, host: Host, team: Team, scope: Scope, tally: Tally) -> None:
        self._host = host
        self._members = {member.name: member for member in team.members}
        self._place = scope.path
        self._tally = tally
        self._gate = asyncio.Semaphore(team.limit) if team.limit else nullcontext()
        self._tasks: dict[int, Task] = {}
        self._results: dict[int, Result] = {}
        self._done: dict[int, asyncio.Event] = {}
        self._places: dict[int, str] = {}

    async def do(self, plan: Plan) -> None:
        """Do every task of a plan, each as soon as those that it needs are done."""
        for task in plan.tasks:
            self._tasks[task.number] = task
            self._done[task.number] = asyncio.Event()

        async def work(task: Task) -> Result:
            try:
                for number in task.needs:
                    await self._done[number].wait()
                result = await self._started(task)
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - others wait for its end
                result = result_of_error(error)
            self._results[task.number] = result
            self._done[task.number].set()
            return result

        results = await run_together([lambda task=task: work(task) for task in plan.tasks])  # type: ignore[misc]
        for task, result in zip(plan.tasks, results, strict=True):
            self._tally.add(result, self._places.get(task.number, ""))

    def found(self, since: int = 1, answer: str = "") -> str:
        """Return the outcomes of the tasks from a number on, as text."""
        numbers = sorted(number for number in self._results if number >= since)
        entries = [_entry(self._tasks[number], self._results[number]) for number in numbers]
        return "\n\n".join((*entries, answer)).strip()

    async def _started(self, task: Task) -> Result:
        broken = [number for number in task.needs if self._results[number].status is not Status.COMPLETED]
        if broken:
            return Result(status=Status.FAILED, reason=f"not begun, because task {broken[0]} did not complete")
        builds_on = "\n\n".join(_entry(self._tasks[number], self._results[number]) for number in task.needs)
        message = Message.user(f"{task.text}\n\nWhat this builds on:\n\n{builds_on}" if builds_on else task.text)
        async with self._gate:
            path = self._place / task.member
            result, thread = await self._host.child(self._members[task.member], path, message)
        self._places[task.number] = Place(thread.path).below(self._place)
        return result


def _entry(task: Task, result: Result) -> str:
    """Return a task and its outcome as text."""
    head = f"## Task {task.number}, {task.member}: {task.text}"
    if result.status is Status.COMPLETED:
        return f"{head}\n\n{as_text(result.output)}"
    return f"{head}\n\nThis ended as {result.status}: {result.reason}"
