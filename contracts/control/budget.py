"""What a runnable may spend, and what happens once that is not enough."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BaseModel, Field, field_validator

from ..contract import Contract, Spec, arguments, as_tuple, brief
from ..errors import SpecError
from ..limits import LONGEST_WAIT
from ..model import Model
from .ledger import Ledger


class Degrade(Spec):
    """Go on with a cheaper model: `Degrade("openai/gpt-5.5-mini")`."""

    kind: Literal["degrade"] = "degrade"
    model: Model

    def __init__(self, model: Model | str, **unknown: Any) -> None:
        self._construct(arguments(locals()))


class Ask(Spec):
    """Wait until somebody tops the budget up: `Ask(expires=3600)`.

    The same step then goes on.
    """

    kind: Literal["ask"] = "ask"
    expires: timedelta | None = Field(default=None, gt=timedelta(0), le=LONGEST_WAIT)
    """How long it waits, in seconds as a number. None: as long as it takes."""

    def __init__(self, *, expires: timedelta | float | None = None, **unknown: Any) -> None:
        self._construct(arguments(locals()))

    @classmethod
    def _meant_by(cls, unnamed: object) -> str:
        return "expires" if isinstance(unnamed, timedelta | int | float) else ""


class Shorten(Spec):
    """Go on with a shorter prompt.

    What is older leaves it, as the agent's `Memory` says; without one, a summary takes its place.
    """

    kind: Literal["shorten"] = "shorten"

    def __init__(self) -> None:
        self._construct({})


class Finish(Spec):
    """Ask the model once more, to answer with what there is.

    It may call no tools then. A part of the budget is kept for that call.
    """

    kind: Literal["finish"] = "finish"
    keep: float = Field(default=0.1, gt=0, lt=1)
    """Which part of the limits is kept, and one turn of those."""

    def __init__(self, *, keep: float = 0.1, **unknown: Any) -> None:
        self._construct(arguments(locals()))

    @classmethod
    def _meant_by(cls, unnamed: object) -> str:
        return "keep" if isinstance(unnamed, float) else ""


class Stop(Spec):
    """End with what there is."""

    kind: Literal["stop"] = "stop"

    def __init__(self) -> None:
        self._construct({})


OnExhausted: TypeAlias = Degrade | Shorten | Ask | Finish | Stop
WhenExhausted: TypeAlias = Annotated[OnExhausted, Field(discriminator="kind")]
"""What happens once a budget is not enough for the next call."""

_STEPS: Final = (Degrade, Shorten, Ask, Finish, Stop)
_STEP_WORDS: Final = ('Degrade("provider/model")', "Shorten()", "Ask()", "Finish()", "Stop()")
_FINISH_OR_STOP: Final = (Finish(), Stop())

_ELSEWHERE = {
    **dict.fromkeys(("cost", "cost_limit", "max_cost", "max_budget", "dollars", "usd_limit", "limit"), "write usd="),
    **dict.fromkeys(("total_tokens", "total_tokens_limit", "max_tokens", "token_limit"), "write tokens="),
    **dict.fromkeys(("requests", "request_limit", "max_turns", "steps", "calls"), "write turns="),
    **dict.fromkeys(("time", "timeout", "max_seconds", "duration"), "write seconds="),
}


class Budget(Spec):
    """What a runnable may spend, with everything that is nested in it.

    Before each model call the most that it can cost is held, and after it what it did cost is charged: so no limit is
    ever exceeded. What is nested may have a budget of its own: of all on the way up the tightest decides.
    """

    usd: float | None = Field(default=None, gt=0, le=1e12, allow_inf_nan=False)
    """US dollars."""
    tokens: int | None = Field(default=None, ge=1, le=10**15)
    """Tokens in and out."""
    turns: int | None = Field(default=None, ge=1, le=10**9)
    """Model calls."""
    seconds: float | None = Field(default=None, gt=0, le=LONGEST_WAIT.total_seconds(), allow_inf_nan=False)
    """Seconds after its beginning at which no further model call begins."""
    share: float | None = Field(default=None, gt=0, le=1)
    """Which part of what is left above it, where it is nested, it may spend."""
    ledger: Ledger | None = None
    """What it shares with other runs, and all that it spends is charged to as well; a name alone is taken too."""
    on_exhausted: tuple[WhenExhausted, ...] = _FINISH_OR_STOP
    """What happens when the next call does not fit any more: the first of these that can be done."""

    _elsewhere = _ELSEWHERE

    def __init__(
        self,
        *,
        usd: float | None = None,
        tokens: int | None = None,
        turns: int | None = None,
        seconds: float | timedelta | None = None,
        share: float | None = None,
        ledger: Ledger | str | None = None,
        on_exhausted: OnExhausted | Iterable[OnExhausted] = _FINISH_OR_STOP,
        **unknown: Any,
    ) -> None:
        given = arguments(locals())
        if isinstance(seconds, timedelta):
            given["seconds"] = seconds.total_seconds()
        given["on_exhausted"] = _steps(on_exhausted)
        if isinstance(ledger, str):
            given["ledger"] = Ledger(ledger)
        self._construct(given)
        if all(getattr(self, name) is None for name in ("usd", "tokens", "turns", "seconds", "share", "ledger")):
            raise SpecError("Budget: it limits nothing: give usd=, tokens=, turns=, seconds=, share= or ledger=")

    @classmethod
    def _meant_by(cls, unnamed: object) -> str:
        return "usd" if isinstance(unnamed, float) else ""

    @field_validator("on_exhausted")
    @classmethod
    def _ends(cls, steps: tuple[WhenExhausted, ...]) -> tuple[WhenExhausted, ...]:
        if any(isinstance(step, Stop) for step in steps[:-1]):
            raise ValueError("nothing comes after Stop(): put it last, or leave it out")
        if any(isinstance(step, Ask) and step.expires is None for step in steps[:-1]):
            raise ValueError("Ask() waits as long as it takes, so nothing comes after it: say until when by expires=")
        return steps

    @property
    def models(self) -> Sequence[Model]:
        """The models that it degrades to."""
        return [step.model for step in self.on_exhausted if isinstance(step, Degrade)]

    @property
    def keep(self) -> float:
        """Which part of it is kept for a last call."""
        return next((step.keep for step in self.on_exhausted if isinstance(step, Finish)), 0.0)


def _steps(given: Any) -> tuple[Any, ...]:
    """Return the steps that a list of them has, or the one that stands alone.

    Raises:
        SpecError: Something in it is none; says what to write.
    """
    is_list = isinstance(given, Iterable) and not isinstance(given, str | BaseModel)
    steps = as_tuple(given, "Budget: on_exhausted") if is_list else (given,)
    for index, step in enumerate(steps):
        if isinstance(step, (*_STEPS, dict)):
            continue
        where = f"on_exhausted[{index}]" if is_list else "on_exhausted"
        named = getattr(step, "__name__", step) if isinstance(step, type | str) else ""
        meant = next(
            (words for words in _STEP_WORDS if words.partition("(")[0].casefold() == str(named).casefold()), ""
        )
        raise SpecError(f"Budget: {where}: {brief(step)} is no step: write {meant or ', '.join(_STEP_WORDS)}")
    return steps


class Envelope(Contract):
    """What a nested run may spend of what is left above it. None: as much as it likes."""

    usd: float | None = None
    tokens: int | None = None
    turns: int | None = None
    until: float | None = None
    """Seconds since 1970 at which no further model call begins."""
    whole_usd: float | None = None
    """US dollars that are not spent above it, whoever holds them: what a `share` is a part of."""
    whole_tokens: int | None = None
    """The same, of tokens."""
    told_usd: float = 0.0
    told_tokens: int = 0
    told_turns: int = 0
    """What of it earlier executions of the nested run told to be spent."""
    ledgers: tuple[str, ...] = ()
    """Names of ledgers that it is charged to above."""
    asks: bool = False
    """Whether it begins with nothing and asks for all: how much there is a ledger says as it is asked."""
    recalled: bool = False
    """Whether earlier executions were to give back what they do not need, and had nothing."""
    on_exhausted: tuple[WhenExhausted, ...] = ()
    """What happens when the next call does not fit any more, as the budget has it that it is of."""


def check_budget(budget: object) -> None:
    """Check that what limits a run is a budget.

    Raises:
        SpecError: It is something else.
    """
    if budget is not None and not isinstance(budget, Budget):
        raise SpecError(f"budget: {brief(budget)} is none: write Budget(usd=0.50), or tokens=, turns=, seconds=")
