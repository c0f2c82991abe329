"""A real Phoenix shows what runs did: kinds, messages, tool calls, tokens, failures, sessions, each span once.

It is no dependency, for its licence and its size. To run these tests, install it into an environment of its own, and
name its program:

    python -m venv ~/phoenix && ~/phoenix/bin/pip install arize-phoenix
    SOSTENUTO_TEST_PHOENIX=~/phoenix/bin/phoenix pytest tests/integration/telemetry/test_phoenix.py
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.testing import WorkflowEnvironment

from sostenuto import Run
from sostenuto.workers.telemetry.disclosure import Disclosure
from sostenuto.workers.telemetry.sending.destinations import destination
from sostenuto.workers.telemetry.sending.otlp import otlp_batch, resource_of
from sostenuto.workers.telemetry.sending.senders import HttpSender
from tests.fakes.step_spans import run_span, tool_span
from tests.integration.agent.stage import eventually
from tests.integration.telemetry.shown import CREW, FLOW, TALKER, fill, showing
from tests.patience import PATIENCE_SECONDS

PROGRAM = os.environ.get("SOSTENUTO_TEST_PHOENIX", "")
pytestmark = [
    pytest.mark.skipif(not PROGRAM, reason="SOSTENUTO_TEST_PHOENIX names no program: see this file's head"),
    pytest.mark.timeout(6 * PATIENCE_SECONDS),
]
ALONE = {
    "PHOENIX_TELEMETRY_ENABLED": "false",
    "PHOENIX_DISABLE_AGENT_ASSISTANT": "true",
    "PHOENIX_AGENTS_DISABLE_BASH": "true",
    "PHOENIX_AGENTS_DISABLE_WEB_ACCESS": "true",
    "PHOENIX_AGENTS_DISABLE_GITHUB": "true",
}
SPANS = {"shown-flow": 10, "shown-crew": 13, "shown-chat": 4, "ingest-shown-handbook": 3}
"""How many spans each session has."""


@dataclass(frozen=True)
class Phoenix:
    """One that runs."""

    client: httpx.AsyncClient

    async def got(self, path: str, **params: Any) -> Any:
        """What its REST API says."""
        response = await self.client.get(path, params=params)
        return response.raise_for_status().json()["data"]

    async def spans(self, project: str) -> list[Any]:
        """All spans of a project; none where there is no such project yet."""
        found = await self.client.get(f"/v1/projects/{project}/spans", params={"limit": 500})
        return found.json()["data"] if found.is_success else []

    async def one(self, project: str, name: str, run: str, index: int = 0) -> Any:
        """A span of a run, by its name, in the order in which they began."""
        found = [span for span in await self.spans(project) if span["name"] == name]
        found = [span for span in found if span["attributes"]["session.id"] == run]
        return sorted(found, key=lambda span: str(span["start_time"]))[index]


@pytest.fixture(scope="module")
async def phoenix(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Phoenix]:
    """A Phoenix of its own on loopback, with an empty database."""
    port, grpc_port = _free_ports(2)
    directory = tmp_path_factory.mktemp("phoenix")
    environ = {
        **os.environ,
        **ALONE,
        "PHOENIX_WORKING_DIR": str(directory),
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(grpc_port),
    }
    log = directory / "phoenix.log"
    with log.open("w") as told:
        process = await asyncio.create_subprocess_exec(PROGRAM, "serve", env=environ, stdout=told, stderr=told)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:

            async def is_up() -> bool:
                assert process.returncode is None, log.read_text()
                try:
                    return (await client.get("/v1/projects")).is_success
                except httpx.TransportError:
                    return False

            # It begins with migrations of its database: seconds on an idle machine, minutes beside busy processes.
            await eventually(is_up, 4 * PATIENCE_SECONDS)
            yield Phoenix(client)
    finally:
        process.terminate()
        await process.wait()


@contextmanager
def _settings(phoenix: Phoenix, project: str) -> Iterator[Mapping[str, Any]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHOENIX_COLLECTOR_ENDPOINT", str(phoenix.client.base_url))
        patch.setenv("PHOENIX_PROJECT_NAME", project)
        yield {"telemetry": ("phoenix",)}


@pytest.fixture(scope="module")
async def project(phoenix: Phoenix, environment: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A project with the spans of a chain, a team and a chat of two turns."""
    folder = tmp_path_factory.mktemp("worker")
    with _settings(phoenix, "shown") as settings:
        wanted = {**settings, "telemetry_content": "on"}
        async with showing(environment.client, "phoenix", folder, wanted) as client:
            await fill(client, folder)
            for runnable, run_id in ((FLOW, "shown-flow"), (CREW, "shown-crew")):
                run = await client.start(runnable, "Where is the pump?", id=run_id, tenant="acme")
                await run.result()
            chat = await client.chat(TALKER, id="shown-chat")
            for text in ("First?", "Second?"):
                await chat.send(text)

    async def all_are_there() -> bool:
        return len(await phoenix.spans("shown")) >= sum(SPANS.values())

    await eventually(all_are_there)
    return "shown"


