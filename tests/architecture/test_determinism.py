"""Workflow code and contracts ask nothing of the clock, of chance or of the machine, and keep nothing from run to run.

The sandbox does not see to it: `RunWorkflow` is outside of it, and this package passes through it. The import linter
forbids the modules, `offences` the rest; every kind of offence is planted here, so that a blind guard fails.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow

from sostenuto.workflows.run_workflow import RunWorkflow, TypedRunWorkflow
from tests.architecture.offences import offences

ROOT = Path(__file__).parents[2]
FOLDERS = ("workflows", "contracts")
FILES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]

PLANTED = {
    "clock": "datetime.now()",
    "clock, uncalled": "field(default_factory=datetime.utcnow)",
    "local time": "moment.astimezone()",
    "chance": "uuid.uuid4()",
    "file": "open('f')",
    "terminal": "print('x')",
    "address": "id(x)",
    "thread": "await asyncio.to_thread(f)",
    "executor": "loop.run_in_executor(None, f)",
    "socket": "await asyncio.open_connection('h', 1)",
    "process": "await asyncio.create_subprocess_exec('ls')",
    "logger": "logging.getLogger(__name__)",
    "unordered wait": "await asyncio.wait(tasks)",
    "unordered ends": "for one in asyncio.as_completed(tasks): ...",
    "set literal": "for x in {a, b}: ...",
    "set call": "[f(x) for x in set(xs)]",
    "set variable": "seen = set()\nfor x in seen: ...",
    "set of a set": "seen = set(xs)\nrest = seen - {1}\nlist(rest)",
    "set attribute": "self._names = {t.name for t in tools}\n','.join(self._names)",
    "set parameter": "def f(names: frozenset[str]):\n    return [*names]",
    "keys of two dicts": "for k in a.keys() & b.keys(): ...",
    "set, some item": "{1, 2}.pop()",
    "module list": "_SEEN: list[str] = []",
    "module dict": "_KNOWN = {}",
    "module counter": "_NEXT = itertools.count()",
    "module lock": "_LOCK = asyncio.Lock()",
    "module table that changes": "_T = {'a': 1}\ndef f(x):\n    _T[x] = 2",
    "module list that grows": "_T = [1]\ndef f(x):\n    _T.append(x)",
    "global": "_n = 0\ndef f():\n    global _n\n    _n += 1",
    "process cache": "@lru_cache\ndef f(x): ...",
}

FINE = [
    "workflow.now()\nworkflow.uuid4()\nawait workflow.wait(tasks)",
    "x in {a, b}\nsorted({a, b})\nlen(set(xs))",
    "_TABLE = {'a': 1}\n_NAMES = ['a']\n_PATTERN = re.compile('a')",
    "def f():\n    seen = {}\n    seen['a'] = 1",
    "dict.fromkeys(xs)\n[x for x in xs]",
]


def _import_linter_contract() -> dict[str, Any]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return next(found for found in settings["contracts"] if "clock" in found["name"])


def test_code_is_deterministic() -> None:
    found = {str(path.relative_to(ROOT)): offences(path.read_text()) for path in FILES}
    assert {path: what for path, what in found.items() if what} == {}


def test_every_file_is_looked_at() -> None:
    looked_at = {str(path.relative_to(ROOT)) for path in FILES}
    assert {"workflows/code_first/runs.py", "workflows/agent/loop.py", "contracts/template.py"} <= looked_at


@pytest.mark.parametrize("name", PLANTED)
def test_an_offence_is_seen(name: str) -> None:
    assert offences(PLANTED[name])


@pytest.mark.parametrize("source", FINE)
def test_what_is_no_offence(source: str) -> None:
    assert offences(source) == []


@pytest.mark.parametrize("victim", ["workflows/code_first/runs.py", "contracts/template.py"])
def test_an_offence_planted_in_a_file_is_seen(victim: str) -> None:
    source = (ROOT / victim).read_text()
    for name, offence in PLANTED.items():
        assert offences(f"{source}\n{offence}\n"), name


async def test_forbidden_modules_are_seen_wherever_they_are_imported(tmp_path: Path) -> None:
    """Each forbidden module, planted in a file of either folder and in a folder within, is named by the linter."""
    modules = _import_linter_contract()["forbidden_modules"]
    victims = {"workflows": "runs", "contracts": "template"}
    tree = _copy(tmp_path)
    for folder, stem in victims.items():
        (tree / folder / "nested").mkdir()
        (tree / folder / "nested" / "__init__.py").touch()
        (tree / folder / "nested" / "planted.py").write_text("".join(f"import {name}\n" for name in modules))
        file = next((tree / folder).rglob(f"{stem}.py"))
        planted = "\n".join(f"    import {name}" for name in modules)
        file.write_text(f"{file.read_text()}\ndef planted() -> None:\n{planted}\n")
    broken = await _lint(tree)
    for folder, stem in victims.items():
        for module in modules:
            assert re.search(rf"sostenuto\.{folder}\.(?:\w+\.)?{stem} -> {module} ", broken), (stem, module)
            assert f"sostenuto.{folder}.nested.planted -> {module} " in broken, (folder, module)


def _copy(target: Path) -> Path:
    """The package and its settings, as plain files."""
    shutil.copytree(ROOT / "sostenuto", target / "sostenuto", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", target)
    return target / "sostenuto"


async def _lint(tree: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        *(Path(sys.executable).parent / "lint-imports", "--no-cache"),
        cwd=tree.parent,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 1
    return output.decode()


@pytest.mark.parametrize("kind", [RunWorkflow, TypedRunWorkflow])
def test_the_run_workflow_is_outside_the_sandbox(kind: type) -> None:
    definition = workflow._Definition.must_from_class(kind)
    assert not definition.sandboxed
