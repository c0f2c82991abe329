"""Conventions of the source that no linter checks for us."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("activities", "clients", "connection", "contracts", "history", "workers", "workflows")
FILES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
TESTS = [path for path in sorted((ROOT / "tests").rglob("*.py")) if path != Path(__file__)]
VAGUE = {"utils", "util", "helpers", "helper", "common", "shared", "misc", "base"}

NOUNS = {"a", "all", "an", "each", "every", "how", "id", "its", "no", "none", "one", "the", "these", "this", "those"}
QUESTIONS = {"what", "when", "where", "whether", "which", "who", "why"}
FIRST_LINE_CHARS = 80


@cache
def _source(path: Path) -> str:
    return path.read_text()


@cache
def _tree(source: str) -> ast.Module:
    return ast.parse(source)


def _found(paths: Iterable[Path], find: Callable[[str], object]) -> dict[str, object]:
    """What is found in the source of each file in which something is."""
    found = {str(path.relative_to(ROOT)): find(_source(path)) for path in paths}
    return {path: what for path, what in found.items() if what}


def _prints(source: str) -> list[int]:
    """Lines that print to the terminal: a print into a given file is a write like any other."""
    return [
        node.lineno
        for node in ast.walk(_tree(source))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "print"
        and not any(keyword.arg == "file" for keyword in node.keywords)
    ]


def _complaints(source: str) -> list[str]:
    return re.findall(r"\b(?:TODO|FIXME|XXX|HACK)\b|type: ignore(?!\[)|noqa(?!: [A-Z])|noqa:.*\b(?:C90|PLR09)", source)


def _unclear_docstrings(source: str) -> list[str]:
    """First lines that are too long to be read at a glance, and those of functions that do not begin with a verb."""
    found = []
    for node in ast.walk(_tree(source)):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        first = (ast.get_docstring(node) or "").split("\n")[0]
        is_property = any("property" in ast.unparse(mark) for mark in getattr(node, "decorator_list", ()))
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not is_property
        begins = first.split(" ")[0].lower()
        if is_property and begins == "return":
            found.append(first)
        if len(first) > FIRST_LINE_CHARS or (is_function and begins in NOUNS | QUESTIONS):
            found.append(first)
    return found


def test_nothing_prints_outside_the_command_line() -> None:
    assert _found([path for path in FILES if (ROOT / "clients" / "cli") not in path.parents], _prints) == {}


def test_nothing_is_left_for_later_or_silenced_as_a_whole() -> None:
    assert _found([*FILES, *TESTS], _complaints) == {}


def test_files_are_named_for_what_they_do() -> None:
    assert [path for path in FILES if path.stem in VAGUE] == []


def test_files_say_why_they_exist() -> None:
    """Each that is not empty has a docstring."""
    assert _found(FILES, lambda source: bool(source.strip()) and not ast.get_docstring(_tree(source))) == {}


def _absolute_imports(source: str) -> list[str]:
    """What is imported of our own package by its whole name."""
    found: list[str] = []
    for node in ast.walk(_tree(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.append(node.module or "")
    return [name for name in found if name.partition(".")[0] in {*PACKAGES, "sostenuto"}]


def test_the_own_package_is_imported_relatively() -> None:
    """So that `import workflows` fails at once instead of loading a second copy."""
    assert _found(FILES, _absolute_imports) == {}


COMMAND_LINE = [path for path in FILES if (ROOT / "clients" / "cli") in path.parents and path.name != "terminal.py"]


def _other_doors(source: str) -> list[str]:
    """Ways to a terminal past `clients/cli/terminal.py`: consoles of one's own, and what goes to standard error."""
    return re.findall(r"\bConsole\((?=[^)]*\))|file=sys\.stderr|sys\.std(?:out|err)\.write", source)


def test_the_command_line_prints_to_a_terminal_through_one_door() -> None:
    assert _found(COMMAND_LINE, _other_doors) == {}


def test_other_doors_are_seen() -> None:
    assert _other_doors("Console()") != []
    assert _other_doors("print(name, file=sys.stderr)") != []


def test_everything_says_in_one_short_sentence_what_it_does() -> None:
    assert _found(FILES, _unclear_docstrings) == {}


def test_offences_are_seen() -> None:
    assert _found([FILES[0]], lambda source: [source[:1]]) != {}
    assert _absolute_imports("import workflows.policy, os") == ["workflows.policy"]
    assert _absolute_imports("from sostenuto import Agent\nfrom .a import b") == ["sostenuto"]
    assert _unclear_docstrings(f'def f():\n    """Return {"x" * 80}."""') != []
    assert _unclear_docstrings('class C:\n    def f(self):\n        """The answer."""') == ["The answer."]
    assert _unclear_docstrings('class C:\n    @property\n    def f(self):\n        """The answer."""') == []
    assert _prints("def f():\n    print('x')\n    print('y', file=log)") == [2]
    assert _complaints("x = 1  # type: ignore") == ["type: ignore"]
    assert _complaints("x = 1  # type: ignore[a]  # noqa: F821") == []
    assert _complaints("# TODO later") == ["TODO"]
    assert _complaints("def f():  # noqa: D103, C901") == ["noqa: D103, C90"]


PLACES = ROOT / "contracts" / "wire" / "places.py"
HANDLES_PLACES = [
    path
    for path in FILES
    # `module:app` is how people name an app, and no id.
    if path not in {PLACES, ROOT / "clients" / "cli" / "app_loader.py"}
    and (path.parts[len(ROOT.parts)] in {"workflows", "clients", "history"} or "wire" in path.parts)
]
_DURABLE_ID = re.compile(
    r"\b(?:r?partition|r?split|count|startswith|removeprefix|find)\(f?[\"'](?:[^\"']*\})?[/:#][\"']\)"  # taken apart
    r"|\b(?:path|place|root|parent|child|prefix)\}[/:#]|[/:#]\{(?:path|place|name|number|turn|call_id)\}"  # made
    r"|:(?:turn|route|transcript|mcp|call)\b[-_\"'{]"
)


def _durable_ids(source: str) -> list[str]:
    """Lines that build or split a place, or an id made of one."""
    code = "\n".join(line.partition("  # ")[0] for line in source.splitlines())
    return [line.strip() for line in code.splitlines() if _DURABLE_ID.search(line) and "http" not in line]


def test_durable_ids_are_built_and_split_in_one_place() -> None:
    assert _found(HANDLES_PLACES, _durable_ids) == {}


@pytest.mark.parametrize(
    "line",
    [
        'path.rpartition("/")[0]',
        "root.split('/')",
        'place.rpartition(":")',
        'f"{path}/{name}"',
        'f"{self.path}:{call.id}"',
        'activity_id=f"{x}:turn-{n}"',
        'id.startswith(f"{other}/")',
        'f"{step}#{number}"',
    ],
)
def test_a_durable_id_made_elsewhere_is_seen(line: str) -> None:
    assert _durable_ids(line)


def _public_names(path: Path) -> set[str]:
    """Names without an underscore that a file defines at its top."""
    found = set()
    for node in _tree(_source(path)).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return {name for name in found if not name.startswith("_") and name not in NOT_NAMED_APART}


NOT_NAMED_APART = {
    "register",  # every command has one
    *("P", "R", "T"),  # type variables
}


def test_a_public_name_means_one_thing() -> None:
    defined: dict[str, list[str]] = {}
    for path in FILES:
        for name in _public_names(path):
            defined.setdefault(name, []).append(str(path.relative_to(ROOT)))
    assert {name: paths for name, paths in defined.items() if len(paths) > 1} == {}
