"""How much of a conversation its model is told, and what becomes of the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, Literal, TypeAlias, get_args

from pydantic import Field, field_validator, model_validator

from ..contract import Spec, arguments, as_tuple, brief
from ..model import Model

MemoryStrategy: TypeAlias = Literal["window", "summary", "clear_tools", "none"]
"""What is done where a prompt outgrows its window.

`window`: the oldest messages leave the prompt. `summary`: a summary of them takes their place. `clear_tools`: old
results of tools become a line that names the call. `none`: nothing.
"""

STRATEGIES: Final[tuple[str, ...]] = get_args(MemoryStrategy)
_PERCENT: Final = re.compile(r"(\d{1,3})%")
_LEAST_TOKENS: Final = 256
_ELSEWHERE: Final = {
    **dict.fromkeys(("max_tokens", "max_token_limit", "token_limit", "context_window"), "write window="),
    **dict.fromkeys(("type", "mode", "compaction", "middleware"), f"write strategy= of {', '.join(STRATEGIES)}"),
    **dict.fromkeys(("llm", "summary_model", "summarizer"), "write model='provider/model', who writes summaries"),
}


class Memory(Spec):
    """How much of a conversation its model is told.

    `Memory(window="80%", strategy="summary")`. What is older leaves the prompt, in few large steps, and never the
    history.
    """

    window: int | str = "80%"
    """Most tokens of a prompt, or which part of the model's own window, such as `80%`."""
    strategy: tuple[MemoryStrategy, ...] = ("clear_tools", "summary")
    """What is done where a prompt is longer, one after the other until it is short enough."""
    keep: float = Field(default=0.5, gt=0, lt=1)
    """Which part of the window a prompt has at most once it was shortened: the less, the seldomer that is done."""
    model: Model | None = None
    """Who writes summaries. None: the model in use."""

    _elsewhere = _ELSEWHERE

    def __init__(
        self,
        *,
        window: int | str = "80%",
        strategy: MemoryStrategy | Iterable[MemoryStrategy] = ("clear_tools", "summary"),
        keep: float = 0.5,
        model: Model | str | None = None,
        **unknown: Any,
    ) -> None:
        given = arguments(locals())
        given["strategy"] = (strategy,) if isinstance(strategy, str) else as_tuple(strategy, "Memory: strategy")
        self._construct(given)

    @classmethod
    def _meant_by(cls, unnamed: object) -> str:
        return "strategy" if unnamed in STRATEGIES else "window"

    @field_validator("window", mode="before")
    @classmethod
    def _tokens_or_part(cls, window: object) -> object:
        if isinstance(window, str) and (found := _PERCENT.fullmatch(window)) and 1 <= int(found[1]) <= 100:
            return window
        if isinstance(window, int) and not isinstance(window, bool):
            if window < _LEAST_TOKENS:
                raise ValueError(f"{window:,} tokens hold no conversation: give at least {_LEAST_TOKENS}")
            return window
        raise ValueError(f"{brief(window)} is no window: write a number of tokens, or a part of the model's as '80%'")

    @field_validator("strategy", mode="before")
    @classmethod
    def _known(cls, strategy: object) -> object:
        for one in strategy if isinstance(strategy, tuple | list) else ():
            if one not in STRATEGIES:
                raise ValueError(f"{brief(one)} is no strategy: there are {', '.join(STRATEGIES)}")
        return strategy

    @model_validator(mode="after")
    def _together(self) -> Memory:
        if not self.strategy:
            raise ValueError("strategy: name one, or 'none'")
        if "none" in self.strategy and len(self.strategy) > 1:
            raise ValueError("strategy: 'none' goes with no other")
        if self.model is not None and "summary" not in self.strategy:
            raise ValueError("model: it writes summaries, and the strategy has none")
        if self.model is not None and self.model.fallbacks:
            raise ValueError("model: it has fallbacks, and a summary that fails is done without: leave them out")
        return self

    @property
    def shortens(self) -> bool:
        """Whether it does anything."""
        return self.strategy != ("none",)

    @property
    def clears(self) -> bool:
        """Whether results of tools may leave the prompt, to be read again."""
        return "clear_tools" in self.strategy

    @property
    def wants_windows(self) -> bool:
        """Whether it has to know how many tokens models take."""
        return self.shortens and isinstance(self.window, str)

    def tokens(self, context: int) -> int | None:
        """Return the most tokens of a prompt; None where that is not known.

        Args:
            context: Tokens of the model's own window; 0 where they are not known.
        """
        if isinstance(self.window, int):
            return min(self.window, context) if context else self.window
        return context * int(self.window.removesuffix("%")) // 100 or None
