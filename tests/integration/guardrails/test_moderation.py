"""A provider's endpoint for moderation, asked by the provider's own SDK."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Client, Moderation
from sostenuto.activities.adapters.providers.openai.adapter import OpenAIAdapter
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.workers.worker import build_worker
from tests.fakes.http_server import Answer, Asked, HttpServer, of_json

_CATEGORIES = ("harassment", "hate", "self-harm", "sexual", "violence", "illicit")


def judged(asked: Asked) -> Answer:
    """What the endpoint says: that a text with a knife in it is violent."""
    if "busy" in asked.json["input"]:
        return of_json({"error": {"message": "no", "type": "invalid_request_error"}}, 400)
    is_violent = "knife" in asked.json["input"]
    found = {name: is_violent and name == "violence" for name in _CATEGORIES}
    scores = {name: float(value) for name, value in found.items()}
    types = {name: ["text"] for name in _CATEGORIES}
    result = {"flagged": is_violent, "categories": found, "category_scores": scores}
    return of_json(
        {"id": "m1", "model": asked.json["model"], "results": [{**result, "category_applied_input_types": types}]}
    )


@pytest.mark.parametrize(
    ("moderation", "asked", "answer", "status", "found"),
    [
        (Moderation(), "Hello", "Hello.", "completed", [("input", "passed", ""), ("output", "passed", "")]),
        (Moderation(), "a knife", "Hello.", "refused", [("input", "blocked", "violence")]),
        (Moderation(at=["output"]), "Hello", "a knife", "refused", [("output", "blocked", "violence")]),
        (Moderation(at=["output"], categories=["hate"]), "Hello", "a knife", "completed", [("output", "passed", "")]),
        (Moderation(at=["input"]), "busy", "Hello.", "refused", []),
        (Moderation(at=["input"], on_error="open"), "busy", "Hello.", "completed", []),
    ],
)
async def test_what_the_endpoint_says(
    temporal: TemporalClient,
    task_queue: str,
    moderation: Moderation,
    asked: str,
    answer: str,
    status: str,
    found: list[tuple[str, str, str]],
) -> None:
    desk = Agent(name="desk", model="scripted/model", guardrails=[moderation])
    async with HttpServer(judged) as server:
        openai = OpenAIAdapter(api_key="sk-test", base_url=f"{server.url}/v1")
        adapters: dict[str, Any] = {"scripted": ScriptedAdapter([answer]), "openai": openai}
        async with build_worker(
            temporal, App(desk), adapters, lambda *_: 0.0, task_queue=task_queue, max_cached_runs=0
        ):
            run = await Client(temporal, task_queue=task_queue, redis_url="").start(desk, asked)
            result = await run.result()
            events = [event async for event in run.events() if event.type == "guardrail.decided"]
        await openai.close()
    assert result.status == status
    assert [(one.stage, one.verdict, one.reason) for one in events] == found
    assert {one.path for one in server.asked} == {"/v1/moderations"}
