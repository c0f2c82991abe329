"""What is found out of a call whose outcome is unknown, as after a crash."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..contract import brief
from ..errors import SpecError


@dataclass(frozen=True, slots=True)
class Done:
    """The call took effect."""

    result: Any = None
    """What the tool would have returned."""


@dataclass(frozen=True, slots=True)
class NotDone:
    """The call took no effect, and will not any more."""


Reconcile = Callable[[str], Any]
"""Says by the idempotency key of a call what came of it: `Done`, `NotDone`, or None where that cannot be known."""


def is_hook(given: Any, where: str) -> bool:
    """Return whether there is a hook.

    Raises:
        SpecError: What was given cannot be called.
    """
    if given is not None and not callable(given):
        raise SpecError(f"{where}: reconcile: {brief(given)} is no function of the call's idempotency key")
    return given is not None
