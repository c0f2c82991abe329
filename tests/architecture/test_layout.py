"""The house stays one in which things are found: small folders that say their noun, small files, no circles."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Set
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("activities", "clients", "connection", "contracts", "history", "workers", "workflows")
FILES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
FOLDERS = sorted({path.parent for path in FILES})

FILES_OF_A_FOLDER = 15
LINES_OF_A_FILE = 350
LINES_OF_A_FUNCTION = 50

RUNNABLES = {
    f"contracts.specs.{name}" for name in ("agent", "chain", "node", "parallel", "prompt", "router", "runnable", "team")
}
"""The union of the kinds of runnables, which nest in one another: the one circle that there may be."""


def _id(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path: Path, known: Set[str]) -> set[str]:
    """Modules of ours that a file imports, for its types too, when it is loaded."""
    package = _module(path).split(".") if path.name == "__init__.py" else _module(path).split(".")[:-1]
    found: set[str] = set()
    for node in _loaded(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [*package[: len(package) - node.level + 1], *(node.module or "").split(".")]
            module = ".".join(filter(None, base))
            names = {f"{module}.{alias.name}" for alias in node.names}
            # Of a package from which modules are taken its own file is loaded first, and imports none of them.
            found |= names if names <= known else {module, *names}
    return found & known


def _loaded(tree: ast.AST) -> Iterable[ast.AST]:
    """Everything but what functions do when they are called."""
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
            yield from _loaded(node)


def _circles(imports: Mapping[str, set[str]]) -> list[set[str]]:
    """Groups of modules each of which reaches all others of its group."""
    reached = {module: _reached(module, imports) for module in imports}
    groups = {frozenset(other for other in reached[one] if one in reached[other]) for one in imports}
    return [set(group) for group in groups if len(group) > 1]


def _reached(module: str, imports: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    left = list(imports[module])
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left += imports[one]
    return found


def test_folders_are_small() -> None:
    files = {_id(folder): len(list(folder.glob("*.py"))) for folder in FOLDERS}
    assert {folder: count for folder, count in files.items() if count > FILES_OF_A_FOLDER} == {}


def test_folders_say_their_noun_and_what_they_must_not_hold() -> None:
    docstrings = {
        folder: ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or "" for folder in FOLDERS
    }
    silent = [_id(folder) for folder, docstring in docstrings.items() if "ust not" not in docstring]
    assert [folder for folder in silent if Path(folder).name not in {"cli", "workflows"}] == []


def test_files_are_small() -> None:
    lines = {_id(path): len(path.read_text().splitlines()) for path in FILES}
    assert {path: count for path, count in lines.items() if count > LINES_OF_A_FILE} == {}


def test_functions_are_small() -> None:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    long = {
        f"{_id(path)}: {node.name}": node.end_lineno - node.lineno + 1
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, functions) and node.end_lineno and node.end_lineno - node.lineno >= LINES_OF_A_FUNCTION
    }
    assert long == {}


def test_no_circles_but_that_of_the_runnables() -> None:
    modules = {_module(path): path for path in FILES}
    imports = {module: _imports(path, modules.keys()) - {module} for module, path in modules.items()}
    circles = _circles(imports)
    assert [circle - RUNNABLES for circle in circles] == [set()]


def test_a_circle_is_seen() -> None:
    assert _circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [{"a", "b", "c"}]
    assert _circles({"a": {"b"}, "b": set()}) == []
