"""An app whose model is a script, so that the stack needs neither keys nor weights."""

import json
from pathlib import Path

import pytest

# Its tool is slow: a worker is to be killed before the next model call begins, however late it is told to.
APP = '''
import asyncio

from sostenuto import Agent, App, tool


@tool(effect="read")
async def find(topic: str) -> str:
    """Find what is known of a topic."""
    await asyncio.sleep(1)
    return f"{topic} is known"


app = App(Agent(name="scripted", model="scripted/any", tools=[find]))
'''

SCRIPT = [
    {"tool_calls": [{"name": "find", "arguments": {"topic": "rain"}}], "delay_seconds": 0.3},
    {"tool_calls": [{"name": "find", "arguments": {"topic": "snow"}}], "delay_seconds": 0.3},
    {"text": "It rains, and it snows.", "delay_seconds": 0.3},
]


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """A state directory of this test alone."""
    return tmp_path / "state"


@pytest.fixture
def scripted_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """`file:app` of an agent that calls a tool twice and answers."""
    file = tmp_path / "scripted_agents.py"
    file.write_text(APP)
    script = tmp_path / "script.json"
    script.write_text(json.dumps(SCRIPT))
    monkeypatch.setenv("SOSTENUTO_SCRIPT", str(script))
    return f"{file}:app"
