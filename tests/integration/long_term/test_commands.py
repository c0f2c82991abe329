"""`sostenuto memory`, as somebody types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from sostenuto import App, Collection
from tests.integration.clients.shell import Shell
from tests.integration.long_term.conftest import Served


@pytest.fixture
def shell(environment: WorkflowEnvironment, tmp_path: Path, task_queue: str) -> Shell:
    return Shell(tmp_path, environment.client.service_client.config.target_host, task_queue)


async def test_memory(serving: Served, people: Collection, shell: Shell) -> None:
    name, scope = people.name, ("--scope", "user:anna")
    async with serving(App(collections=[people])) as client:
        empty = await shell.run("memory", "list", name, *scope)
        assert (empty.status, empty.out) == (0, "")
        assert empty.err == f"nothing is remembered of user:anna in {name}\n"

        memory = client.memory(people, "user:anna")
        old = await memory.remember("I live in Berlin")
        new = await memory.remember("I moved to Munich")
        listed = await shell.run("memory", "list", name, *scope)
        assert listed.out.split()[0] == new.id[:8]
        assert listed.out.endswith("fact        The user lives in Munich.\n")
        both = await shell.run("memory", "list", name, *scope, "--superseded", "--json")
        assert {json.loads(line)["id"] for line in both.out.splitlines()} == {old.id, new.id}

        found = await shell.run("memory", "search", name, "where does the user live", *scope)
        assert "The user lives in Munich." in found.out
        told = await shell.run("memory", "search", name, "Munich", *scope, "--json")
        assert json.loads(told.out)["id"] == new.id

        unknown = await shell.run("memory", "forget", name, *scope, "--id", "ffffffff")
        assert unknown.status == 1
        assert unknown.err == "there is no memory ffffffff in this scope\n"
        asked = await shell.run("memory", "forget", name, *scope)
        assert asked.status == 1
        assert asked.err == f"this deletes all that is remembered of 'user:anna' in {name!r}: say --yes\n"
        assert len(await memory.list(superseded=True)) == 2
        gone = await shell.run("memory", "forget", name, *scope, "--yes")
        assert gone.status == 0
        assert gone.err.startswith("2 memories deleted, 0 left of them\n")
        assert f"the history of sostenuto-memory:{name}/user:anna has what was said " in gone.err
        while_it_runs = "while it is under way, and after its end for as long as the namespace keeps histories\n"
        assert " UTC\n" in gone.err or while_it_runs in gone.err
        assert gone.err.endswith("a chat or run under way that was told it before still knows it\n")
        nothing = await shell.run("memory", "forget", name, *scope, "--yes", "--json")
        assert json.loads(nothing.out)["deleted"] == 0
        none = await shell.run("memory", "forget", name, *scope, "--yes")
        assert (none.status, none.err) == (0, f"nothing is remembered of user:anna in {name}\n")


async def test_without_a_command(shell: Shell) -> None:
    refused = await shell.run("memory")
    assert refused.status == 2
    assert "say which command: list, search or forget; see --help" in refused.err


async def test_without_a_scope(shell: Shell) -> None:
    refused = await shell.run("memory", "list", "people")
    assert refused.status == 2
    assert "--scope" in refused.err
