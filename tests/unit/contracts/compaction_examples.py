"""Examples of a conversation's memory, and of what crosses the wire about what left a prompt."""

from __future__ import annotations

from typing import Any

from sostenuto import Agent, Memory, Message, Model, Role, Team, TextPart
from sostenuto.contracts.contract import Contract
from sostenuto.contracts.message import PartRef, ToolResultPart
from sostenuto.contracts.wire.chats.chat import ChatInput
from sostenuto.contracts.wire.control.share import Portion
from sostenuto.contracts.wire.event import ModelRequested, ModelResponded
from sostenuto.contracts.wire.memory.compaction import Compaction, KeptMessages
from sostenuto.contracts.wire.memory.memory_event import MemoryCompacted
from sostenuto.contracts.wire.memory.result_query import ResultQuery
from sostenuto.contracts.wire.model_call import ModelCall, ModelReply
from sostenuto.contracts.wire.run import Carried, Counted
from sostenuto.contracts.wire.totals import Totals
from tests.unit.contracts.spec_examples import AGENT

MEMORY = Memory(window=4_000, strategy=["clear_tools", "window"], keep=0.25)
SUMMARY = Memory(window="60%", strategy="summary", model=Model("openai/gpt", temperature=0.5))
PINNED = Message.user("My name is Ada.", pinned=True)
SAID = Message(role=Role.ASSISTANT, parts=(TextPart(text="Hello, Ada."),))
KEPT = KeptMessages(positions=(0, 7, 8), left_before=8, replies_left=3)
COMPACTION = Compaction(
    strategy="summary",
    dropped=((1, 3), (5, 8)),
    told="[The conversation before this left what you see.]",
    untold=(ToolResultPart(call_id="call_7_0", name="look", content="It was cut off.", is_error=True),),
    unanswered=(Message.user("Are you there?"),),
    before=4_100,
    after=1_900,
    why="the next prompt would have about 4,100 tokens, and its window has 4,000",
    note="nothing else was left to shorten",
)
CLEARED = Compaction(
    strategy="clear_tools",
    cleared=("call_1_0", "call_3_0"),
    stub="[Left out to save room: {bytes} bytes that {name} returned.]",
)
COUNTED = Counted(tokens=1_500, model="acme/large", head=200, messages=(700, 600), density=0.25, loose=(1,))
CUT = PartRef(message=5, part=0, digest="ab" * 8)
ASKED_FOR_SUMMARY = ModelCall(
    transcript="support",
    turn=9,
    model="openai/gpt",
    base=5,
    after="r8",
    tail=(Message.user("[Write a summary.]"),),
    compactions=(CLEARED,),
    earlier=(COMPACTION,),
    cut=(CUT,),
    left=4,
    replies_left=2,
    summary=True,
    windows=True,
)


def compaction_examples(when: dict[str, Any]) -> tuple[Contract, ...]:
    """One of each kind.

    Args:
        when: What every event has.
    """
    return (
        *(MEMORY, SUMMARY, PINNED, KEPT, COMPACTION, CLEARED, COUNTED, ASKED_FOR_SUMMARY),
        Agent(name="old", model="openai/gpt", memory=MEMORY),
        Team(name="crew", model="openai/gpt", members=[AGENT], memory=SUMMARY),
        ModelReply(
            id="r9",
            message=SAID,
            model="openai/gpt-5",
            prompt_hash="ab" * 32,
            windows={"openai/gpt": 400_000, "local/smollm2": 8_192},
        ),
        Carried(
            messages=(PINNED, SAID),
            after="r9",
            turns=9,
            totals=Totals(),
            counted=COUNTED,
            kept=KEPT,
            known=1,
            cut=(CUT,),
            steps=(COMPACTION,),
            tells_less=True,
            forgot=True,
            windows={"openai/gpt": 400_000},
        ),
        ChatInput(runnable=AGENT, messages=(PINNED, SAID), kept=KEPT, are_left=True, told={"team": Portion(usd=0.5)}),
        ResultQuery(path="support", call_id="call_1_0"),
        ModelRequested(**when, turn=9, model="openai/gpt", summary=True),
        ModelResponded(
            **when,
            turn=9,
            model="openai/gpt-5",
            message=SAID,
            usage={"input_tokens": 100, "output_tokens": 20},
            seconds=1.5,
            prompt_hash="ab" * 32,
            summary=True,
        ),
        MemoryCompacted(
            **when,
            turn=9,
            strategy="summary",
            before=4_100,
            after=1_900,
            messages=5,
            cleared=("call_1_0",),
            told="[The conversation before this left what you see.]",
            reason="the next prompt would have about 4,100 tokens, and its window has 4,000",
            note="there is no summary: m wrote none",
        ),
    )
