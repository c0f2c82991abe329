"""The model activity and validators: known before the model is paid, asked within the model's own time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter, ScriptedStep
from sostenuto.activities.answer.answer_check import OutputValidator
from sostenuto.activities.call.user_code import UserCode
from sostenuto.activities.model import ModelActivities
from sostenuto.activities.transcript_cache import TranscriptCache
from sostenuto.contracts.head import Head
from sostenuto.contracts.message import Message
from sostenuto.contracts.model import Model
from sostenuto.contracts.wire.model_call import ModelCall, ModelReply, StopReason


def is_short(answer: Any) -> str | None:
    """Says what is wrong."""
    return "make it shorter" if len(answer) > 5 else None


async def reply(step: ScriptedStep, *validators: str) -> ModelReply:
    """What the activity makes of a scripted answer."""
    activities = ModelActivities(
        {"scripted": ScriptedAdapter([step])},
        price=lambda *_: 0.0,
        cache=TranscriptCache(),
        validator=OutputValidator((), {"is_short": is_short}),
        user=UserCode(),
    )
    head = Head(agent="x", model=Model("scripted/x", timeout=timedelta(seconds=5)), validators=validators)
    call = ModelCall(transcript="x", turn=1, model="scripted/x", tail=(Message.user("Hello?"),), head=head)
    return await ActivityEnvironment().run(activities.call, call)


async def test_objections_are_in_the_reply() -> None:
    assert (await reply(ScriptedStep(text="quite long"), "is_short")).output_errors == ("make it shorter",)
    assert (await reply(ScriptedStep(text="short"), "is_short")).output_errors == ()
    assert (await reply(ScriptedStep(text="quite long"))).output_errors == ()


async def test_a_refusal_is_no_answer_to_object_to() -> None:
    refused = await reply(ScriptedStep(text="I will not do that", stop=StopReason.REFUSAL), "is_short")
    assert (refused.stop, refused.output_errors) == (StopReason.REFUSAL, ())


async def test_an_unknown_validator_fails_before_the_model_is_called() -> None:
    """The script's only step would fail by another error, were it reached."""
    with pytest.raises(ApplicationError, match="no validator 'is_polite'") as caught:
        await reply(ScriptedStep(error="Overloaded"), "is_short", "is_polite")
    assert (caught.value.type, caught.value.non_retryable) == ("NotServed", True)
