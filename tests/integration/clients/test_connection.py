"""Reaching Temporal: what the environment says is done, and what is wrong is named."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from sostenuto import Client, SetupError
from sostenuto.activities.guardrails.vault.keys import VaultKeys
from sostenuto.connection import connect as connection
from sostenuto.connection.connect import ui_url_of, vault_keys_of
from sostenuto.connection.running_stack import RunningStack


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No stack that is up in the checkout is found."""
    monkeypatch.delenv("SOSTENUTO_STATE_DIR", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def address(environment: WorkflowEnvironment) -> str:
    return environment.client.service_client.config.target_host


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_a_dead_address_is_named_with_what_to_do() -> None:
    address = f"127.0.0.1:{closed_port()}"
    with pytest.raises(SetupError, match=f"no Temporal server answers at {address}: start one by `sostenuto dev`"):
        await Client.connect(address)


async def test_where_nobody_named_an_address_the_stack_is_looked_for_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "DEFAULT_ADDRESS", f"127.0.0.1:{closed_port()}")
    with pytest.raises(SetupError, match=r"or run this in the directory where `sostenuto dev` runs \(or set "):
        await Client.connect()
    with pytest.raises(SetupError, match="start one by `sostenuto dev`, or set TEMPORAL_ADDRESS"):
        await Client.connect(f"127.0.0.1:{closed_port()}")
    # Else another stack would be taken for the one that was meant.
    monkeypatch.setenv("SOSTENUTO_STATE_DIR", "/nowhere")
    with pytest.raises(SetupError, match="no stack is up on /nowhere, which SOSTENUTO_STATE_DIR names: start"):
        await Client.connect()


async def test_an_address_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(SetupError, match=f"no Temporal server answers at {address}"):
            await Client.connect(address)


async def test_the_environment_says_where(address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", address)
    monkeypatch.setenv("SOSTENUTO_TASK_QUEUE", "mine")
    monkeypatch.setenv("SOSTENUTO_PAYLOAD_DIR", str(tmp_path))
    client = await Client.connect()
    assert client.task_queue == "mine"
    assert client.temporal.data_converter.external_storage is not None


async def test_a_profile_of_temporals_own_file_says_where(
    address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "temporal.toml"
    file.write_text(f'[profile.mine]\naddress = "{address}"\nnamespace = "default"\n')
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(file))
    monkeypatch.setenv("TEMPORAL_PROFILE", "mine")
    assert (await Client.connect()).temporal.namespace == "default"


async def test_wrong_settings_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "temporal.toml"
    file.write_text("[profile")
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(file))
    with pytest.raises(SetupError, match="the Temporal settings"):
        await Client.connect()


async def test_an_unknown_namespace_is_named(address: str) -> None:
    with pytest.raises(SetupError, match=r"has no namespace 'nowhere'.*namespace create --namespace nowhere"):
        await Client.connect(address, namespace="nowhere")


async def test_a_stack_that_is_up_here_is_found(address: str, tmp_path: Path) -> None:
    url = "http://127.0.0.1:1"
    stack = RunningStack(pid=os.getpid(), address=address, ui_url=url, payload_dir=tmp_path / "payloads")
    state_dir = tmp_path / ".sostenuto"
    state_dir.mkdir()
    with stack.announce(state_dir):
        client = await Client.connect()
        assert ui_url_of(client.temporal, "a/b") == f"{url}/namespaces/default/workflows/a%2Fb"
        assert client.temporal.service_client.config.target_host == address
        assert client.temporal.data_converter.external_storage is not None
    assert RunningStack.find(state_dir) is None


async def test_the_vault_keys_of_a_stack_are_for_its_own_server(
    address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept, own = VaultKeys.made("kept"), VaultKeys.made("own")
    file = tmp_path / "vault.keys"
    file.write_text(kept.text)
    file.chmod(0o600)
    monkeypatch.setenv("SOSTENUTO_STATE_DIR", str(tmp_path))
    temporal = (await Client.connect(address)).temporal
    assert vault_keys_of(temporal) is None

    def stack(address: str, file: Path | None) -> RunningStack:
        return RunningStack(pid=os.getpid(), address=address, payload_dir=tmp_path, vault_keys_file=file)

    with stack(address, file).announce(tmp_path):
        assert vault_keys_of(temporal) == kept
        monkeypatch.setenv("SOSTENUTO_VAULT_KEYS", own.text)
        assert vault_keys_of(temporal) == own
        monkeypatch.delenv("SOSTENUTO_VAULT_KEYS")
    for other in (stack("127.0.0.1:1", file), stack(address, None)):
        with other.announce(tmp_path):
            assert vault_keys_of(temporal) is None


async def test_a_stack_that_was_killed_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text('{"pid": 4194305, "address": "127.0.0.1:1", "payload_dir": "x"}')
    assert RunningStack.find(tmp_path) is None
