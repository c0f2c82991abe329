"""`sostenuto vault-key`: makes a key for what guardrails hide."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import Any, Final

from ...terminal import answer, say

_DESCRIPTION: Final = """\
Make a key by which clients and workers have back what guardrails hid, and print it as ID:KEY. The embedded stack makes
its own.

  sostenuto vault-key > vault.keys && chmod 600 vault.keys
  export SOSTENUTO_VAULT_KEYS_FILE=$PWD/vault.keys            for clients and workers
"""
_WHERE: Final = """\
Give it to clients and workers, by SOSTENUTO_VAULT_KEYS, or in a file that SOSTENUTO_VAULT_KEYS_FILE names. Keep it as
long as what it hid: without it nobody has that back. To replace an old key: OLD,NEW everywhere, then NEW,OLD."""


def register(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "vault-key",
        help="make a key for what guardrails hide",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "id", nargs="?", metavar="ID", help="what to call it: letters, digits, '_' and '-' (default: the date)"
    )
    parser.set_defaults(handler=_vault_key)


async def _vault_key(args: argparse.Namespace) -> int:
    from .....activities.guardrails.vault.keys import VaultKeys

    id = datetime.now(UTC).date().isoformat() if args.id is None else args.id
    answer(VaultKeys.made(id).text)
    say(_WHERE)
    return 0
