"""Sixty values of every kind, planted wherever a run takes texts from: with redaction on none is kept anywhere."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Client, Collection, FilePart, McpServer, Pii, Secrets, Status, ToolError, tool
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.activities.call.live import Live
from sostenuto.connection.converter import data_converter
from sostenuto.connection.live_channel import RedisChannel
from sostenuto.workers.logs import set_up_logs
from sostenuto.workers.mcp import mcp_sessions
from sostenuto.workers.settings import Settings
from sostenuto.workers.stack.process import ProcessGroup
from sostenuto.workers.stack.temporal_server import NAMESPACE, TemporalServer, find_port
from sostenuto.workers.stack.valkey_server import ValkeyServer, find_valkey, new_password
from sostenuto.workers.worker import build_worker
from tests.fakes.knowledge import WORDS, knowledge
from tests.fakes.planted import KINDS, planted
from tests.integration.agent.stage import calls

EACH = 60
PLACES = ("asked", "file", "name", "result", "error", "crash", "passage", "mcp", "mcp_error", "answer", "output")
"""Where they are planted: each place has its own values."""
LEAKING = Path(__file__).parents[2] / "fakes" / "leaking_server.py"
HANDBOOK = Collection("planted-handbook", embedding=WORDS)


def values_of(place: str) -> list[str]:
    """The values that are planted at a place, of every kind."""
    index, of_place = PLACES.index(place), -(-EACH // len(PLACES))
    return [value for kind in KINDS for value in ALL[kind][index * of_place : (index + 1) * of_place]]


ALL = {kind: planted(kind, EACH + len(PLACES)) for kind in KINDS}


def said(place: str) -> str:
    """A text with the values of a place."""
    return "".join(f"It is {value} here. " for value in values_of(place))


class Card(BaseModel):
    """What is answered in a form."""

    lines: list[str]


@tool(effect="read")
async def find() -> Card:
    """Find something."""
    return Card(lines=[f"It is {value} here." for value in values_of("result")])


@tool(effect="read")
async def fail() -> str:
    """Fail."""
    raise ToolError(said("error"))


@tool(effect="read")
async def crash() -> str:
    """Crash."""
    raise RuntimeError(said("crash"))


CLERK = Agent(name="clerk", model="scripted/clerk", tools=[find, fail, crash], description="Works.")
DESK = Agent(
    name="desk", model="scripted/desk", tools=[CLERK, HANDBOOK.search, "mcp:leaking"], instructions="Ask the clerk."
)
FORM = Agent(name="form", model="scripted/form", output=Card)
SCRIPT: dict[str, Sequence[Any]] = {
    "desk": [
        calls(("clerk", {"task": "Work."}), ("search_planted-handbook", {"query": "here"}), ("tell", {}), ("fail", {})),
        said("answer"),
    ],
    "clerk": [calls(("find", {}), ("fail", {}), ("crash", {})), "Done."],
    "form": [{"output": {"lines": [f"It is {value} here." for value in values_of("output")]}}],
}


@asynccontextmanager
async def stack(directory: Path) -> AsyncIterator[tuple[TemporalClient, str, TemporalServer]]:
    """A Temporal server with its file, a live channel, and where large payloads are kept."""
    async with ProcessGroup() as group:
        server = await TemporalServer.start(group, directory, port=0, ui_port=None)
        program = find_valkey()
        assert program
        port, password = find_port(0, "", ""), new_password()
        valkey = await ValkeyServer.start(group, program, directory, port=port, password=password)
        converter = data_converter(directory / "payloads")
        temporal = await TemporalClient.connect(server.address, namespace=NAMESPACE, data_converter=converter)
        yield temporal, valkey.url.get_secret_value(), server


def everything(directory: Path, live: Sequence[bytes]) -> bytes:
    """All that is kept: the server's file, its log, the payload store, and what the live channel was told."""
    return b"\n".join([*(file.read_bytes() for file in directory.rglob("*") if file.is_file()), *live])


class ListeningChannel(RedisChannel):
    """The live channel, with all that it was told."""

    told: list[bytes]

    async def append(self, frames: Any) -> None:
        """Add frames, and keep them."""
        self.told += [frame for said in frames.values() for frame in said]
        await super().append(frames)


