"""The lock file: pins what pyproject.toml asks for, and tells nothing of the machine that wrote it."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = {name: (ROOT / name).read_text() for name in ("requirements.lock", "deploy/worker.lock")}


def _pins(lock: str) -> set[tuple[str, str]]:
    return {
        (canonicalize_name(name), version) for name, version in re.findall(r"^([\w.-]+)==(\S+) ", lock, re.MULTILINE)
    }


PINS = dict(_pins(LOCKS["requirements.lock"]))


def _asked_for() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    return [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *extras["worker"],
        *extras["knowledge"],
        *extras["guardrails"],
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


def test_the_image_has_the_releases_that_were_tested() -> None:
    assert _pins(LOCKS["deploy/worker.lock"]) < _pins(LOCKS["requirements.lock"])


@pytest.mark.parametrize("lock", LOCKS.values(), ids=LOCKS.keys())
def test_names_no_host_and_no_path(lock: str) -> None:
    assert re.findall(r"://|^-|@|/", lock, re.MULTILINE) == []


@pytest.mark.parametrize("lock", LOCKS.values(), ids=LOCKS.keys())
def test_every_pin_has_a_hash(lock: str) -> None:
    entries = re.split(r"\n(?=\S)", lock.strip())
    assert len(entries) > 20
    assert [entry.split(" ")[0] for entry in entries if "--hash=sha256:" not in entry] == []
