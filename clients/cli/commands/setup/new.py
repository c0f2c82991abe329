"""`sostenuto new`: begins a project of one's own.

It has an app, a test of it, and what to type.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

from .....contracts.errors import SpecError
from ...terminal import answer

_AGENTS: Final = '''"""The app: an agent that answers questions about orders."""

import os

from pydantic import BaseModel
from sostenuto import Agent, App, ToolError, tool

MODEL = os.environ.get("SOSTENUTO_MODEL", "local/smollm2-135m")
"""`provider/model`, such as anthropic/claude-haiku-5-5: it takes the provider's key in the worker's environment."""


class Order(BaseModel):
    """An order, as the shop has it."""

    id: str
    status: str


ORDERS = {"7": Order(id="7", status="on its way"), "8": Order(id="8", status="delivered")}


@tool(effect="read")
async def order_status(order_id: str) -> Order:
    """Where an order is now.

    Args:
        order_id: The number on the invoice.
    """
    if order_id not in ORDERS:
        raise ToolError(f"there is no order {order_id}; there are: {', '.join(ORDERS)}")
    return ORDERS[order_id]


support = Agent(
    name="support",
    instructions="You answer questions about orders, in a sentence or two.",
    model=MODEL,
    tools=[order_status],
)
app = App(support)
'''
_CONFTEST: Final = '''"""What the tests share: `sostenuto_server`, a Temporal server in memory."""

pytest_plugins = ["sostenuto.testing"]
'''
_TESTS: Final = '''"""What the agent does, with a script in place of its model: all else is real."""

import asyncio

from sostenuto.testing import run_scripted

from agents import app


def test_it_looks_the_order_up(sostenuto_server: str) -> None:
    looks = {"tool_calls": [{"name": "order_status", "arguments": {"order_id": "7"}}]}
    asked = run_scripted(app, "support", "Where is 7?", [looks, "It is on its way."], address=sostenuto_server)
    result = asyncio.run(asked)
    assert result.output == "It is on its way."
    told = [part.content for message in result.messages for part in message.parts if part.kind == "tool_result"]
    assert told == ['{"id":"7","status":"on its way"}']


def test_it_is_told_that_there_is_no_such_order(sostenuto_server: str) -> None:
    looks = {"tool_calls": [{"name": "order_status", "arguments": {"order_id": "9"}}]}
    asked = run_scripted(app, "support", "Where is 9?", [looks, "There is none."], address=sostenuto_server)
    result = asyncio.run(asked)
    told = [part.content for message in result.messages for part in message.parts if part.kind == "tool_result"]
    assert told == ["there is no order 9; there are: 7, 8"]
'''
_README: Final = """# {name}

    python -m venv .venv && . .venv/bin/activate
    pip install -r requirements.txt    # or, of a checkout: pip install '/path/to/sostenuto[local]' pytest
    python -m pytest                # no key, no weights

    sostenuto pull                  # the local model, once; or a key and SOSTENUTO_MODEL, and --no-model below
    sostenuto dev agents.py:app     # Temporal with its UI, the local model, a worker; leave it up
    sostenuto run --no-worker agents.py:app support "Where is order 7?"    # in another terminal

With a model by key: `export ANTHROPIC_API_KEY=… SOSTENUTO_MODEL=anthropic/claude-haiku-5-5` in both terminals.

With `sostenuto dev agents.py:app --reload` the worker begins anew after each change. Without `--no-worker`,
`sostenuto run` brings a worker of its own, with the app as it is.
"""
_FILES: Final = {
    "agents.py": _AGENTS,
    "conftest.py": _CONFTEST,
    "test_agents.py": _TESTS,
    "README.md": _README,
    "requirements.txt": "sostenuto[local]\npytest\n",
    # What the embedded stack brings has a plugin that not every installation can load.
    "pytest.ini": "[pytest]\naddopts = -p no:valkey\n",
    ".gitignore": ".sostenuto/\nvault.keys\n.venv/\n__pycache__/\n",
}


def register(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("new", help="begin a project: an app and a test of it", description=__doc__)
    parser.add_argument("directory", type=Path, metavar="NAME", help="directory to make, or an empty one")
    parser.set_defaults(handler=_new)


async def _new(args: argparse.Namespace) -> int:
    directory: Path = args.directory
    _write(directory)
    answer(f"{directory} has {', '.join(_FILES)}")
    answer(f"Next: cd {directory}, and what README.md says: python -m pytest, sostenuto dev agents.py:app")
    return 0


def _write(directory: Path) -> None:
    try:
        if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            raise SpecError(f"{directory} is there already and is not empty: name another directory")
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in _FILES.items():
            (directory / name).write_text(content.replace("{name}", directory.resolve().name), encoding="utf-8")
    except OSError as error:
        raise SpecError(f"{directory} cannot be written: {error.strerror}") from error
