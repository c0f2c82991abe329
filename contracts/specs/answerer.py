"""What runnables have that call a model for an answer of their own.

The answer's form, and what it has to pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import PrivateAttr, TypeAdapter
from typing_extensions import override

from .node import Node
from .output import Validator, output_type


class Answerer(Node):
    """A runnable that knows its answer's type and the functions that check it.

    In this process only: neither can be sent.
    """

    _output_type: TypeAdapter[Any] | None = PrivateAttr(default=None)
    _checks: dict[str, Validator] = PrivateAttr(default_factory=dict)

    def _know(self, output: Any, checks: Mapping[str, Validator | None]) -> None:
        """Keep what the constructor was given and JSON cannot hold."""
        self._output_type = output_type(output)
        self._checks = {name: check for name, check in checks.items() if check}

    def __eq__(self, other: object) -> bool:
        # One that was read back from its history equals the one that was sent, which also has functions.
        return isinstance(other, type(self)) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]

    @property
    @override
    def checks(self) -> Mapping[str, Callable[..., Any]]:
        return self._checks

    @property
    @override
    def output_type(self) -> TypeAdapter[Any] | None:
        return self._output_type
