"""Which model is asked for what a turn can be done without, such as a summary."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from ...contracts.model import Model

_RETRIES: Final = 3
_TIMEOUT: Final = timedelta(minutes=1)


def beside(model: Model) -> Model:
    """Return a model as it is asked beside an answer.

    Where it says nothing of retries, it is not waited for through an outage; nor is one that hangs for long.
    """
    retries = _RETRIES if model.retries is None else model.retries
    return model.model_copy(update={"retries": retries, "timeout": min(model.timeout, _TIMEOUT)})
