"""What people may write of budgets, and what is wrong with the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sostenuto import Agent, Ask, Budget, Degrade, Finish, SpecError, Stop

# What type checkers refuse too.
ANY_ASK: Any = Ask
ANY_BUDGET: Any = Budget
ANY_DEGRADE: Any = Degrade
ANY_FINISH: Any = Finish
ANY_STOP: Any = Stop

ALL_STEPS = r'write Degrade\("provider/model"\), Shorten\(\), Ask\(\), Finish\(\), Stop\(\)$'


def _exhausted(steps: Any) -> Budget:
    return Budget(usd=1, on_exhausted=steps)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: _exhausted([ANY_FINISH]),
            r"^Budget: on_exhausted\[0\]: the class Finish is no step: write Finish\(\)$",
        ),
        (lambda: _exhausted(ANY_STOP), r"^Budget: on_exhausted: the class Stop is no step: write Stop\(\)$"),
        (lambda: _exhausted([Ask(expires=9), ANY_ASK]), r"on_exhausted\[1\]: the class Ask is no step: write Ask\(\)$"),
        (lambda: _exhausted([ANY_DEGRADE]), r'the class Degrade is no step: write Degrade\("provider/model"\)$'),
        (lambda: _exhausted("finish"), r"on_exhausted: 'finish' is no step: write Finish\(\)$"),
        (lambda: _exhausted(["halt"]), rf"on_exhausted\[0\]: 'halt' is no step: {ALL_STEPS}"),
        (lambda: _exhausted(None), rf"on_exhausted: None is no step: {ALL_STEPS}"),
        (lambda: ANY_ASK(60), "^Ask: the argument 60 has no name: write expires=60$"),
        (lambda: ANY_ASK(timeout=60), "Ask has no field 'timeout': it takes expires"),
        (lambda: ANY_FINISH(0.2), "^Finish: the argument 0.2 has no name: write keep=0.2$"),
        (lambda: ANY_FINISH(kept=0.2), "Finish has no field 'kept': did you mean 'keep'?"),
        (lambda: ANY_DEGRADE("a/b", modle="c/d"), "Degrade has no field 'modle': did you mean 'model'?"),
        (lambda: ANY_BUDGET(0.5), "^Budget: the argument 0.5 has no name: write usd=0.5$"),
        (
            lambda: Agent(name="a", model="a/b", budget=ANY_BUDGET),
            r"the class Budget is not a Budget: write Budget\(...\)$",
        ),
    ],
)
def test_what_is_wrong_is_said(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        make()


def test_a_step_may_stand_alone() -> None:
    assert _exhausted(Stop()) == _exhausted([Stop()]) == _exhausted([{"kind": "stop"}])
