"""Which model is asked for what a turn can be done without, such as a summary."""

from __future__ import annotations

from typing import Final

from ...contracts.model import Model

_RETRIES: Final = 3


def beside(model: Model) -> Model:
    """Return a model as it is asked beside an answer.

    Where it says nothing of retries, it is waited for some seconds, and not through an outage.
    """
    return model if model.retries is not None else model.model_copy(update={"retries": _RETRIES})
