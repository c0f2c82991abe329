"""The command line's frame: what it says without a server, and what it loads to say it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sostenuto import __version__
from sostenuto.clients.cli import COMMAND_NAMES, execute
from sostenuto.clients.cli.commands.run import _asked
from sostenuto.clients.cli.exit_status import exit_status_of
from sostenuto.connection.vault_keys import vault_keys
from sostenuto.contracts.wire.run import ANSWER_WAS_CUT, Status


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["--version"]) == 0
    assert capsys.readouterr().out == f"{__version__}\n"


def test_without_a_command_it_helps_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute([]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    for name in COMMAND_NAMES:
        assert name in told.err


@pytest.mark.parametrize("name", COMMAND_NAMES)
def test_each_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        execute([name, "--help"])
    assert left.value.code == 0
    assert f"usage: sostenuto {name}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("dev", "--port", "99999"), "argument --port: '99999' is not a port: give a number from 0 to 65535"),
        (("dev", "--port", "-5"), "argument --port: '-5' is not a port: give a number from 0 to 65535"),
        (("demo", "--ui-port", "web"), "argument --ui-port: 'web' is not a port: give a number from 0 to 65535"),
        (("dev", "shop:app", "--workers", "0"), "is not a number of at least 1"),
        (("ls", "--limit", "0"), "is not a number of at least 1"),
        (("ls", "--limit", "-1"), "is not a number of at least 1"),
    ],
)
def test_a_number_that_an_option_cannot_take_is_refused(
    words: tuple[str, ...], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        execute(words)
    assert left.value.code == 2
    assert problem in capsys.readouterr().err


def test_help_loads_neither_the_sdk_nor_rich_nor_workers() -> None:
    probe = (
        "import sys\nfrom sostenuto.clients.cli import execute\nexecute([])\n"
        "heavy = ('temporalio', 'rich', 'sostenuto.workers', 'anthropic', 'openai')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("rnu", "shop:app"), "there is no command 'rnu': did you mean run?"),
        (("history",), "there is no command 'history'; see --help"),
        (("ls", "--jsn"), "sostenuto ls: error: unrecognized arguments: --jsn: did you mean --json?"),
        (("watch", "x", "--adress=here"), "unrecognized arguments: --adress=here: did you mean --address?"),
        (("ls", "more"), "sostenuto ls: error: unrecognized arguments: more\n"),
    ],
)
def test_a_word_that_is_misspelled(words: tuple[str, ...], problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        execute(words)
    assert left.value.code == 2
    assert problem in capsys.readouterr().err


def test_a_file_is_not_sent_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    app = "from sostenuto import Agent, App\napp = App(Agent(name='a', model='scripted/m'))\n"
    (tmp_path / "command_line_app.py").write_text(app)
    (tmp_path / "question.txt").touch()
    assert execute(["run", "command_line_app.py:app", "a", "@question.txt"]) == 2
    told = capsys.readouterr().err
    assert told == (
        "sostenuto: @question.txt would be sent as it stands: to send what is in the file, write - < question.txt\n"
    )
    assert _asked("@anna, where is order 7?" * 100).startswith("@anna")
    del sys.modules["command_line_app"]


@pytest.mark.parametrize(
    ("status", "reason", "exit_status"),
    [
        (Status.COMPLETED, "", 0),
        (Status.COMPLETED, ANSWER_WAS_CUT, 4),
        (Status.FAILED, ANSWER_WAS_CUT, 1),
        (Status.EXHAUSTED, "", 4),
    ],
)
def test_the_exit_status(status: Status, reason: str, exit_status: int) -> None:
    assert exit_status_of(status, reason) == exit_status


def test_a_vault_key_is_printed_alone_and_can_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["vault-key", "new_1"]) == 0
    told = capsys.readouterr()
    (line,) = told.out.splitlines()
    keys = vault_keys({"SOSTENUTO_VAULT_KEYS": line})
    assert keys
    assert keys.first.id == "new_1"
    assert "SOSTENUTO_VAULT_KEYS_FILE" in told.err
    assert line.partition(":")[2] not in told.err
    assert execute(["vault-key"]) == 0
    assert re.match(r"20\d\d-\d\d-\d\d:", capsys.readouterr().out)
    assert execute(["vault-key", "a:b"]) == 2
    assert "'a:b' is no id of a vault key" in capsys.readouterr().err


def test_ctrl_c_while_modules_are_loaded_leaves_no_traceback() -> None:
    probe = (
        "import os, signal, sys\nsys.argv = ['/usr/bin/sostenuto']\nimport sostenuto.loading\n"
        "os.kill(os.getpid(), signal.SIGINT)"
    )
    ran = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (-signal.SIGINT, "")
