"""Asks a model again without a feature that it turns out not to have.

A request that is refused costs nothing.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from ..contracts.errors import InvalidRequest
from .model_adapter import Completion, ModelAdapter, ModelRequest, OnDelta

_LOG = logging.getLogger(__name__)

_MOST = 6
"""So many features of one request may be found missing, one after the other."""


async def completed(
    adapter: ModelAdapter, request: ModelRequest, on_delta: OnDelta | None = None
) -> tuple[Completion, tuple[str, ...]]:
    """Return a model's answer, and the features that were found missing on the way.

    Raises:
        ModelError: The call failed.
    """
    missing: list[str] = []
    while True:
        try:
            return await adapter.complete(request, on_delta), tuple(missing)
        except InvalidRequest as error:
            feature = error.refuses
            if not feature or feature in request.without or not request.can_lack(feature) or len(missing) == _MOST:
                raise
            _LOG.warning("%s is asked without %s, which it does not have: %s", request.model.name, feature, error)
            missing.append(feature)
            request = replace(request, without=request.without | {feature})
