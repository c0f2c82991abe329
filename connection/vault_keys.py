"""The keys by which clients and workers have back what was hidden.

They are told by the environment, and never by a settings file, which people commit.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from ..activities.guardrails.vault.keys import VaultKeys
from ..contracts.errors import SetupError

_KEYS: Final = "SOSTENUTO_VAULT_KEYS"
_KEYS_FILE: Final = "SOSTENUTO_VAULT_KEYS_FILE"
_OPEN_TO_ALL: Final = 0o006
_LOG = logging.getLogger(__name__)


def vault_keys(environ: Mapping[str, str] = os.environ) -> VaultKeys | None:
    """Return the keys that the environment tells; None where it tells none.

    `SOSTENUTO_VAULT_KEYS` has them, or `SOSTENUTO_VAULT_KEYS_FILE` names a file that does.

    Raises:
        SetupError: Both are set, the file cannot be read, or a key is wrong.
    """
    text, file = environ.get(_KEYS, "").strip(), vault_keys_file_setting(environ)
    if text and file:
        raise SetupError(f"both {_KEYS} and {_KEYS_FILE} are set: unset one of them")
    if file:
        return read_vault_keys(file)
    return _parsed(text, _KEYS) if text else None


def vault_keys_file_setting(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the file that `SOSTENUTO_VAULT_KEYS_FILE` names, if any."""
    value = environ.get(_KEYS_FILE, "").strip()
    return Path(value).expanduser() if value else None


def read_vault_keys(file: Path) -> VaultKeys:
    """Return the keys of a file.

    One that everybody may read is read, for that is how secrets are mounted in containers, and is warned of once.

    Raises:
        SetupError: It cannot be read, or a key in it is wrong.
    """
    try:
        text = file.read_text(encoding="utf-8")
        mode = file.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise SetupError(f"the vault keys in {file} cannot be read ({reason}): see {_KEYS_FILE}") from None
    if mode & _OPEN_TO_ALL and os.name == "posix":
        _warn(file)
    return _parsed(text, str(file))


@cache
def _warn(file: Path) -> None:
    _LOG.warning("everybody on this machine may read or write the vault keys in %s: chmod 600 %s", file, file)


def _parsed(text: str, source: str) -> VaultKeys:
    try:
        return VaultKeys.parse(text)
    except SetupError as error:
        raise SetupError(f"{source}: {error}") from None