async def test_the_tree(phoenix: Phoenix, project: str) -> None:
    """Every step once, of the right kind, within what it is in."""
    spans = await phoenix.spans(project)
    by_id = {span["context"]["span_id"]: span for span in spans}
    assert len(by_id) == len(spans) == sum(SPANS.values())
    tree = sorted(
        (span["span_kind"], span["name"], by_id[span["parent_id"]]["name"] if span["parent_id"] else "")
        for span in spans
        if span["attributes"]["session.id"] == "shown-flow"
    )
    assert tree == [
        ("AGENT", "invoke_agent clerk", "invoke_workflow flow"),
        ("CHAIN", "invoke_workflow flow", ""),
        ("EMBEDDING", "embeddings fake/words", "retrieval shown-handbook"),
        ("LLM", "chat scripted/away", "invoke_agent clerk"),
        ("LLM", "chat scripted/clerk", "invoke_agent clerk"),
        ("LLM", "chat scripted/clerk", "invoke_agent clerk"),
        ("LLM", "chat scripted/one", "invoke_workflow flow"),
        ("RETRIEVER", "retrieval shown-handbook", "invoke_workflow flow"),
        ("TOOL", "execute_tool lift", "invoke_agent clerk"),
        ("TOOL", "execute_tool look", "invoke_agent clerk"),
    ]
    clerk = await phoenix.one(project, "invoke_agent clerk", "shown-crew")
    assert by_id[clerk["parent_id"]]["name"] == "execute_tool clerk"
    assert clerk["attributes"]["agent.name"] == "clerk"


async def test_messages_and_tool_calls(phoenix: Phoenix, project: str) -> None:
    said = (await phoenix.one(project, "chat scripted/clerk", "shown-flow", 1))["attributes"]
    message = "llm.input_messages.{}.message.{}".format
    roles = [said.get(message(number, "role")) for number in range(6)]
    assert roles == ["system", "user", "assistant", "tool", "tool", None]
    assert [said[message(number, "content")] for number in (0, 1, 2)] == ["Be kind.", "hi", "I look."]
    call = "tool_calls.{}.tool_call.{}".format
    assert said[message(2, call(0, "function.name"))] == "look"
    assert said[message(2, call(1, "function.arguments"))] == '{"kilograms": 90.5}'
    for number, name, content in (
        (3, "call_1_0", '{"at":"the house","is":"fine"}'),
        (4, "call_1_1", "ValueError: 90.5 kg is too much"),
    ):
        assert said[message(number, "tool_call_id")] == name
        assert said[message(number, "content")] == content
    assert said["llm.output_messages.0.message.content"] == "Fine."
    asked = (await phoenix.one(project, "chat scripted/clerk", "shown-flow"))["attributes"]
    assert asked["llm.output_messages.0.message.tool_calls.1.tool_call.function.name"] == "lift"
    assert (said["output.value"], said["output.mime_type"]) == ("Fine.", "text/plain")


async def test_tokens(phoenix: Phoenix, project: str) -> None:
    said = (await phoenix.one(project, "chat scripted/one", "shown-flow"))["attributes"]
    assert {name.removeprefix("llm.token_count."): said[name] for name in said if "token_count" in name} == {
        "prompt": 100,
        "completion": 20,
        "total": 120,
        "prompt_details.cache_read": 40,
        "prompt_details.cache_write": 10,
        "completion_details.reasoning": 5,
    }
    assert (said["llm.model_name"], said["llm.finish_reason"], said["llm.cost.total"]) == ("one", "stop", 0.25)


async def test_tools_and_searches(phoenix: Phoenix, project: str) -> None:
    look = (await phoenix.one(project, "execute_tool look", "shown-flow"))["attributes"]
    assert (look["tool.name"], look["tool.parameters.at"]) == ("look", "the house")
    assert (look["output.value"], look["output.mime_type"]) == ('{"at":"the house","is":"fine"}', "application/json")
    found = (await phoenix.one(project, "retrieval shown-handbook", "shown-flow"))["attributes"]
    assert found["input.value"] == "Where is the pump?"
    assert found["retrieval.documents.0.document.score"] > 0
    assert "pump.md" in str(found["retrieval.documents.0.document.metadata.source"])


