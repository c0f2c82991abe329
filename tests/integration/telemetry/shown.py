"""Runs of every kind that tools are shown, and what their scripts say."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Chain, Client, Collection, Model, Prompt, Retrieve, Team, tool
from sostenuto.activities.adapters.providers.scripted import Script, ScriptedAdapter
from sostenuto.activities.call.live import Live
from sostenuto.workers.settings import Settings
from sostenuto.workers.telemetry.sending.score_takers import score_takers
from sostenuto.workers.telemetry.telemetry import telemetry_of
from sostenuto.workers.worker import build_worker
from tests.fakes.knowledge import WORDS, knowledge
from tests.integration.agent.stage import calls

PRICE_USD = 0.25
"""What every model call costs here."""
HANDBOOK = Collection("shown-handbook", embedding=WORDS, limit=2)


@tool(effect="read")
async def look(at: str) -> dict[str, str]:
    """Look at something."""
    return {"at": at, "is": "fine"}


@tool(effect="read")
async def lift(kilograms: float) -> str:
    """Lift a weight."""
    raise ValueError(f"{kilograms:g} kg is too much")


CLERK = Agent(
    name="clerk",
    instructions="Be kind.",
    model=Model("scripted/away", fallbacks=["scripted/clerk"]),
    tools=[look, lift],
)
FLOW = Chain(
    name="flow",
    steps=[
        Retrieve("found", HANDBOOK),
        Prompt(name="one", template="Say {input} of {found}", model="scripted/one"),
        CLERK,
    ],
)
CREW = Team(name="crew", model="scripted/lead", members=[CLERK, Agent(name="other", model="scripted/other")])
TALKER = Agent(name="talker", instructions="Be brief.", model="scripted/talker")
APP = App(FLOW, CREW, TALKER, collections=[HANDBOOK])
USAGE = {"input_tokens": 100, "cached_tokens": 40, "cache_write_tokens": 10, "output_tokens": 20, "reasoning_tokens": 5}
SCRIPT: Script = {
    "one": [{"text": "hi", "usage": USAGE}],
    "away": [{"error": "QuotaExceeded"}] * 2,
    "clerk": [
        calls(("look", {"at": "the house"}), ("lift", {"kilograms": 90.5}), text="I look."),
        "Fine.",
    ],
    "lead": [calls(("clerk", {"task": "look"}), ("other", {"task": "think"})), "All is well."],
    "other": ["I think."],
    "talker": ["One.", "Two."],
}


@asynccontextmanager
async def showing(
    temporal: TemporalClient, task_queue: str, folder: Path, settings: Mapping[str, Any]
) -> AsyncIterator[Client]:
    """Serve the app, with a handbook of one page, by a worker with these settings of telemetry."""
    adapters = {"scripted": ScriptedAdapter(SCRIPT)}
    async with knowledge(folder / "store", adapters=adapters) as services:
        live = Live()
        wanted = Settings(state_dir=folder, **settings)
        async with (
            telemetry_of(wanted, temporal, live=live, cache=services.cache, task_queue=task_queue) as interceptors,
            score_takers(wanted) as scores,
        ):
            worker = build_worker(
                temporal,
                APP,
                adapters,
                lambda *_: PRICE_USD,
                task_queue=task_queue,
                services=replace(services, live=live, scores=scores),
                interceptors=interceptors,
            )
            async with worker:
                yield Client(temporal, task_queue=task_queue, redis_url="")


async def fill(client: Client, folder: Path) -> None:
    """Bring the handbook's page in."""
    page = folder / "pump.md"
    page.write_text("The pump is stored upright.")
    await (await client.ingest(HANDBOOK, page)).result()
