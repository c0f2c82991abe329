"""Examples of what crosses the wire about chats."""

from __future__ import annotations

from typing import Any

from sostenuto import Message, Role, Status, TextPart, Usage
from sostenuto.contracts.contract import Contract
from sostenuto.contracts.wire import run, totals
from sostenuto.contracts.wire.chats import chat, chat_event
from tests.unit.contracts.knowledge_examples import PASSAGE
from tests.unit.contracts.spec_examples import AGENT

_ASKED = Message.user("Where is order 7?")
_SAID = Message(role=Role.ASSISTANT, parts=(TextPart(text="On its way."),))
_USAGE = Usage(input_tokens=100, output_tokens=20)
_TOTALS = totals.Totals(usage=_USAGE, cost_usd=0.25, unpriced_calls=1)
_MARK = chat.TurnMark(id="m1", begins=0, ends=2, result=run.Result(status=Status.COMPLETED, turns=1), is_last_text=True)
_WAITING = chat.Asked(id="m2", message=_ASKED)
_CARRIED = run.Carried(messages=(_ASKED, _SAID), after="r1", turns=1, totals=_TOTALS)


def chat_examples(when: dict[str, Any]) -> tuple[Contract, ...]:
    """One of each kind.

    Args:
        when: What every event has.
    """
    return (
        _MARK,
        chat.ChatInput(
            runnable=AGENT,
            when_busy=chat.WhenBusy.INTERRUPT,
            title="Order 7",
            forked_from="anna",
            turns=(_MARK,),
            messages=(_ASKED, _SAID),
            passages=(PASSAGE,),
            totals=_TOTALS,
            model_turns=2,
            offload=True,
        ),
        chat.ChatInput(runnable=AGENT, turns=(_MARK,), carried=_CARRIED, waiting=(_WAITING,)),
        _WAITING,
        chat.ChatForkQuery(at="m1"),
        chat.Taken(result=run.Result(status=Status.COMPLETED, output="On its way.")),
        chat.TurnEnd(message_id="m1", result=run.Result(status=Status.COMPLETED), is_last_text=True),
        chat.ChatTurn(id="m1", message=_ASKED, status=Status.FAILED, output="On its way.", reason="broke"),
        chat_event.ChatStarted(**when, run_id="anna", runnable="support", runnable_kind="agent", forked_from="otto"),
        chat_event.TurnQueued(**when, message_id="m1", message=_ASKED),
        chat_event.TurnStarted(**when, message_id="m1", message=_ASKED),
        chat_event.TurnFinished(
            **when,
            message_id="m1",
            status=Status.FAILED,
            output="On its way.",
            reason="broke",
            turns=3,
            usage=_USAGE,
            cost_usd=0.25,
            unpriced_calls=1,
        ),
    )
