"""Traces that are made for the page: a long one, one of everything, and one whose texts mean harm."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sostenuto import Message, Model, Role, TextPart, Usage
from sostenuto.contracts.head import Head
from sostenuto.contracts.message import ImagePart, ReasoningPart, ToolCallPart, ToolResultPart
from sostenuto.contracts.tool import ToolDefinition
from sostenuto.history.trace.shares import shares_of
from sostenuto.history.trace.step import Trace, TraceStep

BEGIN = datetime(2026, 11, 29, 9, 30, tzinfo=UTC)
PICTURE = ImagePart(
    media_type="image/png",
    data="iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
)
HOSTILE = (
    "</script><script>document.title='harm'</script>",
    "<img src=x onerror=\"document.title='harm'\">",
    "<!--<script>",
    "]]>--></style>{{script}}",
    "\u2028\u2029\x00\x07\ufeff \ud800 \udfff",
    "javascript:document.title='harm'",
    "\u202egnp.exe",
)


def step(
    kind: Any, name: str, begin: float, seconds: float | None = 1.0, path: str = "desk", **fields: Any
) -> TraceStep:
    """A step that begins so many seconds after the run."""
    made = {"id": f"{path}-{kind}-{begin}", "status": "" if seconds is None else "completed", "path": path}
    fields = {**made, "seconds": seconds, **fields}
    return TraceStep(kind=kind, name=name, started_at=BEGIN + timedelta(seconds=begin), **fields)


def trace_of(run: TraceStep) -> Trace:
    return Trace(run=run, shares=shares_of(run))


def told(call_id: str, text: str, **fields: Any) -> Message:
    """What a model is told of a tool's result."""
    return Message(role=Role.TOOL, parts=(ToolResultPart(call_id=call_id, name="look_up", content=text, **fields),))


def asks(call_id: str, **arguments: Any) -> Message:
    """What a model said that asks for a tool."""
    return Message(role=Role.ASSISTANT, parts=(ToolCallPart(id=call_id, name="look_up", arguments=arguments),))


def long_run(turns: int) -> Trace:
    """An agent that calls a tool in each of so many turns, every twelfth of which fails."""
    return trace_of(
        step(
            *("run", "desk", 0, turns * 1.0),
            run_id="long",
            asked="Go through all orders.",
            answered="All done.",
            turns=turns,
            usage=Usage(input_tokens=900 * turns, output_tokens=60 * turns),
            cost_usd=0.002 * turns,
            steps=tuple(_turns(turns)),
        )
    )


def _turns(turns: int) -> Iterator[TraceStep]:
    for turn in range(1, turns + 1):
        at, failed = turn - 1.0, turn % 12 == 0
        news = (asks(f"c{turn - 1}", order=turn - 1), told(f"c{turn - 1}", _result(turn - 1)))
        yield step(
            *("model", "anthropic/claude-sonnet-5-5", at, 0.6),
            turn=turn,
            waited_seconds=0.05,
            told=(Message.user("Go through all orders."),) if turn == 1 else news,
            messages=2 * turn - 1,
            head=Head(agent="desk", instructions="Be brief.", model=Model("a/b")) if turn == 1 else None,
            prompt_hash="ab" * 32,
            proven=True,
            turns=1,
            usage=Usage(input_tokens=900 + turn, output_tokens=60, cached_tokens=800),
            cost_usd=0.002,
        )
        yield step(
            *("tool", "look_up", at + 0.6, 0.2 + turn % 3 / 10),
            turn=turn,
            asked={"order": turn},
            answered="no such order" if failed else _result(turn),
            status="failed" if failed else "completed",
        )


def _result(turn: int) -> str:
    return json.dumps({"order": turn, "state": "sent", "note": "Lorem ipsum dolor sit amet. " * 20})


