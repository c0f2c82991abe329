"""The embedded stack: runs work on it, its state stays, and what cannot start says why and leaves nothing behind."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from sostenuto import Agent, Client, SetupError, Status
from sostenuto.activities.guardrails.vault.restoring import restored
from sostenuto.clients.cli.app_loader import load_app
from sostenuto.connection.connect import vault_keys_of
from sostenuto.connection.running_stack import RunningStack
from sostenuto.workers.stack.stack import EmbeddedStack, StackOptions
from sostenuto.workers.stack.temporal_server import find_port
from tests.integration.stack.processes import eventually, of_directory

ASKED = Agent(name="scripted", model="scripted/any")
HIDING = '''
from sostenuto import Agent, App, tool
from sostenuto.activities.guardrails.vault.vault import Vault
from sostenuto.connection.vault_keys import vault_keys


@tool(effect="read")
async def hide() -> str:
    """Hide an address."""
    hidden = Vault(vault_keys(), "here").hide("email", "anna@example.org")
    return f"{hidden.placeholder} {hidden.sealed}"


app = App(Agent(name="scripted", model="scripted/any", tools=[hide]))
'''


def _options(state_dir: Path, app: str | None = None) -> StackOptions:
    return StackOptions(state_dir, app=app, port=0, ui_port=None, local_model=False)


async def test_runs_complete_and_are_there_again_after_a_restart(state_dir: Path, scripted_app: str) -> None:
    async with EmbeddedStack(_options(state_dir, scripted_app)) as stack:
        run = await Client(stack.client).start(ASKED, "What is the weather?")
        assert (await run.result()).output == "It rains, and it snows."
    assert of_directory(state_dir.parent) == []
    async with EmbeddedStack(_options(state_dir)) as stack:
        result = await (await Client(stack.client).get(run.id)).result()
    assert result.status is Status.COMPLETED
    assert len(result.messages) == 6


async def test_other_processes_find_it_while_it_is_up(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOSTENUTO_STATE_DIR", str(state_dir))
    async with EmbeddedStack(_options(state_dir)) as stack:
        client = await Client.connect()
        assert client.temporal.service_client.config.target_host == stack.server.address
        assert RunningStack.find(state_dir)
    assert RunningStack.find(state_dir) is None


async def test_its_workers_and_clients_have_the_same_vault_key_untold(
    state_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = tmp_path / "hiding_agents.py"
    app.write_text(HIDING)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("SOSTENUTO_STATE_DIR", str(state_dir))
    script = tmp_path / "script.json"
    script.write_text(json.dumps([{"tool_calls": [{"name": "hide", "arguments": {}}]}, {"text": "Hidden."}]))
    monkeypatch.setenv("SOSTENUTO_SCRIPT", str(script))
    async with EmbeddedStack(_options(state_dir, f"{app}:app")) as stack:
        client = await Client.connect()
        result = await (await client.start(load_app(f"{app}:app").runnables["scripted"], "Hide it.")).result()
        keys = vault_keys_of(client.temporal)
        (said,) = [part.content for one in result.messages for part in one.parts if part.kind == "tool_result"]
        assert keys == vault_keys_of(stack.client)
    placeholder, sealed = said.split()
    assert restored(placeholder, {placeholder: sealed}, keys).value == "anna@example.org"


async def test_settings_for_another_temporal_do_not_reach_it(
    state_dir: Path, scripted_app: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    monkeypatch.setenv("TEMPORAL_API_KEY", "of a cloud")
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "elsewhere")
    async with EmbeddedStack(_options(state_dir, scripted_app)) as stack:
        run = await Client(stack.client).start(ASKED, "What is the weather?")
        assert (await run.result()).status is Status.COMPLETED


async def test_one_port_cannot_serve_both_the_server_and_its_ui(state_dir: Path) -> None:
    port = find_port(0, "", "")
    options = StackOptions(state_dir, port=port, ui_port=port, local_model=False)
    with pytest.raises(SetupError, match=f"the Temporal server and its UI cannot share port {port}"):
        async with EmbeddedStack(options):
            pass
    assert of_directory(state_dir.parent) == []


async def test_an_app_that_cannot_be_imported_is_shown_and_nothing_stays_up(state_dir: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("import a_module_that_is_not_there\n")
    with pytest.raises(SetupError, match=r"worker ended while starting: .*a_module_that_is_not_there"):
        async with EmbeddedStack(_options(state_dir, f"{broken}:app")):
            pass
    await eventually(lambda: of_directory(state_dir.parent) == [])


async def test_weights_that_are_missing_come_with_the_command_that_fetches_them(state_dir: Path) -> None:
    with pytest.raises(SetupError, match=r"/dev/null/weights/.* is missing: run `sostenuto pull --state-dir .*/state`"):
        async with EmbeddedStack(StackOptions(state_dir, port=0, ui_port=None)):
            pass
    await eventually(lambda: of_directory(state_dir.parent) == [])


async def test_what_it_keeps_is_for_its_owner_alone(state_dir: Path, scripted_app: str) -> None:
    """Histories, payloads and logs hold what users said: whatever the umask is."""
    before = os.umask(0o000)
    try:
        async with EmbeddedStack(_options(state_dir, scripted_app)) as stack:
            run = await Client(stack.client).start(ASKED, "x" * 400_000)
            await run.result()
            found = await asyncio.to_thread(lambda: [state_dir, *state_dir.rglob("*")])
            open_to_others = [f"{path}: {path.stat().st_mode:o}" for path in found if path.stat().st_mode & 0o077]
    finally:
        os.umask(before)
    assert open_to_others == []
    kept = {path.name for path in found}
    assert {"temporal.db", "payloads", "logs", "stack.json", "vault.keys"} <= kept
    assert {"lock", "temporal.log", "worker-1.log"} <= kept
