"""Measures the local model's tool loop on a table of cases. `pytest -rP` on this file prints the figures."""

import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sostenuto.activities.adapters.embeddings.minilm import MiniLmEmbedder
from sostenuto.activities.adapters.local_model.adapter import LocalAdapter
from sostenuto.activities.model_adapter import ModelRequest
from sostenuto.contracts.message import Message, Role, ToolCallPart, ToolResultPart
from sostenuto.contracts.model import Model
from sostenuto.workers.stack.llama_server import LlamaServer
from tests.integration.local.cases import CASES, Call, Case

pytestmark = pytest.mark.local_model

THRESHOLDS = {"choice": 0.9, "arguments": 0.8, "stop": 0.9}


@pytest.fixture(scope="module")
async def adapter(llama: LlamaServer, embedder: MiniLmEmbedder) -> AsyncIterator[LocalAdapter]:
    local = LocalAdapter(base_url=llama.address, embedder=embedder)
    yield local
    await local.close()


def request(case: Case) -> ModelRequest:
    messages = [Message.user(case.question)]
    for index, ((name, arguments), result) in enumerate(case.done):
        call = ToolCallPart(id=f"call_{index}", name=name, arguments=arguments)
        failed = result.startswith("!")
        answer = ToolResultPart(call_id=call.id, name=name, content=result.removeprefix("!"), is_error=failed)
        messages.append(Message(role=Role.ASSISTANT, parts=(call,)))
        messages.append(Message(role=Role.TOOL, parts=(answer,)))
    tools = tuple(t.spec.definition for t in case.tools)
    return ModelRequest(model=Model("local/smollm2-135m"), instructions="", messages=tuple(messages), tools=tools)


def is_wanted(case: Case, called: list[Call]) -> bool:
    names = [name for name, _ in called] == [name for name, _ in case.wanted]
    if case.about == "choice" or not names:
        return names
    return all(_fits(got, want) for (_, got), (_, want) in zip(called, case.wanted, strict=True))


def _fits(got: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return got.keys() == wanted.keys() and all(
        got[name] in value if isinstance(value, tuple) else got[name] == value for name, value in wanted.items()
    )


async def test_the_tool_loop_is_right_as_often_as_the_docs_say(adapter: LocalAdapter) -> None:
    right: Counter[str] = Counter()
    total = Counter(case.about for case in CASES)
    started = time.monotonic()
    for case in CASES:
        completion = await adapter.complete(request(case))
        called = [(call.name, call.arguments) for call in completion.message.tool_calls]
        good = is_wanted(case, called)
        right[case.about] += good
        if not good:
            sys.stdout.write(f"wrong: {case.about}: {case.question!r}: wanted {case.wanted}, got {called}\n")
    seconds = (time.monotonic() - started) / len(CASES)
    for about in total:
        sys.stdout.write(f"{about}: {right[about]} of {total[about]}\n")
    sys.stdout.write(f"{seconds:.2f} s per step\n")
    assert {about: right[about] / total[about] >= THRESHOLDS[about] for about in total} == dict.fromkeys(total, True)
