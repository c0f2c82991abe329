"""What sending a score comes to: whether Temporal is to try again, or another worker is to."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from sostenuto import Score
from sostenuto.activities.score import ScoreActivities, ScoreNotTaken
from sostenuto.contracts import names
from sostenuto.contracts.wire.feedback.score import ScoreCall, ScoreInput

SCORE = Score(name="helpful", value=1.0, at=datetime(2026, 11, 29, tzinfo=UTC))
GIVEN = ScoreInput(score=SCORE, run_id="run-1", first_execution="0c")


class Taker:
    """Takes scores, or says why not."""

    def __init__(self, refusal: ScoreNotTaken | None = None) -> None:
        self.taken: list[tuple[ScoreInput, str, str]] = []
        self._refusal = refusal

    async def take(self, given: ScoreInput, namespace: str, score_id: str) -> None:
        if self._refusal:
            raise self._refusal
        self.taken.append((given, namespace, score_id))


async def test_it_goes_where_it_is_told_to_under_the_id_of_its_workflow() -> None:
    langfuse, phoenix = Taker(), Taker()
    activities = ScoreActivities({"phoenix": phoenix, "langfuse": langfuse})
    environment = ActivityEnvironment()
    assert await environment.run(activities.targets) == ("langfuse", "phoenix")
    await environment.run(activities.send, ScoreCall(to="langfuse", given=GIVEN))
    assert langfuse.taken == [(GIVEN, "default", environment.info.workflow_id)]
    assert phoenix.taken == []


@pytest.mark.parametrize("again", [True, False])
async def test_what_is_not_taken_is_told_as_it_is(again: bool) -> None:
    activities = ScoreActivities({"langfuse": Taker(ScoreNotTaken("it answers 503", again=again))})
    with pytest.raises(ApplicationError, match="it answers 503") as raised:
        await ActivityEnvironment().run(activities.send, ScoreCall(to="langfuse", given=GIVEN))
    assert (raised.value.type, raised.value.non_retryable) == (names.SCORE_NOT_TAKEN, not again)


async def test_a_worker_that_does_not_send_there_leaves_it_to_another() -> None:
    with pytest.raises(ApplicationError, match="does not send to langfuse: name it in SOSTENUTO_TELEMETRY") as raised:
        await ActivityEnvironment().run(ScoreActivities({}).send, ScoreCall(to="langfuse", given=GIVEN))
    assert raised.value.type == names.NOT_SERVED
