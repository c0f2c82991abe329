"""Workflow code asks nothing of the clock, of chance or of the machine: nothing but this test would stop it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio import workflow

from sostenuto.workflows.run_workflow import RunWorkflow

WORKFLOWS = Path(__file__).parents[2] / "workflows"

MODULES = {
    *("time", "random", "secrets", "uuid", "tempfile", "os", "sys", "pathlib", "shutil", "platform", "locale"),
    *("threading", "concurrent", "multiprocessing", "subprocess", "signal", "socket", "ssl", "http", "urllib"),
}
NAMES = {"now", "utcnow", "today", "open", "input", "print", "to_thread", "run_in_executor", "id", "hash"}


def _workflow_modules() -> Iterator[Path]:
    """What the run workflow loads of its own folder."""
    found, left = set(), ["run_workflow"]
    while left:
        name = left.pop()
        path = WORKFLOWS / f"{name}.py"
        if name in found or not path.exists():
            continue
        found.add(name)
        yield path
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level == 1:
                left += [node.module] if node.module else [alias.name for alias in node.names]


def _offences(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.partition(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").partition(".")[0] in MODULES:
            found.append(node.module or "")
        elif isinstance(node, ast.Call):
            name = getattr(node.func, "attr", None) or getattr(node.func, "id", "")
            # The workflow's own clock and generators come from the history.
            owner = getattr(getattr(node.func, "value", None), "id", "")
            found += [name] if name in NAMES and owner != "workflow" else []
    return found


@pytest.mark.parametrize("path", list(_workflow_modules()), ids=lambda path: path.stem)
def test_workflow_code_is_deterministic(path: Path) -> None:
    assert _offences(path.read_text()) == []


def test_the_agent_loop_is_among_them() -> None:
    assert {"run_workflow", "agent", "tools", "transcript"} <= {path.stem for path in _workflow_modules()}


@pytest.mark.parametrize(
    "source",
    ["import time", "from uuid import uuid4", "import os.path", "datetime.now()", "open('f')", "asyncio.to_thread(f)"],
)
def test_an_offence_is_seen(source: str) -> None:
    assert _offences(source)


def test_the_workflow_clock_is_none() -> None:
    assert _offences("workflow.now()\nworkflow.uuid4()") == []


def test_the_run_workflow_is_outside_the_sandbox() -> None:
    definition = workflow._Definition.must_from_class(RunWorkflow)
    assert not definition.sandboxed
