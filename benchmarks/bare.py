"""Five activities in a row, as bare as Temporal has them.

What a chain of prompts is measured against.

Must not use anything of ours.
"""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel
from temporalio import activity, workflow

STEPS = 5


class Question(BaseModel):
    """Input of a step, as small as it can be."""

    model: str
    instructions: str
    text: str


class Answer(BaseModel):
    """What a step says, and what a provider would have counted."""

    text: str
    input_tokens: int
    output_tokens: int


class BareRun(BaseModel):
    """Input of the workflow."""

    model: str
    instructions: str
    text: str


@activity.defn(name="bare_step")
async def bare_step(question: Question) -> Answer:
    """Answer at once."""
    return Answer(text=f"{question.text[:40]}, and so on", input_tokens=10, output_tokens=5)


async def _steps(run: BareRun) -> Answer:
    said = Answer(text=run.text, input_tokens=0, output_tokens=0)
    for number in range(STEPS):
        question = Question(model=run.model, instructions=run.instructions, text=f"Step {number}: {said.text}")
        said = await workflow.execute_activity(bare_step, question, start_to_close_timeout=timedelta(minutes=1))
    return said


@workflow.defn
class BareSteps:
    """The steps in the SDK's sandbox, as is the default."""

    @workflow.run
    async def run(self, run: BareRun) -> Answer:
        """Run the steps and return what the last one said."""
        return await _steps(run)


@workflow.defn(sandboxed=False)
class UnguardedSteps:
    """The steps outside it, as our workflow runs."""

    @workflow.run
    async def run(self, run: BareRun) -> Answer:
        """Run the steps and return what the last one said."""
        return await _steps(run)
