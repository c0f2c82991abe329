"""The compose file is one that Compose takes, and opens nothing that it should not."""

import json
import re
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from sostenuto.contracts.names import SEARCH_ATTRIBUTES

ROOT = Path(__file__).parents[2]
# Not the script of that name: it swallows the exit status.
COMPOSE = str(files("compose") / "docker-compose")

UNASKED = {"temporal-ui", "worker", "collector", "tempo"}
"""What nothing else waits for. The images of the last two have no shell and no client."""


def _config(*arguments: str) -> str:
    command = [COMPOSE, "--file", str(ROOT / "docker-compose.yml"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    services: dict[str, Any] = json.loads(_config("--profile", "*", "config", "--format", "json"))["services"]
    assert len(services) > 5
    return services


@pytest.mark.parametrize("profile", ["", *_config("config", "--profiles").split()])
def test_every_profile_is_valid(profile: str) -> None:
    _config("--profile", profile, "config", "--quiet") if profile else _config("config", "--quiet")


def test_ports_are_for_this_machine_alone_and_none_is_of_what_stays(services: dict[str, Any]) -> None:
    published = {(name, port["host_ip"]) for name, service in services.items() for port in service.get("ports", ())}
    reachable = ("temporal", "temporal-ui", "redis", "collector", "prometheus", "grafana")
    assert published == {(name, "127.0.0.1") for name in reachable}


def test_images_are_pinned_to_a_release(services: dict[str, Any]) -> None:
    images = [service["image"] for service in services.values() if "image" in service]
    assert [image for image in images if not re.search(r":v?\d+\.\d+", image)] == []


def test_what_keeps_running_is_watched_or_restarted(services: dict[str, Any]) -> None:
    lasting = {name for name, service in services.items() if service.get("restart") == "unless-stopped"}
    assert lasting == services.keys() - {"temporal-schema", "temporal-namespace"}
    assert {name for name in lasting if "healthcheck" not in services[name]} == UNASKED


def test_data_lies_in_named_volumes(services: dict[str, Any]) -> None:
    mounts = [mount for service in services.values() for mount in service.get("volumes", ())]
    assert {mount["source"] for mount in mounts if mount["type"] == "volume"} == {
        "postgres",
        "qdrant",
        "tempo",
        "prometheus",
    }
    assert [
        mount["source"] for mount in mounts if mount["type"] == "bind" and not Path(mount["source"]).is_file()
    ] == []


def test_the_namespace_gets_every_search_attribute() -> None:
    script = (ROOT / "deploy" / "namespace.sh").read_text()
    assert dict(re.findall(r"^(Sostenuto\w+) (\w+)$", script, re.MULTILINE)) == SEARCH_ATTRIBUTES


@pytest.mark.parametrize("script", sorted((ROOT / "deploy").glob("*.sh")), ids=lambda script: script.name)
def test_scripts_are_valid_shell(script: Path) -> None:
    subprocess.run(["/bin/sh", "-n", str(script)], check=True)


def test_the_image_has_every_folder_of_the_package() -> None:
    folders = {path.name for path in (ROOT / "sostenuto").iterdir() if path.is_symlink()}
    copied = set(re.findall(r"^COPY (\w+) \1$", (ROOT / "deploy" / "Dockerfile").read_text(), re.MULTILINE))
    allowed = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines()}
    assert "connection" in folders
    assert folders - copied == set()
    assert folders - allowed == set()
