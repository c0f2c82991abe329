"""Records the histories of each shape of run for the replay tests.

    python -m tests.replay.record [--force] [SHAPE ...]

Writes `tests/replay/histories/v<version>/<shape>.json` for the version of this checkout, with a real server and a
scripted model; an execution that continued as new has a file for each, and so has a nested run, by its path. It leaves
existing files alone unless --force is given, which is right only before the version is released: what a released
version wrote has to replay for ever, so a failing replay calls for a patch marker or a new version of the workflow,
never for a new recording.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import re
import shutil
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast
from unittest.mock import patch

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from sostenuto import App, Client, PendingApproval, Run, __version__
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.activities.score import ScoreNotTaken
from sostenuto.contracts import names
from sostenuto.contracts.memory.long_term import memory_workflow_id
from sostenuto.contracts.specs.node import Node
from sostenuto.contracts.specs.runnable import Runnable
from sostenuto.contracts.wire.feedback.score import ScoreInput
from sostenuto.contracts.wire.places import score_id
from sostenuto.workers.mcp import mcp_sessions
from sostenuto.workers.served.activities import Services
from sostenuto.workers.worker import build_worker
from sostenuto.workflows.knowledge import ingest_workflow
from tests.dev_server import dev_server
from tests.fakes.knowledge import knowledge
from tests.replay import chats
from tests.replay.chats import CHATTED
from tests.replay.code_first_workflow import PricedWorkflow, RacingWorkflow, RecordedWorkflow, count, spend
from tests.replay.guarded import GUARDED
from tests.replay.shapes import HANDBOOK, SEARCHED, SERVERS, FakeEmbedder, Shape
from tests.replay.shapes import SHAPES as OTHERS
from tests.replay.shortened import SHORTENED

_COMPLETED = EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED

HISTORIES = Path(__file__).parent / "histories"

SHAPES = {**OTHERS, **SHORTENED, **GUARDED}

INGESTED = "ingested"
"""Shape of an ingest, which no client starts as a run."""

SCORED = "scored"
"""Shape of a score, which is no run either."""

DOCUMENTS = "/dev/shm/sostenuto-recorded"


async def record(shapes: Iterable[str]) -> dict[str, str]:
    """Histories as JSON, by the name of their file."""
    recorded: dict[str, str] = {}
    shapes = list(shapes)
    async with AsyncExitStack() as stack:
        servers = {
            impatient: await stack.enter_async_context(await _server(impatient=impatient))
            for impatient in (True, False)
        }
        directory = Path(stack.enter_context(TemporaryDirectory()))
        known = await stack.enter_async_context(knowledge(directory))
        services = replace(known, embedder=FakeEmbedder(), mcp=await stack.enter_async_context(mcp_sessions(SERVERS)))
        if not {INGESTED, *SEARCHED}.isdisjoint(shapes):
            # What is searched was brought in by the ingest that is recorded.
            async for name, history in _ingests(servers[True].client, services):
                if INGESTED in shapes:
                    recorded[f"{name}.json"] = history
        for shape in CHATTED.keys() & set(shapes):
            temporal = servers[True].client
            await chats.hold(temporal, shape, services)
            executions = [history async for _, history in _executions(temporal, shape)]
            recorded |= {f"{shape}_{number}.json": _cleaned(one.to_json()) for number, one in enumerate(executions, 1)}
        if SCORED in shapes:
            recorded[f"{SCORED}.json"] = await _score(servers[False].client)
        shapes = [shape for shape in shapes if shape not in (INGESTED, SCORED, *CHATTED)]
        for shape in shapes:
            temporal = servers[SHAPES[shape].impatient].client
            async for place, history in _histories(temporal, shape, SHAPES[shape], services):
                recorded[f"{place}.json"] = history
    return recorded


async def _ingests(temporal: TemporalClient, services: Services) -> AsyncIterator[tuple[str, str]]:
    """The histories of an ingest that continues as new, and of one that takes out what is gone."""
    documents = Path(DOCUMENTS)
    await asyncio.to_thread(_write_documents, documents)
    worker = build_worker(
        temporal, App(collections=[HANDBOOK]), {}, lambda *_: 0.0, task_queue="recording", services=services
    )
    try:
        # The name of this machine would stand in the histories, and a page of a hundred documents would be large.
        with patch("socket.gethostname", return_value="desk"), patch.object(ingest_workflow, "_PAGE", 4):
            async with worker:
                client = Client(temporal, task_queue="recording")
                ingest = await client.ingest(HANDBOOK, documents, fields={"team": "core"}, concurrency=2)
                await ingest.result()
                executions = [history async for _, history in _executions(temporal, ingest.id)]
                for number, history in enumerate(executions, 1):
                    yield f"{INGESTED}_{number}", _cleaned(history.to_json())
                await asyncio.to_thread((documents / "0.md").unlink)
                await (await client.ingest(HANDBOOK, documents, prune=True)).result()
        history = await temporal.get_workflow_handle(ingest.id).fetch_history()
        yield f"{INGESTED}_{len(executions) + 1}", _cleaned(history.to_json())
    finally:
        await asyncio.to_thread(shutil.rmtree, documents)


class _Taker:
    """Takes scores, or refuses them."""

    def __init__(self, refusal: str = "") -> None:
        self._refusal = refusal

    async def take(self, given: ScoreInput, namespace: str, score_id: str) -> None:
        """Take none where there is a refusal."""
        if self._refusal:
            raise ScoreNotTaken(self._refusal, again=False)


async def _score(temporal: TemporalClient) -> str:
    """The history of a score that one destination takes, and another one refuses."""
    shape = SHAPES["plain"]
    services = Services(scores={"langfuse": _Taker(), "phoenix": _Taker("the key is wrong")})
    adapters = {"scripted": ScriptedAdapter(shape.script)}
    worker = build_worker(temporal, _app(shape), adapters, lambda *_: 0.0, task_queue="recording", services=services)
    async with worker:
        run = await Client(temporal, task_queue="recording", redis_url="").start(shape.runs, shape.asked, id=SCORED)
        await run.result()
        score = await run.score("helpful", 1.0, comment="On point.", by="anna")
        first = (await temporal.get_workflow_handle(run.id).describe()).raw_description.workflow_execution_info
        handle = temporal.get_workflow_handle(score_id(first.first_run_id, score.turn, score.name, score.by))
        await handle.result()
    return _cleaned((await handle.fetch_history()).to_json())


def _write_documents(directory: Path) -> None:
    directory.mkdir()
    for number in range(9):
        (directory / f"{number}.md").write_text(f"The probe of box {number} is stored flat.")
    (directory / "empty.md").write_bytes(b"")


async def _server(*, impatient: bool) -> WorkflowEnvironment:
    # The identity would stand in every event, and by default it tells the name of the machine.
    if impatient:
        return await dev_server("recorder", limit__historyCount__suggestContinueAsNew=30)
    return await dev_server("recorder")


async def _histories(
    temporal: TemporalClient, name: str, shape: Shape, services: Services
) -> AsyncIterator[tuple[str, str]]:
    """The histories of a run of the shape and of all that is nested in it, by the names of their places."""
    adapters = {"scripted": shape.adapter() if shape.adapter else ScriptedAdapter(shape.script)}
    worker = build_worker(temporal, _app(shape), adapters, lambda *_: 0.001, task_queue="recording", services=services)
    async with worker:
        run = await Client(temporal, task_queue="recording").start(
            shape.runs, shape.asked, id=name, context=shape.context
        )
        if shape.cancelled_at:
            await _reached(temporal, run, shape)
            if shape.terminates:
                await temporal.get_workflow_handle(run.id + shape.cancelled_in).terminate("it took too long")
            else:
                await run.cancel(compensate=shape.compensates)
        await _decide(run, shape.decided)
        for turns in shape.topped_up:
            await _asked(run)
            await run.top_up(turns=turns, by="anna")
        await run.result()
    executions = [execution async for execution in _executions(temporal, name)]
    ids = [workflow_id for workflow_id, _ in executions]
    for index, (workflow_id, history) in enumerate(executions):
        number = f"_{ids[:index].count(workflow_id) + 1}" if ids.count(workflow_id) > 1 else ""
        yield re.sub("[^a-z0-9_]+", "-", workflow_id).strip("-") + number, _cleaned(history.to_json())
    if shape.memory:
        # It ends whenever nothing is under way: the last of them.
        kept = [one async for _, one in _executions(temporal, memory_workflow_id(HANDBOOK.name, shape.memory))]
        yield f"{name}-memory_1", _cleaned(kept[-1].to_json())
    if shape.ledger:
        kept = [history async for _, history in _executions(temporal, names.LEDGER_ID + shape.ledger)]
        for index, history in enumerate(kept, 1):
            yield f"{name}-ledger_{index}", _cleaned(history.to_json())


async def _decide(run: Run, decisions: Iterable[str]) -> None:
    """Say of the calls that wait what is to be said of them, in the order in which they began to."""
    for decision in decisions:
        call = await _first_that_waits(run)
        match decision:
            case "approve":
                await run.approve(call.call_id, by="anna", for_rest=call.grants)
            case "deny":
                await run.deny(call.call_id, by="anna", note="Not that one.")
            case "edit":
                changed = {name: 10 if isinstance(value, int) else value for name, value in call.arguments.items()}
                await run.edit(call.call_id, changed, by="otto", note="Less.")
            case _:
                await run.answer(call.call_id, "It is given already.", by="otto", hash=call.hash)


async def _asked(run: Run) -> None:
    """Wait until a budget waits for a top-up."""
    while True:
        if await run.top_ups():
            return
        await asyncio.sleep(0.05)


async def _first_that_waits(run: Run) -> PendingApproval:
    """The first call that waits, but for those that nobody is to decide."""
    while True:
        if waiting := [call for call in await run.approvals() if call.tool != "hurry"]:
            return waiting[0]
        await asyncio.sleep(0.05)


def _app(shape: Shape) -> App:
    if isinstance(shape.runs, Node):
        return App(cast("Runnable", shape.runs), mcp=SERVERS)
    return App(tools=[count, spend], workflows=[RecordedWorkflow, RacingWorkflow, PricedWorkflow])


async def _executions(
    temporal: TemporalClient, workflow_id: str, run_id: str | None = None
) -> AsyncIterator[tuple[str, WorkflowHistory]]:
    """The ids and histories of all executions of a run, and of the runs that they started."""
    handle = temporal.get_workflow_handle(workflow_id, run_id=run_id)
    if run_id is None:
        run_id = (await handle.describe()).raw_description.workflow_execution_info.first_run_id
        handle = temporal.get_workflow_handle(workflow_id, run_id=run_id)
    history = await handle.fetch_history()
    yield workflow_id, history
    for event in history.events:
        child = event.child_workflow_execution_started_event_attributes.workflow_execution
        following = event.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
        if child.run_id or following:
            async for execution in _executions(temporal, child.workflow_id or workflow_id, child.run_id or following):
                yield execution


async def _reached(temporal: TemporalClient, run: Run, shape: Shape) -> None:
    """Wait until the activity within which the run is to be cancelled is under way, and all others have ended."""
    handle = temporal.get_workflow_handle(run.id + shape.cancelled_in)
    while True:
        try:
            pending = (await handle.describe()).raw_description.pending_activities
            completed = [event for event in (await handle.fetch_history()).events if event.event_type == _COMPLETED]
            if len(completed) >= 2 and [activity.activity_type.name for activity in pending] == [shape.cancelled_at]:
                return
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        await asyncio.sleep(0.05)


def _cleaned(history: str) -> str:
    """Without stack traces: they tell where this machine keeps its files."""

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: clean(inner) for key, inner in value.items() if key != "stackTrace"}
        return [clean(inner) for inner in value] if isinstance(value, list) else value

    return json.dumps(clean(json.loads(history)), ensure_ascii=False, separators=(",", ":"))


def shape_of(path: Path) -> str:
    """The shape that a file has a history of."""
    return re.sub(r"_\d+$", "", path.stem.partition("-")[0])


def _recorded(directory: Path, shape: str) -> list[Path]:
    return [path for path in directory.glob("*.json") if shape_of(path) == shape]


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.replay.record", description=__doc__)
    parser.add_argument("shapes", nargs="*", metavar="SHAPE", help=f"any of {', '.join(SHAPES)}; default: all")
    parser.add_argument("--force", action="store_true", help="overwrite what is there: only before a release")
    # Tools and models fail here on purpose.
    logging.getLogger("temporalio").setLevel(logging.ERROR)
    arguments = parser.parse_args()
    unknown = [shape for shape in arguments.shapes if shape not in (*SHAPES, *CHATTED, INGESTED, SCORED)]
    if unknown:
        parser.error(f"no shape is named {', '.join(unknown)}; there are {', '.join(SHAPES)}")
    directory = HISTORIES / f"v{__version__}"
    directory.mkdir(parents=True, exist_ok=True)
    wanted = arguments.shapes or [*SHAPES, *CHATTED, INGESTED, SCORED]
    kept = [] if arguments.force else [shape for shape in wanted if _recorded(directory, shape)]
    for name, history in asyncio.run(record(shape for shape in wanted if shape not in kept)).items():
        (directory / name).write_text(history + "\n")
        sys.stdout.write(f"{directory.name}/{name}  {len(history):,} characters\n")
    if kept:
        sys.stdout.write(f"kept what was there of {', '.join(kept)}: --force overwrites it\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
