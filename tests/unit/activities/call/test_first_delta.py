"""How long a model took to begin is told once for each call, where somebody wants to know."""

from sostenuto import Model
from sostenuto.activities.call.live import Live
from sostenuto.activities.model_adapter import Delta

ASKED = Model("scripted/m")


def test_where_nobody_wants_to_know_pieces_are_given_to_nobody() -> None:
    with Live().model_call(ASKED, structured=False) as on_delta:
        assert on_delta is None


def test_the_first_piece_of_any_kind_is_told_and_no_other() -> None:
    live = Live()
    told: list[tuple[Model, float]] = []
    live.on_first_delta = lambda model, seconds: told.append((model, seconds))
    for _ in range(2):
        with live.model_call(ASKED, structured=True) as on_delta:
            assert on_delta
            on_delta(Delta("reasoning", "hm"))
            on_delta(Delta("text", "hi"))
    assert [model for model, _ in told] == [ASKED, ASKED]
    assert all(seconds >= 0 for _, seconds in told)
