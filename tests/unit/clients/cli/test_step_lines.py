"""One line per step, whatever the models and tools say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sostenuto import MemoryCompacted, Message, Role, Status, Usage
from sostenuto.clients.cli.step_lines import line
from sostenuto.clients.cli.terminal import harmless
from sostenuto.contracts.message import TextPart
from sostenuto.contracts.wire.event import (
    Event,
    FallbackUsed,
    MemberFinished,
    MemberStarted,
    ModelRequested,
    ModelResponded,
    RetrievalResponded,
    RouteChosen,
    RunFinished,
    RunStarted,
    ToolRequested,
    ToolResponded,
    ToolsFaulty,
)
from sostenuto.contracts.wire.mcp_call import ToolFault
from sostenuto.contracts.wire.memory.calls import RecalledMemory, ReplacedMemory
from sostenuto.contracts.wire.memory.memory_event import (
    MemoryForgotten,
    MemoryRecalled,
    MemoryWritten,
    WrittenMemory,
)

STAMP: dict[str, Any] = {"id": "e/1/0", "at": datetime(2026, 1, 1, tzinfo=UTC), "path": "agent"}
PLACED = {**STAMP, "path": "agent/law#2"}
ASKED = RunStarted(**STAMP, run_id="r1", runnable="agent", message=Message.user("How\nis  7?"))
REQUESTED = ModelRequested(**STAMP, turn=1, model="local/m")
CALLED = ToolRequested(**STAMP, turn=1, call_id="c", name="look", arguments={"at": "7", "n": 2})
CHOICE = Message(role=Role.ASSISTANT, parts=(TextPart(text='{"value": "happy"}'),))
ANSWERED = ModelResponded(
    **STAMP,
    turn=2,
    model="local/m",
    message=Message(role=Role.ASSISTANT, parts=(TextPart(text="x" * 300),)),
    usage=Usage(input_tokens=120, output_tokens=12),
    cost_usd=0.0123,
    attempt=2,
    seconds=1.234,
    prompt_hash="",
)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (ASKED, "▶ r1  agent: How is 7?"),
        (REQUESTED, None),
        (CALLED, '     → look(at="7", n=2)'),
        (ANSWERED, f"  2  local/m  1.23 s  120→12 tok  $0.0123  attempt 2  {'x' * 99}…"),
        (
            ANSWERED.model_copy(update={"usage": Usage(), "attempt": 1, "message": CHOICE, "cost_usd": None}),
            "  2  local/m  1.23 s  by meaning, without tokens  happy",
        ),
        (
            ANSWERED.model_copy(update={"usage": Usage(), "attempt": 1, "model": "acme/m", "message": CHOICE}),
            "  2  acme/m  1.23 s  tokens not told  $0.0123  happy",
        ),
        (
            ToolResponded(**STAMP, turn=1, call_id="c", name="look", content="fine\nand well", seconds=0.5),
            "     ↳ look  0.50 s  fine and well",
        ),
        (
            ToolResponded(**STAMP, turn=1, call_id="c", name="look", content="no", is_error=True, attempt=3, seconds=0),
            "     ✗ look  0.00 s  attempt 3  no",
        ),
        (
            ToolsFaulty(
                **STAMP,
                server="git",
                faults=(ToolFault(tool="a", problem="no", left_out=True), ToolFault(tool="b", problem="odd\n" * 99)),
            ),
            f"     ⚠ MCP server git: tool 'a' left out: no; tool 'b' repaired: {'odd ' * 64}o…",
        ),
        (
            FallbackUsed(**STAMP, turn=1, failed="a/x", model="b/y", reason="Overloaded: full"),
            "     ⚠ a/x failed, b/y takes over: Overloaded: full",
        ),
        (
            ANSWERED.model_copy(update={"summary": True, "attempt": 1, "message": Message.user("They\nwalked.")}),
            "     ≡ summary by local/m  1.23 s  120→12 tok  $0.0123  They walked.",
        ),
        (
            MemoryCompacted(**STAMP, turn=2, strategy="summary", before=4_120, after=1_890, messages=12),
            "     ✂ 12 messages left the prompt for a summary · about 4,120 → 1,890 tok",
        ),
        (
            MemoryCompacted(
                **STAMP, turn=2, strategy="clear_tools", before=4_120, after=1_890, cleared=("c",), note="a\nb"
            ),
            "     ✂ 1 tool result left the prompt · about 4,120 → 1,890 tok · a b",
        ),
        (
            RouteChosen(**STAMP, route="money", confidence=0.934, reason="it names\nan invoice", strategy="model"),
            "     ⇢ money  0.93  it names an invoice",
        ),
        (
            RouteChosen(**STAMP, route="", confidence=0, reason="nothing fits", strategy="rules"),
            "     ⇢ no route  0.00  nothing fits",
        ),
        (
            MemberStarted(**PLACED, member="law", run_id="r1/law", message=Message.user("Is it\nlegal?")),
            "▷ law#2: Is it legal?",
        ),
        (MemberStarted(**PLACED, member="law", run_id="r1/law"), "▷ law#2 takes over the conversation"),
        (
            MemberFinished(**PLACED, member="law", run_id="r1", status=Status.COMPLETED, transfer="tax", turns=1),
            "□ law#2 completed, handing over to tax  1 turn  0→0 tok",
        ),
        (
            MemberFinished(**PLACED, member="law", run_id="r1", status=Status.FAILED, reason="no credit", cost_usd=0.5),
            "□ law#2 failed: no credit  0 turns  0→0 tok  $0.5000",
        ),
        (
            RunFinished(**STAMP, status=Status.FAILED, reason="no credit", turns=2, usage=Usage(input_tokens=3)),
            "■ failed: no credit  2 turns  3→0 tok",
        ),
    ],
)
def test_each_event_has_its_line(event: Event, expected: str | None) -> None:
    assert line(event) == expected


@pytest.mark.parametrize("order", ["\x1b]0;title\x07", "\x1b[2J", "\x9b2J", "\r", "\u202e"])
def test_no_terminal_obeys_what_models_and_tools_say(order: str) -> None:
    said = f"a{order}b"
    lines = [
        line(ToolRequested(**STAMP, turn=1, call_id="c", name=said, arguments={"x": said})),
        line(ToolResponded(**STAMP, turn=1, call_id="c", name=said, content=said, seconds=0.1)),
        line(RunFinished(**STAMP, status=Status.REFUSED, reason=said)),
    ]
    assert not [shown for shown in lines if shown is None or set(shown) & {"\x1b", "\x07", "\x9b", "\r", "\u202e"}]
    assert "a\N{REPLACEMENT CHARACTER}" in harmless(said)
    assert harmless("two\n\tlines 👩\N{ZERO WIDTH JOINER}🔬") == "two\n\tlines 👩\N{ZERO WIDTH JOINER}🔬"


def test_a_search_says_what_it_cost_and_what_went_otherwise() -> None:
    found = RetrievalResponded(**STAMP, collection="handbook", query="how\nlong", searched=1_204, seconds=0.011)
    assert line(found) == "     ⌕ handbook  0 of 1,204  11 ms  how long"
    paid = found.model_copy(
        update={"usage": Usage(input_tokens=1_200), "cost_usd": 0.00002, "unpriced_calls": 1, "note": "not\nreranked"}
    )
    assert line(paid) == (
        "     ⌕ handbook  0 of 1,204  11 ms  1,200 tokens, under $0.0001, 1 of unknown price  how long  ⚠ not reranked"
    )


def test_what_is_remembered_has_a_line() -> None:
    of: dict[str, Any] = {**STAMP, "collection": "people", "scope": "user:anna"}
    found = RecalledMemory(id="1", kind="fact", text="The user lives in Rome.", at=STAMP["at"])
    recalled = MemoryRecalled(**of, query="Where?", memories=(found,), of=3)
    assert line(recalled) == "     ✎ recalled 1 of 3 memories of user:anna: The user lives in Rome."
    again = MemoryRecalled(**of, query="Where?", of=5)
    assert line(again) == "     ✎ nothing new to tell of 5 memories of user:anna"
    assert line(MemoryRecalled(**of, query="Where?")) == "     ✎ nothing is remembered of user:anna"
    down = MemoryRecalled(**of, query="Where?", problem="the store is down")
    assert line(down) == "     ⚠ nothing was recalled of user:anna: the store is down"
    past = ReplacedMemory(id="1", text="The user lives in Rome.")
    new = WrittenMemory(id="2", kind="fact", text="The user lives in Bonn.", replaced=(past,))
    known = WrittenMemory(id="3", kind="fact", text="The user likes tea.", known=True)
    assert line(MemoryWritten(**of, memories=(new, known))) == (
        "     ✎ user:anna: remembered: The user lives in Bonn. (in place of: The user lives in Rome.); "
        "The user likes tea. (known)"
    )
    assert line(MemoryForgotten(**of, deleted=2)) == "     ✎ 2 memories of user:anna deleted"
