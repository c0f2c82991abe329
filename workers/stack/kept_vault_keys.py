"""The vault key of the embedded stack: made at its first start, and kept."""

from __future__ import annotations

from pathlib import Path

from ...activities.guardrails.vault.keys import VaultKeys
from ...connection.content_files import write_atomically
from ...connection.vault_keys import read_vault_keys, vault_keys, vault_keys_file_setting
from ...contracts.errors import SetupError

_FILE = "vault.keys"
_ID = "embedded"


def stack_vault_keys_file(state_dir: Path) -> Path | None:
    """Return the file of the keys of a stack; None where the environment has them.

    What `SOSTENUTO_VAULT_KEYS_FILE` names, else one in the state directory, which is made where it is not there.

    Raises:
        SetupError: Keys that are there are wrong, or the file cannot be read or written.
    """
    if vault_keys():
        named = vault_keys_file_setting()
        return named.absolute() if named else None
    file = state_dir / _FILE
    if file.exists():
        read_vault_keys(file)
        return file
    try:
        # Whole or not at all: half a key would be taken for the key at each start.
        write_atomically(file, f"{VaultKeys.made(_ID).text}\n".encode())
    except OSError as error:
        raise SetupError(f"the vault key cannot be written to {file}: {error.strerror}") from error
    return file