def hostile_run() -> Trace:
    """Every text of it is one that would be a script, a tag or half a character."""
    texts = [*HOSTILE, "".join(HOSTILE)]
    inner = [
        step(
            *("model", text, number, 1.0),
            asked=None,
            turn=number + 1,
            reason=text,
            answered=text,
            told=(Message(role=Role.USER, parts=(TextPart.model_construct(kind="text", text=text),)),),
            messages=number + 1,
            proven=False,
            prompt_hash=text,
        ).model_copy(update={"name": text, "path": f"desk/{text}"})
        for number, text in enumerate(HOSTILE[:4])
    ]
    tools = [
        step("tool", "t", 4 + number, 1.0, turn=1).model_copy(
            update={"name": text, "asked": {text: text}, "answered": text, "reason": text}
        )
        for number, text in enumerate(texts)
    ]
    root = step("run", "r", 0, 20.0).model_copy(
        update={"name": "".join(HOSTILE), "run_id": "".join(HOSTILE), "steps": (*inner, *tools), "answered": texts}
    )
    return trace_of(root)


def whole_run() -> Trace:
    """A run with a fallback, an attempt, a nested run, a search, a route, a notice, and a call under way."""
    passages = [
        {
            "id": f"p{n}",
            "source": "file:///handbook/refunds.md",
            "page": n,
            "scores": {"dense": 0.9 - n / 9, "fused": 0.5},
        }
        for n in range(1, 4)
    ]
    thinking = ReasoningPart(provider="anthropic", text="The customer asks for a refund.")
    answer = Message(role=Role.ASSISTANT, parts=(thinking, ToolCallPart(id="c1", name="search_handbook", arguments={})))
    tool = ToolDefinition(name="search_handbook", description="Search the handbook.", parameters={"type": "object"})
    head = Head(agent="clerk", instructions="You answer customers.\nBe kind.", model=Model("a/b"), tools=(tool,))
    small = Usage(input_tokens=1840, output_tokens=96, cached_tokens=1200, reasoning_tokens=40)
    clerk = (
        step(
            "model",
            "openai/gpt-5.4",
            0.5,
            1.2,
            "desk/clerk",
            turn=1,
            status="failed",
            reason="QuotaExceeded: no credit",
        ),
        step(
            *("model", "anthropic/claude-sonnet-5-5", 1.7, 4.1, "desk/clerk"),
            turn=1,
            attempt=2,
            waited_seconds=1.6,
            head=head,
            told=(Message.user(["Where is order 7, and can I have my money back?", PICTURE]),),
            messages=1,
            proven=True,
            prompt_hash="3f9a" * 16,
            turns=1,
            usage=small,
            cost_usd=0.0123,
        ),
        step(
            *("tool", "search_handbook", 5.8, 0.9, "desk/clerk"),
            turn=1,
            waited_seconds=0.2,
            person_seconds=0.15,
            undoes="desk/clerk:call_0",
            asked={"query": "refund of a late order", "order": 9007199254740993},
            answered='{"passages": [{"id": "p1", "text": "Late orders are refunded."}], "found": 3}',
            steps=(
                step(
                    *("retrieval", "handbook", 6.0, 0.6, "desk/clerk"),
                    asked="refund of a late order",
                    answered=passages,
                    reason="nothing was reranked: the reranker is away",
                ),
            ),
        ),
        step(
            *("model", "anthropic/claude-sonnet-5-5", 6.8, 3.0, "desk/clerk"),
            turn=2,
            told=(answer, told("c1", '{"passages": [{"id": "p1"}], "found": 3}')),
            messages=3,
            proven=True,
            prompt_hash="77aa" * 16,
            answered="Order 7 left on Monday. You have your money back.",
            turns=1,
            usage=small,
            cost_usd=0.0098,
        ),
    )
    return trace_of(
        step(
            *("run", "desk", 0, None),
            run_id="ticket-812",
            asked="Where is order 7, and can I have my money back?",
            steps=(
                step(
                    "route", "clerk", 0.1, 0.0, asked="rules", answered=1.0, reason="the rule of 'clerk' holds: it asks"
                ),
                step("notice", "MCP server shop", 0.2, 0.0, reason="2 tools were left out"),
                step(
                    *("run", "clerk", 0.4, 9.5, "desk/clerk"),
                    run_id="ticket-812/clerk",
                    turns=2,
                    usage=small + small,
                    cost_usd=0.0221,
                    answered="Order 7 left on Monday. You have your money back.",
                    steps=clerk,
                ),
                step(
                    "run",
                    "auditor",
                    10.0,
                    2.0,
                    "desk/auditor",
                    run_id="ticket-812/auditor",
                    untold="it is past the retention",
                ),
                step("model", "anthropic/claude-haiku-5", 12.1, None, "desk/last", turn=1),
            ),
        )
    )
