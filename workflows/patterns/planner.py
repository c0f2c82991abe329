"""The planner of a team: a conversation that writes and revises plans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...contracts.errors import SpecError
from ...contracts.message import Message
from ...contracts.model import Model, OutputSchema
from ...contracts.specs.agent import Agent
from ...contracts.specs.team import Team
from ...contracts.wire.run import Result, Status
from ..host import Host
from ..scope import Scope
from ..tally import Tally

_PLANS = (
    "You plan the work of a team. Write the tasks that answer the request, each for one member, who knows nothing but "
    "its task and the results of the tasks that it needs. Tasks are numbered from 1, on and on over all plans; `needs` "
    "lists the numbers of the tasks whose results a task needs, all of them smaller than its own. What does not depend "
    "on each other is done at the same time. When you are told results, write more tasks, or no tasks and the answer."
)
_MOST_TASKS = 20
_REPAIRS = 2


@dataclass(frozen=True, slots=True)
class Task:
    """One task of a plan."""

    number: int
    """From 1, over all plans of the run."""
    member: str
    text: str
    needs: tuple[int, ...]
    """Numbers of the tasks whose results it builds on."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Tasks to be done, or an answer."""

    tasks: tuple[Task, ...]
    answer: str


class Planner:
    """Writes plans that can be carried out.

    Args:
        host: Where its model calls run.
        team: Whose members the tasks are for.
        scope: What is asked.
        tally: Takes in what its model calls use.
    """

    def __init__(self, host: Host, team: Team, scope: Scope, tally: Tally) -> None:
        if team.model is None:
            raise SpecError(f"Team {team.name!r}: style 'plan' needs a model")
        agent = _agent(team, team.model)
        place = host.numbered(scope.path / agent.name)
        self._conversation = host.converse(agent, place, [scope.message], tally)
        self._members = {member.name for member in team.members}
        self._numbered = 0

    async def plan(self) -> Plan | Result:
        """Ask for the next plan, again where it cannot be carried out.

        Returns a result where no plan comes of it.
        """
        problems: list[str] = []
        for _ in range(1 + _REPAIRS):
            if problems:
                text = f"That plan does not work. {'; '.join(problems)}. Write it again, all of it, corrected."
                self.tell(text)
            said = await self._conversation.run()
            if said.status is not Status.COMPLETED:
                return said.model_copy(update={"reason": f"planner: {said.reason}"})
            plan = self._read(said.output)
            problems = self._problems(plan)
            if not problems:
                self._numbered += len(plan.tasks)
                return plan
        return Result(status=Status.FAILED, reason=f"planner: the plan does not work: {'; '.join(problems)}")

    def tell(self, text: str) -> None:
        """Go on with the conversation."""
        self._conversation.tell(Message.user(text))

    def _read(self, output: dict[str, Any]) -> Plan:
        tasks = tuple(
            Task(number, task["member"], task["task"], tuple(dict.fromkeys(task["needs"])))
            for number, task in enumerate(output["tasks"], self._numbered + 1)
        )
        return Plan(tasks, output["answer"])

    def _problems(self, plan: Plan) -> list[str]:
        problems = []
        for task in plan.tasks:
            if task.member not in self._members:
                problems.append(f"task {task.number} is for {task.member!r}, who is not a member")
            wrong = ", ".join(str(number) for number in task.needs if not 1 <= number < task.number)
            if wrong:
                problems.append(f"task {task.number} needs {wrong}, and may need only tasks of smaller numbers")
        if not plan.tasks and not plan.answer.strip():
            problems.append("there are neither tasks nor an answer")
        return problems


def _agent(team: Team, model: Model) -> Agent:
    members = "\n".join(f"- {member.name}: {member.about()}" for member in team.members)
    task = {
        "type": "object",
        "properties": {
            "member": {"enum": [member.name for member in team.members]},
            "task": {"type": "string", "description": "What to do, with all that is needed to do it."},
            "needs": {"type": "array", "items": {"type": "integer"}},
        },
        "required": ["member", "task", "needs"],
        "additionalProperties": False,
    }
    schema = {
        "type": "object",
        "properties": {
            "tasks": {"type": "array", "items": task, "maxItems": _MOST_TASKS},
            "answer": {"type": "string", "description": "The answer to the request; empty while there are tasks."},
        },
        "required": ["tasks", "answer"],
        "additionalProperties": False,
    }
    return Agent(
        name="planner",
        model=model,
        instructions=f"{_PLANS}\n\nMembers:\n{members}\n\n{team.instructions}".strip(),
        output=OutputSchema(name="plan", json_schema=schema),
        # A plan may be asked for again as a whole, and so may an answer that is not one.
        max_turns=(1 + team.rounds) * (1 + _REPAIRS) + _REPAIRS,
        max_repairs=_REPAIRS,
    )
