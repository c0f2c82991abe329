"""What a call of an MCP tool costs, over one session and over a session each.

The same server, a process that speaks on its standard streams, and the same tool, which tells its process. Ours are
whole activities, heartbeats and all, in the SDK's activity environment; the others are the bare SDK calls.

    python -m benchmarks.mcp [--calls N] [--alone N] [--json FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

from mcp import Client, StdioServerParameters
from mcp.types import TextContent
from temporalio.testing import ActivityEnvironment

from sostenuto.activities.mcp import McpActivities
from sostenuto.activities.transcript_cache import TranscriptCache
from sostenuto.contracts.mcp import McpServer
from sostenuto.contracts.tool import Effect
from sostenuto.contracts.wire.mcp_call import McpInvocation
from sostenuto.workers.mcp import mcp_sessions

SERVER = [str(Path(__file__).parents[1] / "tests" / "fakes" / "mcp_server.py"), "stdio"]


@dataclass(frozen=True, slots=True)
class Calls:
    """What calls one after the other took."""

    processes: int
    """Server processes that answered."""
    milliseconds: list[float]
    """Of each call, in order."""


async def measured(times: int, call: Callable[[int], Awaitable[str]]) -> Calls:
    """Time the calls; each answers the process that served it."""
    processes, milliseconds = set(), []
    for number in range(times):
        began = perf_counter()
        processes.add(await call(number))
        milliseconds.append((perf_counter() - began) * 1000)
    return Calls(len(processes), milliseconds)


async def ours(times: int) -> Calls:
    """Time the calls as activities of one worker."""
    async with mcp_sessions({"fake": McpServer(command=sys.executable, args=SERVER)}) as sessions:
        activities = McpActivities(sessions, TranscriptCache())

        async def call(number: int) -> str:
            invocation = McpInvocation(
                call_id=str(number), reply="r", server="fake", tool="pid", name="pid", effect=Effect.READ
            )
            return (await ActivityEnvironment().run(activities.call, invocation)).content

        return await measured(times, call)


async def alone(times: int) -> Calls:
    """Time a process and a handshake for each call.

    As where a session lives no longer than an activity.
    """

    async def call(_: int) -> str:
        async with Client(StdioServerParameters(command=sys.executable, args=SERVER)) as client:
            content = (await client.call_tool("pid")).content[0]
            return content.text if isinstance(content, TextContent) else ""

    return await measured(times, call)


def row(figure: str, values: tuple[float, float]) -> str:
    """Return a line of the table."""
    return f"{figure:<34} {values[0]:>14.1f} {values[1]:>14.1f}"


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--alone", type=int, default=20, help="calls with a session each")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    shared, single = asyncio.run(ours(arguments.calls)), asyncio.run(alone(arguments.alone))
    both = (shared, single)
    print(f"{'':<34} {'one session':>14} {'one per call':>14}")
    print(row("calls", (arguments.calls, arguments.alone)))
    print(row("server processes", (shared.processes, single.processes)))
    print(row("ms of the first call", (shared.milliseconds[0], single.milliseconds[0])))
    later = tuple(calls.milliseconds[1:] for calls in both)
    print(row("ms of later calls, median", (statistics.median(later[0]), statistics.median(later[1]))))
    print(row("ms of later calls, largest", (max(later[0]), max(later[1]))))
    if arguments.json:
        arguments.json.write_text(json.dumps({"ours": asdict(shared), "alone": asdict(single)}, indent=2))
    if shared.processes != 1:
        sys.exit(f"{arguments.calls} calls took {shared.processes} server processes: one was to serve them all")


if __name__ == "__main__":
    main()
