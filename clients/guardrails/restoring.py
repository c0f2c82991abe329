"""Puts originals back where something is shown to whoever may see it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final, TypeVar

from pydantic import BaseModel
from temporalio.client import Client

from ...activities.guardrails.vault.restoring import restored
from ...connection.connect import vault_keys_of
from ...contracts.message import Message
from ...contracts.wire.run import Result
from ...history.events.projection import Projection

_LOG: Final = logging.getLogger("sostenuto.clients")

ModelT = TypeVar("ModelT", bound=BaseModel)


class Originals:
    """What this process can put back of what was redacted.

    Args:
        temporal: Where the run is, which says with which keys its originals are sealed.
        what: Whose originals, for the log.
    """

    def __init__(self, temporal: Client, what: str) -> None:
        self._temporal = temporal
        self._what = what

    def in_result(self, result: Result, sealed: Mapping[str, str]) -> Result:
        """Return a result with originals in place of placeholders.

        Args:
            result: The result, with its messages.
            sealed: Originals that are sealed elsewhere in its history.
        """
        known = {**sealed, **result.sealed}
        plain = result.model_copy(update={"sealed": {}, "tainted": False})
        return self.put_back(plain, known)

    def put_back(self, value: ModelT, sealed: Mapping[str, str]) -> ModelT:
        """Return a value with originals in place of placeholders."""
        if not sealed:
            return value
        found = restored(value.model_dump(mode="json"), sealed, vault_keys_of(self._temporal))
        if found.unopened:
            _LOG.warning(
                "%s: %d placeholders stay as they are, such as %s: none of the keys in SOSTENUTO_VAULT_KEYS opens them",
                self._what,
                len(found.unopened),
                found.unopened[0],
            )
        return type(value).model_validate(found.value) if found.originals else value

    def transcript(self, read: Projection, path: str | None = None) -> tuple[Message, ...]:
        """Return the messages so far at a path of a history, with originals.

        By default those of the root.
        """
        messages = read.transcript(path)
        return tuple(self.put_back(one, read.sealed) for one in messages) if read.sealed else messages
