"""How what holds something up is asked for: seldom where nothing is new, and never for long."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from sostenuto import SetupError
from sostenuto.clients import waiting
from sostenuto.clients.hindrances import Hindrance
from sostenuto.clients.waiting import log_wait_later, noticing_hindrances, wait_for_end

STUCK = Hindrance(run_id="a", task_queue="q", reason="no worker", is_unserved=True)


class Asked:
    """What is held up by what it is told."""

    def __init__(self, *answers: Callable[[], Awaitable[Sequence[Hindrance]]]) -> None:
        self._answers = iter(answers)

    async def hindrances(self) -> Sequence[Hindrance]:
        return await next(self._answers)()


async def _stuck() -> Sequence[Hindrance]:
    return (STUCK,)


async def _faulty() -> Sequence[Hindrance]:
    raise KeyError("a fault of ours")


async def _silence() -> Sequence[Hindrance]:
    await asyncio.Event().wait()
    return ()


async def _away() -> Sequence[Hindrance]:
    raise SetupError("run 'a': the server\nis away")


async def test_it_is_asked_for_less_and_less_often(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pauses: list[float] = []
    enough = asyncio.Event()
    silent = iter([True, True, True, True, True, True, False])

    async def pause(happened: asyncio.Event, seconds: float) -> bool:
        pauses.append(seconds)
        if (found := next(silent, None)) is None:
            enough.set()
            await asyncio.Event().wait()
        return bool(found)

    monkeypatch.setattr(waiting, "_silent", pause)
    told: list[Hindrance] = []
    async with noticing_hindrances(Asked(_faulty, *[_stuck] * 5).hindrances, told.append):
        await enough.wait()
    assert told == [STUCK]
    assert pauses == [3, 6, 3, 6, 12, 24, 30, 3]
    [logged] = caplog.records
    assert "a fault of ours" in caplog.text
    assert logged.levelname == "WARNING"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (_stuck, str(STUCK)),
        (_silence, "what holds it up cannot be asked: the Temporal server does not answer"),
        (_away, "what holds it up cannot be asked: run 'a': the server is away"),
    ],
)
async def test_a_server_that_is_away_is_not_waited_for(
    answer: Callable[[], Awaitable[Sequence[Hindrance]]], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_ANSWER_SECONDS", 0.01)
    with pytest.raises(TimeoutError) as raised:
        await wait_for_end("run 'a'", Asked(answer).hindrances, lambda _: asyncio.Event().wait(), 0)
    assert str(raised.value) == f"run 'a' has not ended within 0 s: {why}"


async def test_only_what_has_not_passed_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(waiting, "_SILENCE_SECONDS", 0.01)
    with log_wait_later("run 'a'") as log_later:
        log_later("it passed")
        log_later("")
        log_later("its code fails:\nKeyError")
        await asyncio.sleep(0.05)
        log_later("it ended")
    await asyncio.sleep(0.02)
    assert [record.getMessage() for record in caplog.records] == ["waiting for run 'a': its code fails: KeyError"]
