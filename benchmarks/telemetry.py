"""What telemetry costs a turn: full, with all that was said, beside none.

Run it by `python -m benchmarks.telemetry`; beside it the same agent under LangGraph with OpenInference's
instrumentation, in an environment of its own:

    python -m venv DIR
    DIR/bin/pip install langgraph openinference-instrumentation-langchain opentelemetry-exporter-otlp-proto-http
    python -m benchmarks.telemetry --langgraph DIR/bin/python

The server and what takes the spans are processes of their own; the workers
are this one, so its processor time is theirs. Two workers without telemetry tell how far equal ones differ here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median

from pydantic import SecretStr
from temporalio.client import Client
from temporalio.runtime import Runtime, TelemetryConfig

from benchmarks.contenders import Ours
from benchmarks.figures import Row, show
from benchmarks.load import Load, ScriptedModel
from benchmarks.measure import Timing, time_run, turns_per_second
from sostenuto.activities.call.live import Live
from sostenuto.activities.transcript_cache import TranscriptCache
from sostenuto.connection.connect import connect
from sostenuto.workers.settings import Settings
from sostenuto.workers.stack.process import ProcessGroup
from sostenuto.workers.stack.temporal_server import TemporalServer, find_port
from sostenuto.workers.stack.valkey_server import ValkeyServer, find_valkey, new_password
from sostenuto.workers.telemetry.telemetry import telemetry_of

LOADS = (Load(50), Load(200))
CROWD = Load(5)
_TAKES_ALL = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200); self.send_header("content-length", "0"); self.end_headers()
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""

Timings = dict[tuple[str, Load], list[Timing]]


@asynccontextmanager
async def taking_all() -> AsyncIterator[str]:
    """Run what takes all spans while the block lasts; yields its address."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _TAKES_ALL, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}"
    finally:
        process.kill()
        await process.wait()


async def _contenders(
    client: Client, model: ScriptedModel, redis_url: str, stack: AsyncExitStack
) -> Mapping[str, Ours]:
    wanted = {
        "none": Settings(),
        "off": Settings(),
        "spans": Settings(telemetry=("otlp",), redis_url=SecretStr(redis_url)),
        "full": Settings(
            telemetry=("otlp",),
            telemetry_content="on",
            metrics=str(find_port(0, "", "")),
            redis_url=SecretStr(redis_url),
        ),
    }
    found = {}
    for name, settings in wanted.items():
        watched = telemetry_of(settings, client, live=Live(), cache=TranscriptCache(), task_queue=f"bench-{name}-1000")
        interceptors = await stack.enter_async_context(watched)
        found[name] = Ours.build(client, model, name=name, interceptors=interceptors)
        await stack.enter_async_context(found[name].worker)
    return found


async def measure(rounds: int, runs: int, langgraph: str | None) -> list[Row]:
    """Measure; return the rows of the table.

    Args:
        rounds: How often.
        runs: How many at once, where many are.
        langgraph: Python of an environment that has LangGraph. None: that is left out.
    """
    beside: list[Row] = []
    model = ScriptedModel([*LOADS, CROWD])
    timings: Timings = {}
    crowds: dict[str, list[float]] = {}
    async with AsyncExitStack() as stack:
        state = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        group = await stack.enter_async_context(ProcessGroup())
        server = await TemporalServer.start(group, state, port=0, ui_port=None)
        program = find_valkey()
        assert program
        valkey = await ValkeyServer.start(group, program, state, port=find_port(0, "", ""), password=new_password())
        os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = await stack.enter_async_context(taking_all())
        client = await connect(server.address)
        workers = await _contenders(client, model, valkey.url.get_secret_value(), stack)
        for contender in workers.values():
            await time_run(contender, LOADS[0], model)
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
            # Each round begins with another one, so that a drift of the machine hits all.
            names = [*workers][number % len(workers) :] + [*workers][: number % len(workers)]
            for name in names:
                for load in LOADS:
                    timing, _ = await time_run(workers[name], load, model)
                    timings.setdefault((name, load), []).append(timing)
                crowds.setdefault(name, []).append(await turns_per_second(workers[name], CROWD, runs))
        if langgraph:
            beside = [await _langgraph(langgraph, os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"], load) for load in LOADS]
    return [*_rows(timings), *_crowd_rows(crowds, runs), *beside]


async def _langgraph(python: str, endpoint: str, load: Load) -> Row:
    script = Path(__file__).with_name("langgraph_agent.py")
    process = await asyncio.create_subprocess_exec(
        *(python, str(script), endpoint, str(load.turns), "3", str(load.result_bytes)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    out, _ = await process.communicate()
    found: dict[str, list[float]] = {"none": [], "full": []}
    for line in out.decode().splitlines():
        said = json.loads(line)
        found[said["kind"]].append(said["ms"])
    none, full = median(found["none"]), median(found["full"])
    return Row(f"LangGraph with OpenInference, ms per turn, {load.turns} turns: full / none", full / none, none)


def _rows(timings: Timings) -> list[Row]:
    rows = []
    for load in LOADS:
        for what, field in (("ms per turn", "ms"), ("processor ms per turn", "cpu_ms")):
            found: dict[str, list[float]] = {}
            for name in ("none", "off", "spans", "full"):
                found[name] = [getattr(one, field) for one in timings[name, load]]
            rows.append(Row(f"{what}, {load.turns} turns, none", median(found["none"])))
            for name, most in (("off", 1.01), ("spans", None), ("full", 1.10)):
                ratio = median(one / none for one, none in zip(found[name], found["none"], strict=True))
                goal = f"<= {most}" if most and what == "ms per turn" else ""
                rows.append(
                    Row(
                        f"{what}, {load.turns} turns: {name} / none",
                        ratio,
                        None,
                        goal,
                        ratio <= most if goal and most else None,
                    )
                )
    return rows


def _crowd_rows(crowds: Mapping[str, list[float]], runs: int) -> list[Row]:
    none = median(crowds["none"])
    rows = [Row(f"turns per second, {runs} runs at once, none", none)]
    return rows + [
        Row(f"turns per second: {name} / none", median(crowds[name]) / none) for name in ("off", "spans", "full")
    ]


def main() -> int:
    """Print the table; exit status 1 if `--check` was given and a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.telemetry", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: a look, not a measurement")
    parser.add_argument("--check", action="store_true", help="exit with status 1 where a goal is missed")
    parser.add_argument("--langgraph", metavar="PYTHON", help="of an environment that has LangGraph: see above")
    options = parser.parse_args()
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=None)))
    rounds, runs = (3, 20) if options.quick else (12, 60)
    rows = asyncio.run(measure(rounds, runs, options.langgraph))
    return int(not show(rows) and options.check)


if __name__ == "__main__":
    sys.exit(main())
