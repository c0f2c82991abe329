"""What the pages show exists: code that compiles, names that import, commands that parse, settings that are read."""

from __future__ import annotations

import ast
import re
import shlex
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest

from sostenuto import App
from sostenuto.clients.cli import COMMAND_NAMES
from sostenuto.contracts.specs.node import Node

ROOT = Path(__file__).parents[2]
PACKAGES = ("activities", "clients", "connection", "contracts", "history", "workers", "workflows")
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "examples" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
VARIABLE = re.compile(r"\bSOSTENUTO_[A-Z_]+\b")


def _blocks(language: str) -> list[tuple[str, str]]:
    return [(page.name, code) for page in PAGES for found, code in BLOCK.findall(page.read_text()) if found == language]


@pytest.mark.parametrize(("page", "code"), _blocks("python"))
def test_code_compiles_and_its_names_import(page: str, code: str) -> None:
    tree = compile(code, page, "exec", flags=ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "sostenuto":
            module = import_module(node.module or "")
            assert not [alias.name for alias in node.names if not hasattr(module, alias.name)]


@pytest.mark.parametrize("page", ["prompts", "chains", "parallel", "teams", "code-first"])
def test_what_the_pages_build_is_valid(page: str) -> None:
    """The specs of a page are made as they stand there, one block after the other."""
    made: dict[str, object] = {"__name__": page}
    for found, code in BLOCK.findall((ROOT / "docs" / f"{page}.md").read_text()):
        # What awaits at its top is part of a workflow.
        with suppress(SyntaxError):
            exec(compile(code if found == "python" else "", page, "exec", dont_inherit=True), made)
    assert [value for value in made.values() if isinstance(value, Node | App)]


@pytest.mark.parametrize(("page", "code"), _blocks("sh"))
def test_commands_exist(page: str, code: str) -> None:
    targets = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for line in code.splitlines():
        words = shlex.split(line, comments=True)
        programs = [Path(word).name for word in words]
        if "sostenuto" in programs and "install" not in words:
            assert words[programs.index("sostenuto") + 1] in COMMAND_NAMES, page
        if words[:1] == ["make"]:
            assert words[1] in targets, page


def test_settings_are_read() -> None:
    code = "".join(path.read_text() for folder in PACKAGES for path in (ROOT / folder).rglob("*.py"))
    examples = "".join(path.read_text() for path in (ROOT / "examples").rglob("*.py"))
    examples += (ROOT / "docker-compose.yml").read_text()
    shown = {name for page in PAGES for name in VARIABLE.findall(page.read_text())}
    # The pattern of a compatible provider's variables stands in the code, not each name.
    known = {name for name in shown if name in code + examples or name.startswith("SOSTENUTO_PROVIDER_")}
    tests = "".join(path.read_text() for path in (ROOT / "tests" / "integration").rglob("*.py"))
    known |= {name for name in shown if name.startswith("SOSTENUTO_TEST_") and name in tests}
    assert shown == known


def test_the_first_app_is_the_example() -> None:
    """The page and the file say the same, but for the model that the file takes from the environment."""
    example = (ROOT / "examples" / "hello.py").read_text()
    tool = example[example.index("@tool") : example.index("app =")]
    assert len(example.splitlines()) < 20
    for page in ("README.md", "docs/first-steps.md"):
        assert tool in (ROOT / page).read_text()
