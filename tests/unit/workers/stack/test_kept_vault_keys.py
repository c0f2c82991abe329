"""The embedded stack has one vault key for good, unless somebody has keys of their own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sostenuto import SetupError
from sostenuto.activities.guardrails.vault.keys import VaultKeys
from sostenuto.connection.vault_keys import read_vault_keys
from sostenuto.workers.stack.kept_vault_keys import stack_vault_keys_file


@pytest.fixture(autouse=True)
def _untold(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SOSTENUTO_VAULT_KEYS", "SOSTENUTO_VAULT_KEYS_FILE"):
        monkeypatch.delenv(name, raising=False)


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0o000)
    try:
        file = stack_vault_keys_file(tmp_path)
    finally:
        os.umask(before)
    assert file == tmp_path / "vault.keys"
    assert file.stat().st_mode & 0o777 == 0o600
    kept = read_vault_keys(file)
    assert kept.first.id == "embedded"
    assert stack_vault_keys_file(tmp_path) == file
    assert read_vault_keys(file) == kept
    assert list(tmp_path.iterdir()) == [file]


def test_keys_that_the_environment_tells_are_taken_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = VaultKeys.made("own").text
    monkeypatch.setenv("SOSTENUTO_VAULT_KEYS", own)
    assert stack_vault_keys_file(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    monkeypatch.delenv("SOSTENUTO_VAULT_KEYS")
    monkeypatch.chdir(tmp_path)
    Path("own.keys").write_text(own)
    monkeypatch.setenv("SOSTENUTO_VAULT_KEYS_FILE", "own.keys")
    # For clients in another directory.
    assert stack_vault_keys_file(tmp_path / "state") == tmp_path / "own.keys"


def test_a_kept_key_that_is_damaged_is_not_replaced(tmp_path: Path) -> None:
    file = stack_vault_keys_file(tmp_path)
    assert file
    file.write_text("embedded:")
    with pytest.raises(SetupError, match=f"^{file}: vault key 1 \\('embedded'\\) has 0 bytes"):
        stack_vault_keys_file(tmp_path)
    assert file.read_text() == "embedded:"


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"the vault key cannot be written to .*nowhere/vault\.keys: No such file"):
        stack_vault_keys_file(tmp_path / "nowhere")