async def played(directory: Path, *, redacts: bool) -> tuple[dict[str, Any], bytes]:
    """What runs come to, and all that is kept of them."""
    told = directory / "told.txt"
    told.write_text(said("mcp"))
    failing = directory / "failing.txt"
    failing.write_text(said("mcp_error"))
    handbook = directory / "handbook" / "page.md"
    handbook.parent.mkdir()
    handbook.write_text(said("passage"))
    server = McpServer(command=sys.executable, args=[str(LEAKING), str(told), str(failing)])
    guardrails = [Pii(), Secrets(reversible=True)] if redacts else []
    app = App(DESK, FORM, mcp={"leaking": server}, collections=[HANDBOOK], guardrails=guardrails)
    results: dict[str, Any] = {}
    kept = directory / "kept"
    kept.mkdir()
    async with AsyncExitStack() as open_:
        temporal, url, _ = await open_.enter_async_context(stack(kept))
        channel = ListeningChannel(url)
        channel.told = []
        services = await open_.enter_async_context(knowledge(directory / "handbook-store"))
        sessions = await open_.enter_async_context(mcp_sessions(app.mcp))
        live = Live(channel)
        services = replace(services, mcp=sessions, live=live)
        adapters = {"scripted": ScriptedAdapter(SCRIPT)}
        worker = build_worker(temporal, app, adapters, lambda *_: 0.0, task_queue="planted", services=services)
        async with worker:
            client = Client(temporal, task_queue="planted", redis_url=url)
            await (await client.ingest(HANDBOOK, [str(handbook)])).result()
            name = values_of("name")
            file = FilePart(media_type="text/plain", data=_base64(said("file")), name=f"{name[0]} {name[-1]}.txt")
            run = await client.start(DESK, [said("asked"), file])
            async for _ in run.stream():
                pass
            results["desk"] = await run.result()
            results["form"] = await (await client.start(FORM, "Go.")).result()
            results["clerk"] = await (await client.get(f"{run.id}/clerk")).result()
        await live.close()
        await channel.aclose()
    return results, everything(kept, channel.told)


def _base64(text: str) -> str:
    import base64  # noqa: PLC0415

    return base64.b64encode(text.encode()).decode()


def spellings(value: str) -> Iterator[bytes]:
    """How a value may stand in a file."""
    yield value.encode()
    yield json.dumps(value).encode()
    yield value.replace(" ", "").encode()


def leaks(kept: bytes) -> dict[str, list[str]]:
    """The planted values that stand in it, by their place."""
    found = {place: [one for one in values_of(place) if any(s in kept for s in spellings(one))] for place in PLACES}
    return {place: values for place, values in found.items() if values}


@pytest.mark.timeout(200)
async def test_nothing_that_is_redacted_is_kept_anywhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    set_up_logs(Settings(), None)
    with caplog.at_level(logging.DEBUG):
        results, kept = await played(tmp_path, redacts=True)
    printed = "".join(capfd.readouterr())
    assert len(kept) > 100_000
    assert leaks(kept) == {}
    assert leaks(caplog.text.encode()) == {}
    assert leaks(printed.encode()) == {}
    desk, form = results["desk"], results["form"]
    assert desk.status is Status.COMPLETED, desk.reason
    assert [one for one in values_of("answer") if one not in desk.output] == []
    assert [one for one in values_of("output") if one not in form.output.model_dump_json()] == []
    messages = [message.model_dump(mode="json") for message in (*desk.messages, *results["clerk"].messages)]
    transcript = json.dumps(messages)
    shown = ("asked", "result", "error", "crash", "passage", "mcp", "mcp_error")
    lost = {place: [one for one in values_of(place) if one not in transcript] for place in shown}
    assert lost == {place: [] for place in shown}


@pytest.mark.timeout(200)
async def test_with_redaction_off_all_of_it_is(tmp_path: Path) -> None:
    _, kept = await played(tmp_path, redacts=False)
    found = leaks(kept)
    assert {*found} >= {*PLACES} - {"file"}
