"""The loopback provider as a process of its own, as the chaos tests use it."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from sostenuto.contracts.errors import RateLimited
from tests.conformance.subject import OVER_THE_WIRE, request, wire_adapter

ROOT = Path(__file__).parents[2]


async def test_it_serves_a_script_until_its_input_ends(tmp_path: Path) -> None:
    script, log = tmp_path / "script.json", tmp_path / "log.jsonl"
    fault = {"kind": "status", "status": 429, "headers": {"retry-after": "1"}}
    script.write_text(json.dumps({"steps": [{"text": "First."}], "faults": [fault]}))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.fakes.wire.server", str(script), "--log", str(log)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    url = json.loads(await process.stdout.readline())["url"]
    for protocol in OVER_THE_WIRE:
        adapter = wire_adapter(protocol, url if protocol == "anthropic" else f"{url}/v1")
        if protocol == "anthropic":
            with pytest.raises(RateLimited):
                await adapter.complete(request(protocol))
        assert (await adapter.complete(request(protocol))).message.text == "First."
        await adapter.close()
    process.stdin.close()
    assert await process.wait() == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["protocol"], line["turn"]) for line in lines] == [
        ("anthropic", 0),
        ("anthropic", 0),
        ("openai", 0),
        ("compatible", 0),
    ]