async def test_what_failed(phoenix: Phoenix, project: str) -> None:
    away = await phoenix.one(project, "chat scripted/away", "shown-flow")
    assert (away["status_code"], away["attributes"]["error.type"]) == ("ERROR", "QuotaExceeded")
    assert away["status_message"].startswith("QuotaExceeded: ")
    assert [event["name"] for event in away["events"]] == ["exception"]
    lift = await phoenix.one(project, "execute_tool lift", "shown-flow")
    assert (lift["status_code"], lift["status_message"]) == ("ERROR", "ValueError: 90.5 kg is too much")


async def test_sessions(phoenix: Phoenix, project: str) -> None:
    """A chat is a session of its turns, each a trace; a run is one of its own."""
    sessions = {one["session_id"]: one for one in await phoenix.got(f"/v1/projects/{project}/sessions")}
    assert {name: len(one["traces"]) for name, one in sessions.items()} == {
        "shown-flow": 1,
        "shown-crew": 1,
        "shown-chat": 2,
        "ingest-shown-handbook": 1,
    }
    assert sessions["shown-chat"]["token_count_total"] == 30
    assert sessions["shown-flow"]["token_count_prompt"] == 120
    assert sessions["shown-crew"]["token_count_prompt"] == 50
    second = (await phoenix.one(project, "chat scripted/talker", "shown-chat", 1))["attributes"]
    told = [second[f"llm.input_messages.{number}.message.content"] for number in range(4)]
    assert told == ["Be brief.", "First?", "One.", "Second?"]


async def test_with_content_off_there_are_figures_alone(
    phoenix: Phoenix, environment: WorkflowEnvironment, task_queue: str, tmp_path: Path
) -> None:
    with _settings(phoenix, "silent") as settings:
        async with showing(environment.client, task_queue, tmp_path, settings) as client:
            await (await client.start(TALKER, "First?", id=task_queue)).result()

    async def both_are_there() -> bool:
        return len(await phoenix.spans("silent")) == 2

    await eventually(both_are_there)
    said = (await phoenix.one("silent", "chat scripted/talker", task_queue))["attributes"]
    assert said["llm.token_count.total"] == 15
    assert not [value for value in said.values() if value in ("First?", "One.", "Be brief.")]


async def test_what_is_sent_twice_is_there_once(phoenix: Phoenix) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHOENIX_COLLECTOR_ENDPOINT", str(phoenix.client.base_url))
        patch.setenv("PHOENIX_PROJECT_NAME", "twice")
        to = destination("phoenix", Path())
    sender = HttpSender(to)
    spans = [run_span(Disclosure("on"), asked="half \ud83d, zero \0", answered="Done.")]
    last = [tool_span(Disclosure("on"), asked="last")]
    for batch in (spans, spans, last):
        await sender.send(otlp_batch(batch, resource_of(to.resource), to.form))
    await sender.close()

    async def have_come() -> bool:
        return any(span["attributes"].get("input.value") == "last" for span in await phoenix.spans("twice"))

    await eventually(have_come)
    assert len(await phoenix.spans("twice")) == 2


def _free_ports(count: int) -> list[int]:
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in taken]
    for server in taken:
        server.close()
    return ports


async def test_scores_are_annotations(
    phoenix: Phoenix, environment: WorkflowEnvironment, task_queue: str, tmp_path: Path
) -> None:
    """Of the span of the run, which is there when it has ended; the same person's takes the place of the one before."""
    with _settings(phoenix, "scored") as settings:
        async with showing(environment.client, task_queue, tmp_path, settings) as client:
            run = await client.start(TALKER, "First?", id=task_queue)
            await run.score("helpful", 0.25, comment="Too short.", by="anna")
            await run.result()
            await run.score("helpful", True, by="otto")
            await run.score("tone", "formal", by="anna")
            await _until_sent(run, 3)
            await run.score("helpful", 0.75, by="anna")
            await _until_sent(run, 3, 0.75)
    span = await phoenix.one("scored", "invoke_agent talker", task_queue)
    found = await phoenix.got("/v1/projects/scored/span_annotations", span_ids=span["context"]["span_id"])
    told = sorted((one["name"], one["metadata"]["by"], one["annotator_kind"]) for one in found)
    assert told == [("helpful", "anna", "HUMAN"), ("helpful", "otto", "HUMAN"), ("tone", "anna", "HUMAN")]
    results = {(one["name"], one["metadata"]["by"]): one["result"] for one in found}
    assert results["helpful", "anna"] == {"label": None, "score": 0.75, "explanation": None}
    assert results["helpful", "otto"] == {"label": "true", "score": 1.0, "explanation": None}
    assert results["tone", "anna"]["label"] == "formal"


async def _until_sent(run: Run, count: int, value: float | None = None) -> None:
    async def are_sent() -> bool:
        scores = await run.scores()
        sent = [one.value for one in scores if one.sent == {"phoenix": "sent"}]
        return len(sent) == len(scores) == count and value in (None, *sent)

    await eventually(are_sent)
