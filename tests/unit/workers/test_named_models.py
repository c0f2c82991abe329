"""What a workflow of one's own lacks is found in its code, which is not run."""

from __future__ import annotations

from sostenuto import Agent, Model
from sostenuto.workers.named_models import named_models, named_runnables

WRITER = Agent(name="writer", model="scripted/m")
SLOW = Model("openai/gpt-5.4")
model = Model("openai/gpt-5.4-mini")


class Flow:
    model = "none that it names"

    async def run(self, question: str) -> str:
        async def asked() -> object:
            return SLOW, "anthropic/claude-haiku-5-5", "and/or", "openai/"

        await asked()
        return await self.more()

    async def more(self) -> str:
        return f"{WRITER.name} {self.model} openai"


def test_what_a_workflow_names() -> None:
    found = [model.name for model in named_models(Flow, ("anthropic", "openai"))]
    assert sorted(found) == ["anthropic/claude-haiku-5-5", "openai/gpt-5.4"]
    assert list(named_runnables(Flow)) == [WRITER]
