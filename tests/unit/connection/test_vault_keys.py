"""Where the keys of the vault are read, and what is said of those that are wrong."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from sostenuto import SetupError
from sostenuto.activities.guardrails.vault.keys import VaultKeys
from sostenuto.connection.vault_keys import vault_keys

KEYS = VaultKeys.made("a")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "vault.keys"
    path.write_text(f"{KEYS.text}\n")
    path.chmod(0o600)
    return path


def test_nobody_told_any() -> None:
    assert vault_keys({}) is None
    # As docker compose passes on what is not set.
    assert vault_keys({"SOSTENUTO_VAULT_KEYS": "", "SOSTENUTO_VAULT_KEYS_FILE": " "}) is None


def test_the_environment_has_them_or_names_a_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert vault_keys({"SOSTENUTO_VAULT_KEYS": f" {KEYS.text}\n"}) == KEYS
    assert vault_keys({"SOSTENUTO_VAULT_KEYS_FILE": str(file)}) == KEYS
    monkeypatch.setenv("HOME", str(file.parent))
    assert vault_keys({"SOSTENUTO_VAULT_KEYS_FILE": f"~/{file.name}"}) == KEYS


def test_of_two_nobody_knows_which_is_meant(file: Path) -> None:
    with pytest.raises(SetupError, match="both SOSTENUTO_VAULT_KEYS and SOSTENUTO_VAULT_KEYS_FILE are set: unset one"):
        vault_keys({"SOSTENUTO_VAULT_KEYS": KEYS.text, "SOSTENUTO_VAULT_KEYS_FILE": str(file)})


def test_what_is_wrong_is_told_with_its_place(file: Path) -> None:
    with pytest.raises(SetupError, match=r"^SOSTENUTO_VAULT_KEYS: vault key 2 is empty"):
        vault_keys({"SOSTENUTO_VAULT_KEYS": f"{KEYS.text},"})
    file.write_text("a:b")
    with pytest.raises(SetupError, match=f"^{file}: vault key 1 \\('a'\\) is not base64"):
        vault_keys({"SOSTENUTO_VAULT_KEYS_FILE": str(file)})
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(SetupError, match=f"the vault keys in {file} cannot be read \\(it is no text\\)"):
        vault_keys({"SOSTENUTO_VAULT_KEYS_FILE": str(file)})
    file.unlink()
    with pytest.raises(SetupError, match=f"the vault keys in {file} cannot be read \\(No such file"):
        vault_keys({"SOSTENUTO_VAULT_KEYS_FILE": str(file)})


@pytest.mark.parametrize(("mode", "warned"), [(0o600, 0), (0o440, 0), (0o644, 1), (0o602, 1)])
def test_a_file_that_everybody_may_read_is_warned_of_once(
    file: Path, mode: int, warned: int, caplog: pytest.LogCaptureFixture
) -> None:
    file.chmod(mode)
    with caplog.at_level(logging.WARNING):
        assert vault_keys({"SOSTENUTO_VAULT_KEYS_FILE": str(file)}) == KEYS
        assert vault_keys({"SOSTENUTO_VAULT_KEYS_FILE": str(file)}) == KEYS
    told = [record.getMessage() for record in caplog.records]
    assert [f"chmod 600 {file}" in line for line in told] == [True] * warned
    assert KEYS.text not in caplog.text
