"""What shells complete: everything that the parser knows, asked of a real bash."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from shlex import quote

import pytest

from sostenuto.clients.cli import build_parser, execute
from sostenuto.clients.cli.completion.bash import bash_script
from sostenuto.clients.cli.completion.fish import fish_script
from sostenuto.clients.cli.completion.grammar import Command, commands_of
from sostenuto.clients.cli.completion.zsh import zsh_script

PROGRAM, COMMANDS = commands_of(build_parser())
# As bash gives them: split at : and = too, up to the word that is completed.
TYPED = {
    ("ru",): ["run"],
    ("run", "--wh"): ["--when-stuck"],
    ("run", "--when-stuck", ""): ["wait", "leave"],
    ("run", "--when-stuck", "=", "le"): ["leave"],
    ("run", "--when-stuck", "="): ["wait", "leave"],
    ("run", "s"): ["shop.py:", "sub/"],
    ("run", "shop.py", ":"): ["app", "other"],
    ("run", "shop.py", ":", "o"): ["other"],
    ("run", "sub.agents", ":", "a"): ["app"],
    ("run", "it\\'s\\ "): ["it\\'s\\ mine.py:"],
    ("run", "it\\'s\\ mine.py", ":", ""): ["app", "other"],
    ("run", "nowhere.py", ":", "a"): [],
    ("run", "--json", "--id", "7", "sh"): ["shop.py:"],
    ("run", "shop.py", ":", "app", ""): [],
    ("run", "shop.py", ":", "app", "support", "a", "=", "b", "--no-w"): ["--no-worker"],
    ("ingest", "docs", "q"): ["question.txt"],
    ("ingest", "docs", "shop.py", "my"): ["my docs"],
    ("ingest", "docs", "my\\ d"): ["my docs"],
    ("dev", "--state-dir", "s"): ["sub"],
    ("export", "-o", "q"): ["question.txt"],
    ("completion", ""): ["bash", "zsh", "fish"],
    ("ledger", "s"): ["show", "set"],
    ("ledger", "set", "a", "--us"): ["--usd"],
    ("nothing", ""): [],
    ("--v",): ["--version"],
}
Write = Callable[[Command, Sequence[Command]], str]
# What a script has of a command, and of the program before one is typed.
PARTS: dict[Write, str] = {
    bash_script: r"^ +'?{0}(?: |'|\)).*",
    zsh_script: r"^ +{0}\) _arguments (?:.*\\\n)*.*",
    fish_script: r".*'__sostenuto_at {0} .*",
}
NO_COMMAND: dict[Write, str] = {
    bash_script: r"^ +''\) .*",
    zsh_script: r"_arguments -C (?:.*\\\n)*",
    fish_script: r".*'__sostenuto_at \\'\\' 1 1' .*",
}
ASK = 'COMP_WORDS=(sostenuto "$@"); COMP_CWORD=$#; _sostenuto; printf "%s\\n" "${COMPREPLY[@]}"; echo --'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "shop.py").write_text("app = App(a)\nother: App = App(b)\nx = 1\n")
    (tmp_path / "sub").mkdir()
    shutil.copy(tmp_path / "shop.py", tmp_path / "sub" / "agents.py")
    shutil.copy(tmp_path / "shop.py", tmp_path / "it's mine.py")
    (tmp_path / "question.txt").touch()
    (tmp_path / "my docs").mkdir()
    return tmp_path


def test_a_real_bash_completes(project: Path) -> None:
    (project / "completion.bash").write_text(bash_script(PROGRAM, COMMANDS))
    asked = "\n".join(f"set -- {' '.join(map(quote, words))}; {ASK}" for words in TYPED)
    ran = subprocess.run(
        ["bash", "--norc", "-c", f". ./completion.bash; complete -p sostenuto; {asked}"],
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    )
    registered, told = ran.stdout.split("\n", 1)
    assert (registered, ran.stderr) == ("complete -F _sostenuto sostenuto", "")
    answers = [sorted(filter(None, part.split("\n"))) for part in told.split("--\n")]
    assert dict(zip(TYPED, answers, strict=False)) == {words: sorted(known) for words, known in TYPED.items()}


@pytest.mark.parametrize("write", PARTS)
def test_each_shell_is_told_every_option_and_choice_of_each_command(write: Write) -> None:
    script = write(PROGRAM, COMMANDS)
    for command in (PROGRAM, *COMMANDS):
        assert command.name in script
        place = NO_COMMAND[write] if command is PROGRAM else PARTS[write].format(re.escape(command.name))
        part = "\n".join(re.findall(place, script, re.MULTILINE))
        told = set(re.findall(r"-*[\w-]+", part.replace(" -l ", " --") if write is fish_script else part))
        for option in command.options:
            assert option.names[-1] in told, command.name
            assert " ".join(option.takes.choices if option.takes else ()) in part, command.name


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_shells_that_are_there_can_read_theirs(shell: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert execute(["completion", shell]) == 0
    (tmp_path / "script").write_text(capsys.readouterr().out)
    if shutil.which(shell):
        subprocess.run([shell, "-n", tmp_path / "script"], check=True)
