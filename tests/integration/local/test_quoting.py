"""What the local model does not do itself: summaries are quoted, and plans are chosen."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sostenuto.activities.adapters.embeddings.minilm import MiniLmEmbedder
from sostenuto.activities.adapters.local_model.adapter import LocalAdapter
from sostenuto.activities.adapters.local_model.digest import digest
from sostenuto.activities.model_adapter import Completion, ModelRequest
from sostenuto.contracts.message import Message
from sostenuto.contracts.model import Model, OutputSchema
from sostenuto.contracts.tool import ToolDefinition
from sostenuto.workers.stack.llama_server import LlamaServer

pytestmark = pytest.mark.local_model

TEXT = (
    "The bridge was closed on Monday because its cables are worn. Drivers have to take the tunnel, which adds twenty "
    "minutes. The city wants to replace the cables by June. A café near the bridge sells cake."
)
FINDINGS = "## Task 1, a: look\n\nThe bridge is closed.\n\n## Task 2, b: look\n\nThe tunnel is open. It is long."
MEMBERS = "You plan.\n\nMembers:\n- roads: Closed roads, bridges and tunnels.\n- food: Restaurants and recipes."


@pytest.fixture(scope="module")
async def adapter(llama: LlamaServer, embedder: MiniLmEmbedder) -> AsyncIterator[LocalAdapter]:
    local = LocalAdapter(base_url=llama.address, embedder=embedder)
    yield local
    await local.close()


def request(text: str, **fields: Any) -> ModelRequest:
    return ModelRequest(
        **{"model": Model("local/smollm2-135m"), "instructions": "", "messages": (Message.user(text),), **fields}
    )


@pytest.mark.parametrize(
    ("instructions", "question", "sentences"),
    [
        ("", f"Summarise this in two sentences.\n\n{TEXT}", 2),
        ("", f"{TEXT}\n\nWrite a short report of this.", 3),
        ("You summarize what you are told.", TEXT, 3),
        ("", f"Write a report of the findings.\n\nWhat about the bridge?\n\n{FINDINGS}", 2),
        ("", "Sum up what this says.\n\nIt rains.", 1),
    ],
)
async def test_a_summary_quotes(embedder: MiniLmEmbedder, instructions: str, question: str, sentences: int) -> None:
    said = await digest(instructions, question, embedder)
    assert said is not None
    quoted = said.removesuffix(".").split(". ")
    assert len(quoted) == sentences
    assert all(sentence in question for sentence in quoted)
    assert "What about" not in said


@pytest.mark.parametrize(
    ("instructions", "question"),
    [("", f"Why is the bridge closed?\n\n{TEXT}"), ("You write summaries.", "Hello."), ("Give a summary.", "It is I.")],
)
async def test_nothing_else_is_taken_for_one(embedder: MiniLmEmbedder, instructions: str, question: str) -> None:
    assert await digest(instructions, question, embedder) is None


async def test_a_summary_costs_no_token(adapter: LocalAdapter) -> None:
    completion = await adapter.complete(request(f"Summarise this in one sentence.\n\n{TEXT}"))
    assert completion.usage.total_tokens == 0
    assert completion.message.text in TEXT


def plan(completion: Completion) -> list[str]:
    return [task["member"] for task in json.loads(completion.message.text)["tasks"]]


def plan_schema(*members: str) -> OutputSchema:
    task = {
        "type": "object",
        "properties": {
            "member": {"enum": list(members)},
            "task": {"type": "string"},
            "needs": {"type": "array", "items": {"type": "integer"}},
        },
    }
    tasks = {"type": "array", "items": task, "maxItems": 20}
    schema = {"type": "object", "properties": {"tasks": tasks, "answer": {"type": "string"}}}
    return OutputSchema(name="plan", json_schema=schema)


@pytest.mark.parametrize(
    ("asked", "members"),
    [
        ("Is the old bridge open to cars?", ["roads"]),
        ("How do I cook a soup of beans?", ["food"]),
        ("Tell me about roads, and about food.", ["roads", "food"]),
    ],
)
async def test_a_plan_has_a_task_for_whom_it_is_about(adapter: LocalAdapter, asked: str, members: list[str]) -> None:
    completion = await adapter.complete(request(asked, instructions=MEMBERS, output=plan_schema("roads", "food")))
    answer = json.loads(completion.message.text)
    assert plan(completion) == members
    assert all(task["task"] == asked and task["needs"] == [] for task in answer["tasks"])
    assert answer["answer"] == ""


async def test_a_plan_always_has_a_task(adapter: LocalAdapter) -> None:
    asked = request("What is seven times eight?", instructions=MEMBERS, output=plan_schema("roads", "food"))
    assert len(plan(await adapter.complete(asked))) == 1


LOOKUP = ToolDefinition(
    name="quality_tests",
    description="Look up the results of our tests of a supplier's goods.",
    parameters={
        "type": "object",
        "properties": {"supplier": {"enum": ["Aldermoor", "Brightwater"]}},
        "required": ["supplier"],
    },
)


@pytest.mark.parametrize(
    ("asked", "called"), [("What of Brightwater?", [{"supplier": "Brightwater"}]), ("What of the weather?", [])]
)
async def test_a_value_that_the_question_names_calls_for_its_tool(
    adapter: LocalAdapter, asked: str, called: list[dict[str, str]]
) -> None:
    completion = await adapter.complete(request(asked, tools=(LOOKUP,)))
    assert [call.arguments for call in completion.message.tool_calls] == called
