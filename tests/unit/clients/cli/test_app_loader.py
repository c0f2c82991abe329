"""Every way in which `module:app` can be wrong says what is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sostenuto import SpecError
from sostenuto.clients.cli.app_loader import load_app

APP = "from sostenuto import Agent, App\napp = App(Agent(name='a', model='scripted/m'))\n"


@pytest.fixture(autouse=True)
def _restored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """What a test imports is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_an_app_is_found_by_module_and_by_file(tmp_path: Path) -> None:
    (tmp_path / "loader_package").mkdir()
    (tmp_path / "loader_package" / "agents.py").write_text(APP)
    assert list(load_app("loader_package.agents:app").runnables) == ["a"]
    assert list(load_app("loader_package/agents.py:app").runnables) == ["a"]


def test_a_file_finds_the_modules_beside_it(tmp_path: Path) -> None:
    (tmp_path / "loader_folder").mkdir()
    (tmp_path / "loader_folder" / "loader_beside.py").write_text(APP)
    (tmp_path / "loader_folder" / "loader_entry.py").write_text("from loader_beside import app\n")
    assert list(load_app("loader_folder/loader_entry.py:app").runnables) == ["a"]


@pytest.mark.parametrize("place", ["", "module", ":app", "module:"])
def test_a_place_without_both_names_is_refused(place: str) -> None:
    with pytest.raises(SpecError, match="names no app: write MODULE:APP"):
        load_app(place)


@pytest.mark.parametrize(
    ("source", "attribute", "problem"),
    [
        (APP, "other", "has no 'other'; its apps are: app"),
        ("x = 1\n", "app", "has no 'app'; it has no App at all"),
        ("app = 1\n", "app", "is not an App but of type int"),
        (
            "import no_such_module\n",
            "app",
            r"cannot be imported: ModuleNotFoundError: No module named 'no_such_module'",
        ),
        ("\n1 / 0\n", "app", r"cannot be imported: ZeroDivisionError: division by zero \(.*loader_odd.py, line 2\)"),
        ("import sys\nsys.exit(3)\n", "app", r"cannot be imported: SystemExit: 3 \(.*loader_odd.py, line 2\)"),
        ("def broken(:\n", "app", "cannot be imported: SyntaxError"),
        (
            "from sostenuto import Agent\nAgent(name='a b', model='scripted/m')\n",
            "app",
            r"Agent 'a b': name: .* \(.*loader_odd.py, line 2\)$",
        ),
        ("import json\njson.loads('{')\n", "app", r"JSONDecodeError: .* \(.*loader_odd.py, line 2\)$"),
        (
            "from sostenuto import App\napp = App()\n",
            "app",
            r"loader_odd.*:app has nothing to serve: write app = ",
        ),
    ],
)
@pytest.mark.parametrize("module", ["loader_odd", "loader_odd.py"])
def test_a_module_that_is_wrong_says_how(
    tmp_path: Path, module: str, source: str, attribute: str, problem: str
) -> None:
    (tmp_path / "loader_odd.py").write_text(source)
    with pytest.raises(SpecError, match=problem):
        load_app(f"{module}:{attribute}")


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        ("loader_nowhere:app", "there is no module 'loader_nowhere'"),
        ("loader_nowhere.deeper:app", "there is no module 'loader_nowhere'"),
        ("nowhere/app.py:app", "there is no file 'nowhere/app.py'"),
        (
            "./loader_here:app",
            r"'./loader_here' is neither a module nor a Python file: did you mean ./loader_here.py\?",
        ),
        ("nowhere/app:app", "'nowhere/app' is neither a module nor a Python file: write shop.agents or shop/agents.py"),
    ],
)
def test_a_module_that_is_not_there_is_named(tmp_path: Path, place: str, problem: str) -> None:
    (tmp_path / "loader_here.py").write_text(APP)
    with pytest.raises(SpecError, match=problem):
        load_app(place)
