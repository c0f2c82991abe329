"""The lock file: pins what pyproject.toml asks for, and tells nothing of the machine that wrote it."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text()
PINS = {
    canonicalize_name(name): version
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^ ]+) ", LOCK, re.MULTILINE)
}


def _asked_for() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    return [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *extras["worker"],
        *extras["local"],
        *project["dependency-groups"]["dev"],
    ]


@pytest.mark.parametrize("line", _asked_for())
def test_pins_what_the_project_asks_for(line: str) -> None:
    wanted = Requirement(line)
    name = canonicalize_name(wanted.name)
    if name == "sostenuto":
        return
    assert name in PINS, f"requirements.lock lacks {line}: run `make lock`"
    assert wanted.specifier.contains(PINS[name], prereleases=True), (
        f"requirements.lock pins {PINS[name]}, pyproject.toml asks for {line}: run `make lock`"
    )


def test_names_no_host_and_no_path() -> None:
    assert re.findall(r"://|^-|@|/", LOCK, re.MULTILINE) == []


def test_every_pin_has_a_hash() -> None:
    entries = re.split(r"\n(?=\S)", LOCK.strip())
    assert len(entries) > 20
    assert [entry.split(" ")[0] for entry in entries if "--hash=sha256:" not in entry] == []
