"""A guardrail that is a function of one's own."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Literal

from pydantic import PrivateAttr

from ..contract import arguments, as_tuple, brief
from ..errors import SpecError
from .guardrail import Guardrail, GuardStage, OnError, OnFailure

Check = Callable[[str], str | bool | Awaitable[str | bool | None] | None]
"""Takes a text. None, True or an empty text: it passes. A text says why it does not; False does without a reason."""

_LAMBDA = "<lambda>"


class Custom(Guardrail):
    """A function that takes a text and says why it does not pass.

    `Custom(no_prices)`, where `def no_prices(text: str) -> str | None` returns a reason or None. It is run by workers
    whose app has it, sync ones in a thread.
    """

    kind: Literal["custom"] = "custom"
    at: tuple[GuardStage, ...] = ("output",)
    on_failure: OnFailure = "block"
    function: str
    """Its name."""

    _check: Check | None = PrivateAttr(default=None)

    def __init__(
        self,
        function: Check | str,
        *,
        at: Iterable[GuardStage] = ("output",),
        on_failure: OnFailure = "block",
        on_error: OnError | None = None,
        name: str = "",
        **unknown: Any,
    ) -> None:
        given = arguments(locals())
        named = function if isinstance(function, str) else getattr(function, "__name__", "")
        if not named or named == _LAMBDA or not (isinstance(function, str) or callable(function)):
            raise SpecError(f"Custom: {brief(function)} is no function with a name: write one with def")
        if inspect.isclass(function):
            raise SpecError(f"Custom: {brief(function)} is no function: write one with def that takes a text")
        self._construct(given | {"function": named, "at": as_tuple(given["at"], "Custom: at")})
        self._check = None if isinstance(function, str) else function

    @property
    def check(self) -> Check | None:
        """The function, where it was given as one in this process."""
        return self._check

    @property
    def title(self) -> str:
        """What events call it."""
        return self.name or self.function

    def __eq__(self, other: object) -> bool:
        # One that was read back from its history equals the one that was sent, which also has its function.
        return isinstance(other, Custom) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]
