"""What is built when it is first used, once for all who use it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from ..activities.not_served import NotServedError
from ..contracts.errors import SetupError

T = TypeVar("T")

_HOW_TO_INSTALL = "pip install 'sostenuto[worker]', or 'sostenuto[local]' for the local model"


class Lazy(Generic[T]):
    """Builds something at its first use, in a thread.

    So that its imports stall nothing else.

    Args:
        build: Builds it.
        cannot: What to say before the reason where that fails.
    """

    def __init__(self, build: Callable[[], T], cannot: str) -> None:
        self._build = build
        self._cannot = cannot
        self._lock = asyncio.Lock()
        self.built: T | None = None
        """It, once it was used."""

    async def get(self) -> T:
        """Return it.

        Raises:
            NotServedError: A package or a setting is missing; says what to do.
        """
        async with self._lock:
            if self.built is None:
                try:
                    self.built = await asyncio.to_thread(self._build)
                except SetupError as error:
                    raise NotServedError(f"{self._cannot}: {error}") from None
                except ImportError as error:
                    raise NotServedError(f"{self._cannot}: {error}: {_HOW_TO_INSTALL}") from None
            return self.built
