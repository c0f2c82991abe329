"""Examples of what people write, and what crosses the wire, of long-term memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sostenuto import Agent, Team, Usage
from sostenuto.contracts.collection.collection import Collection
from sostenuto.contracts.contract import Contract
from sostenuto.contracts.memory.long_term import LongTerm, MemoryKind
from sostenuto.contracts.wire.memory import calls, memory_event, record

PEOPLE = Collection("people")
LONG_TERM = LongTerm(
    PEOPLE,
    scope="tenant:{context.tenant}/user:{context.user}",
    kinds=["fact"],
    extract="openai/gpt",
    recall=3,
    recall_tokens=200,
    half_life=timedelta(days=7),
    on_failure="fail",
    tools=["remember", "recall", "forget"],
)
AT = datetime(2026, 11, 30, 20, 0, tzinfo=UTC)
PLACE = record.MemoryPlace(collection="people", scope="user:anna", embedding="local/minilm")
SOURCE = record.MemorySource(run_id="run-1", execution="0c", step="desk:memory-1", turn=2, at=AT)
NEW = record.NewMemory(
    kind=MemoryKind.PREFERENCE,
    text="The user likes tea.",
    key="taste for tea",
    importance=0.75,
    replaces=("8a",),
    updates=True,
)
RECORD = record.MemoryRecord(
    id="8a5c",
    kind=MemoryKind.FACT,
    text="The user lives in Berlin.",
    key="home",
    importance=0.75,
    source=SOURCE,
    confirmed=AT,
    supersedes=("7b",),
    superseded_by="9d",
    superseded_at=AT,
    score=0.5,
)
PAST = calls.PastMemory(text="The user lives in Rome.", until=AT)
FOUND = calls.RecalledMemory(
    id="8a5c", kind=MemoryKind.FACT, text="The user lives in Berlin.", at=AT, score=0.5, past=(PAST,)
)
REPLACED = calls.ReplacedMemory(id="7b", text="The user lives in Rome.")
WRITTEN = memory_event.WrittenMemory(
    id="8a5c", kind=MemoryKind.FACT, text="The user lives in Berlin.", known=True, replaced=(REPLACED,), forgotten=True
)
USED: dict[str, Any] = {"usage": Usage(input_tokens=12), "cost_usd": 0.25, "unpriced_calls": 1}
REMEMBERING = calls.Remembering(
    turns=3, told=("8a5c",), left_before=7, said="I like tea.", found=(NEW,), known=(FOUND,)
)
SOURCE_OF_FORGOTTEN = calls.ForgottenSource(run_id="run-1", execution="0c")


def memory_examples(when: dict[str, Any]) -> tuple[Contract, ...]:
    """Examples of all of it, with the events."""
    of: dict[str, Any] = {"collection": "people", "scope": "user:anna", "call_id": "call_1_0"}
    return (
        Agent(name="assistant", model="local/m", long_term=LONG_TERM),
        Team(name="desk", members=[Agent(name="a", model="local/m")], model="local/m", long_term=LONG_TERM),
        *(LONG_TERM, LongTerm(PEOPLE), PLACE, SOURCE, NEW, RECORD, PAST, FOUND, REPLACED, WRITTEN, SOURCE_OF_FORGOTTEN),
        calls.RecallCall(
            place=PLACE,
            query="Where do I live?",
            kinds=(MemoryKind.FACT,),
            limit=3,
            tokens=200,
            half_life=timedelta(days=7),
            now=AT,
            told=("7b",),
            known=12,
            extract=True,
            extract_kinds=(MemoryKind.FACT,),
            own_words=True,
            call_id="call_1_0",
        ),
        calls.Recalled(memories=(FOUND,), known=(FOUND,), of=2, found=(NEW,), problem="down", seconds=0.5, **USED),
        calls.WriteCall(place=PLACE, source=SOURCE, memories=(NEW,), as_said=True, note="by rules", call_id="call_1_0"),
        REMEMBERING,
        calls.WriteOutcome(id="8a5c", known=True, text="The user likes tea.", replaced=(REPLACED,), forgotten=True),
        calls.Remembered(outcomes=(calls.WriteOutcome(id="8a5c"),), **USED),
        calls.MemoryListCall(place=PLACE, kinds=(MemoryKind.FACT,), superseded=True, limit=10, after="8a5c"),
        calls.MemoryPage(memories=(RECORD,), cursor="8a5c"),
        calls.ForgetCall(place=PLACE, ids=("8a5c",), forget_id="3f", call_id="call_1_0"),
        calls.Forgotten(deleted=2, left=1, unknown=("7b",), sources=(SOURCE_OF_FORGOTTEN,), more_sources=3),
        memory_event.MemoryRecalled(
            **when, **of, query="Where?", memories=(FOUND,), of=2, seconds=0.5, attempt=2, problem="down", **USED
        ),
        memory_event.MemoryWritten(
            **when, **of, memories=(WRITTEN,), seconds=0.5, attempt=2, problem="down", note="x", **USED
        ),
        memory_event.MemoryForgotten(**when, **of, deleted=2, problem="down"),
    )
