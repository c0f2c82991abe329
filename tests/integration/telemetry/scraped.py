"""What a worker publishes under /metrics, after runs of every kind that a figure tells of."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families
from temporalio.client import Client as TemporalClient
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.service import RPCError

from sostenuto import Agent, App, Approval, Chain, Client, Collection, Memory, Model, Pii, Prompt, Retrieve, tool
from sostenuto.activities.adapters.providers.scripted import Script
from sostenuto.connection.connect import connect
from sostenuto.workers.telemetry.sdk_counts import SdkCounts
from tests.fakes.knowledge import WORDS, knowledge
from tests.integration.agent.stage import calls
from tests.integration.telemetry.watched import PRICE_USD, watched

WORD_SECONDS = 0.05
"""How long each word of `slow` takes."""
HANDBOOK = Collection("scraped-handbook", embedding=WORDS)


@tool(effect="read")
async def look(at: str) -> str:
    """Look."""
    if at == "nowhere":
        raise ValueError("there is nothing")
    return f"{at} is fine"


@tool(effect="once", approval=Approval(expires=timedelta(milliseconds=100)))
async def pay(amount: int) -> str:
    """Pay, if somebody says so at once."""
    return f"paid {amount}"


CLERK = Agent(name="clerk", model=Model("scripted/away", fallbacks=["scripted/clerk"]), tools=[look, pay])
FLOW = Chain(
    name="flow",
    steps=[
        Retrieve("found", HANDBOOK),
        Prompt(name="busy", template="Say {input} of {found}", model="scripted/busy"),
        CLERK,
    ],
)
DOOMED = Agent(name="doomed", model="scripted/doomed", guardrails=[Pii(on_failure="flag")])
HOST = Agent(name="host", model="scripted/slow")
GOSSIP = Agent(name="gossip", model="scripted/gossip", memory=Memory(window=600, strategy="window"))
SCRIPT: Script = {
    "busy": [{"error": "RateLimited", "retry_after_seconds": 0.01, "faulty_attempts": 1, "text": "hi"}],
    "away": [{"error": "QuotaExceeded"}] * 2,
    "clerk": [calls(("look", {"at": "the house"}), ("look", {"at": "nowhere"}), ("pay", {"amount": 5})), "Fine."],
    "doomed": [{"error": "AuthenticationFailed"}],
    "gossip": [{"text": "Well I never.", "usage": {"input_tokens": 700, "output_tokens": 10}}],
    "slow": [{"text": "You are welcome.", "seconds_per_word": WORD_SECONDS}],
}


@dataclass(frozen=True)
class Sample:
    """A line of what was scraped."""

    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Scrape:
    """All that was scraped at once."""

    text: str

    @property
    def samples(self) -> Iterator[Sample]:
        """The lines."""
        for family in text_string_to_metric_families(self.text):
            for one in family.samples:
                yield Sample(one.name, one.labels, one.value)

    @property
    def labels(self) -> dict[str, set[str]]:
        """The labels that a metric has, by its name."""
        found: dict[str, set[str]] = {}
        for sample in self.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
        return found

    def of(self, name: str, **labels: str) -> float:
        """The sum of all lines of a metric that have these labels; none are a failure."""
        values = [one.value for one in self.samples if one.name == name and labels.items() <= one.labels.items()]
        assert values, f"there is no {name} with {labels}"
        return sum(values)


async def scrape(port: int) -> Scrape:
    """Ask a worker for its metrics."""
    with await asyncio.to_thread(urlopen, f"http://127.0.0.1:{port}/metrics") as answer:
        return Scrape(answer.read().decode())


def free_port() -> int:
    """A port of this machine at which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@asynccontextmanager
async def publishing(temporal: TemporalClient, task_queue: str, folder: Path, port: int) -> AsyncIterator[Client]:
    """Serve the app by a worker whose metrics, and those of its Temporal SDK, can be scraped.

    It keeps one run in memory, so that some have to be read again, and knows no price of `slow`.
    """
    buffer = SdkCounts()
    runtime = Runtime(telemetry=TelemetryConfig(metrics=buffer))
    connected = await connect(temporal.service_client.config.target_host, runtime=runtime)
    settings = {"metrics": str(port)}
    app = App(FLOW, CLERK, DOOMED, HOST, GOSSIP, collections=[HANDBOOK])
    async with (
        knowledge(folder / "store") as services,
        watched(
            connected,
            app,
            SCRIPT,
            task_queue,
            settings=settings,
            buffer=buffer,
            services=services,
            price=lambda _, model, __: None if model == "slow" else PRICE_USD,
            max_cached_runs=1,
        ) as client,
    ):
        yield client


async def run_all(client: Client, folder: Path) -> None:
    """Run something of everything: a search, retries, a fallback, tools, a tenant, a failure, chats, a memory."""
    page = folder / "pump.md"
    page.write_text("The pump is stored upright.")
    await (await client.ingest(HANDBOOK, page)).result()
    runs = [await client.start(FLOW, "Hello", tenant="acme") for _ in range(2)]
    runs.append(await client.start(DOOMED, "Write to ada@example.com", tenant="acme"))
    for run in runs:
        await run.result()
    chat = await client.chat(HOST)
    await chat.send("Hello")
    await chat.end()
    chat = await client.chat(GOSSIP)
    for said in ("They say so. " * 80, "And then?"):
        await chat.send(said)
    await chat.end()
    # Something that the server refuses.
    with suppress(RPCError):
        await client.temporal.get_workflow_handle("there-is-none").describe()
