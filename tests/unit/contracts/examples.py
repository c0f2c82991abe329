"""Examples of each contract, in one or another of which each field has another value than its default."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic_core import to_jsonable_python

import sostenuto.contracts
from sostenuto import Approval, Effect, FilePart, ImagePart, Message, Role, Status, TextPart, Usage
from sostenuto.contracts import mcp
from sostenuto.contracts.collection.citation import Attribution
from sostenuto.contracts.contract import Contract, Spec
from sostenuto.contracts.guardrails.guardrail import Guardrail
from sostenuto.contracts.message import CitationPart, OpaquePart, PartRef, ReasoningPart, ToolCallPart, ToolResultPart
from sostenuto.contracts.model import Head
from sostenuto.contracts.provider_tool import ProviderTool
from sostenuto.contracts.specs.answerer import Answerer
from sostenuto.contracts.specs.node import Node
from sostenuto.contracts.tool import ToolDefinition
from sostenuto.contracts.wire import event, live, mcp_call, route_call, run, totals
from sostenuto.contracts.wire.event_base import EventBase
from sostenuto.contracts.wire.feedback import score
from sostenuto.contracts.wire.model_call import ModelCall, ModelReply, StopReason
from sostenuto.contracts.wire.tool_call import ToolInvocation, ToolOutput
from sostenuto.contracts.wire.totals import Charged, Staged
from sostenuto.contracts.wire.transcript import TranscriptPage, TranscriptQuery
from tests.unit.contracts.budget_examples import budget_examples
from tests.unit.contracts.chat_examples import chat_examples
from tests.unit.contracts.compaction_examples import compaction_examples
from tests.unit.contracts.control_examples import control_examples
from tests.unit.contracts.guardrail_examples import guardrail_examples
from tests.unit.contracts.knowledge_examples import CITATION_OF_A_CLAIM, KNOWLEDGE, PASSAGE, SCORES, STAGE
from tests.unit.contracts.memory_examples import REMEMBERING, memory_examples
from tests.unit.contracts.spec_examples import AGENT, DIGEST, MODEL, PROVIDER_TOOLS, RULE, SCHEMA, SPECS

USAGE = Usage(
    input_tokens=100, cached_tokens=40, cache_write_tokens=30, output_tokens=20, reasoning_tokens=10, web_searches=2
)
IMAGE = ImagePart(media_type="image/png", data="iVBORw0=")
FILE = FilePart(media_type="application/pdf", url="https://example.com/a.pdf", name="a.pdf")
CALL = ToolCallPart(id="call_1_0", name="look", arguments={"at": ["ä", 1, None]}, malformed="{")
RESULT = ToolResultPart(call_id="call_1_0", name="look", content="a cat", attachments=(IMAGE, FILE), is_error=True)
REASONING = ReasoningPart(provider="anthropic", text="hm", data={"signature": "c2ln"})
OPAQUE = OpaquePart(provider="openai", data={"encrypted": "eA=="}, tool="web_search")
CITATION = CitationPart(provider="openai", data={"url": "https://example.com", "title": "An example"})
REF = PartRef(message=3, part=1, call_id="call_1_0", digest="0123456789abcdef")
SEARCH_REF = PartRef(message=3, part=2, search_id="desk/found:search", digest="0123456789abcdef")
USER = Message(role=Role.USER, parts=(TextPart(text="Hello 🎹"), IMAGE, FILE, REF))
ASSISTANT = Message(role=Role.ASSISTANT, parts=(REASONING, OPAQUE, TextPart(text="Well."), CITATION, CALL))
ANSWER = Message(role=Role.TOOL, parts=(RESULT,))
DEFINITION = ToolDefinition(name="look", description="Look.", parameters={"type": "object"})
HEAD = Head(
    agent="support",
    instructions="Be kind.",
    model=MODEL,
    tools=(DEFINITION,),
    provider_tools=PROVIDER_TOOLS,
    output=SCHEMA,
    validators=("no_prices",),
    parallel_tool_calls=False,
)
TOTALS = totals.Totals(usage=USAGE, cost_usd=0.25, unpriced_calls=1)
REJECTED = run.Rejected(text="Olso", reasons=("name: no such city",))
STEP = run.StepResult(status=Status.EXHAUSTED, output={"draft": "so far"}, reason="enough", rejected=(REJECTED,))
FOUND = run.StepResult(status=Status.COMPLETED, passages=("6dc28a082f",))
CONTINUES = run.Continuation(run_id="desk/billing", path="desk/members/billing", passages=True)
TRANSFER = ToolDefinition(name="transfer_to_billing", description="Hand over.", parameters={"type": "object"})
FAULT = mcp_call.ToolFault(tool="blame", problem="its inputSchema is a list, not an object", left_out=True)
MCP_TOOL = mcp.McpTool(
    name="git_log",
    description="Commits.",
    parameters={"type": "object"},
    effect=Effect.READ,
    fast=True,
    timeout=timedelta(seconds=3),
    retries=2,
    server="git",
    tool="log",
    approval=True,
)
OPTION = route_call.RouteOption(
    name="billing",
    description="Invoices and refunds.",
    examples=("Where is my money?",),
    when=RULE,
    max_difficulty=0.5,
    max_tokens=1000,
    model="anthropic/claude",
)
SCORE = score.Score(
    name="helpful",
    value="very",
    comment="On point.",
    by="anna",
    turn="m1",
    at=datetime(2026, 11, 29, 20, 0, tzinfo=UTC),
    sent={"langfuse": "sent"},
)
SCORED = score.ScoreInput(score=SCORE, run_id="run-1", first_execution="0c", caller=f"00-{'ab' * 16}-{'cd' * 8}-01")
WHERE: dict[str, Any] = {"path": "support/billing", "position": "x/5/0~W10"}
WHEN = {
    "id": "0c/12/0",
    "at": datetime(2026, 11, 22, 20, 0, tzinfo=UTC),
    "path": "support",
    "cursor": "0c/12/0;1d/4/0",
}

EXAMPLES: tuple[Contract, ...] = (
    *(USAGE, IMAGE, FILE, CALL, RESULT, REASONING, OPAQUE, CITATION, REF, TextPart(text="Hello"), ASSISTANT),
    *(ImagePart(media_type="image/png", url="https://example.com/a.png"), FilePart(media_type="text/csv", data="YSxi")),
    *(*SPECS, DEFINITION, HEAD, TOTALS, STEP, REJECTED, CONTINUES, MCP_TOOL, OPTION),
    ToolInvocation(call_id="call_1_0", reply="9b7e0c1d2f3a4b5c", arguments={"at": "cat"}, context=True),
    ToolOutput(content="a cat", attachments=(IMAGE, FILE), incomplete="The result has 3,000,000 bytes"),
    ModelCall(
        transcript="support",
        without=("seed",),
        context=True,
        tool_choice="required",
        turn=2,
        model="openai/gpt",
        choice=1,
        base=3,
        after="r1",
        tail=(USER, ANSWER),
        head=HEAD,
        room=4,
        keep=True,
    ),
    ModelReply(
        id="r1",
        without=("parallel_tool_calls",),
        message=ASSISTANT,
        model="openai/gpt-5",
        usage=USAGE,
        cost_usd=0.125,
        stop=StopReason.TOOL_CALLS,
        prompt_hash="ab" * 32,
        output_errors=("people: too many",),
        note="an unknown stop reason",
        room=4,
        final=True,
        request_id="req_1",
    ),
    ModelReply(
        id="r2",
        message=ASSISTANT,
        model="local/smollm2-135m",
        prompt_hash="cd" * 32,
        attribution=Attribution.SIMILARITY,
    ),
    TranscriptQuery(transcript="support", start=1, stop=3, with_passages=True, max_bytes=1000),
    TranscriptPage(head=HEAD, messages=(USER, ASSISTANT), passages=(PASSAGE,)),
    SEARCH_REF,
    mcp_call.McpCatalogueCall(server="git", context=True),
    FAULT,
    mcp_call.McpCatalogue(server="git", tools=(MCP_TOOL,), digest=DIGEST, faults=(FAULT,)),
    mcp_call.McpInvocation(
        call_id="call_1_0",
        reply="9b7e0c1d2f3a4b5c",
        arguments={"at": "cat"},
        server="git",
        tool="log",
        name="git_log",
        context=True,
        effect=Effect.READ,
    ),
    route_call.RouteCall(strategy="model", text="Hi.", options=(OPTION,), unanswered="failed: no key"),
    route_call.RouteCall(
        strategy="model",
        text="Where is my money?",
        options=(OPTION,),
        threshold=0.5,
        default="billing",
        answer={"route": "billing"},
    ),
    route_call.RouteChoice(route="billing", confidence=0.75, reason="It is about money.", strategy="model"),
    run.Carried(
        messages=(USER, ASSISTANT, ANSWER),
        without=("seed",),
        tool_choice="required",
        after="r1",
        turns=1,
        totals=TOTALS,
        choice=1,
        room=4,
        repairs=1,
        repeats=2,
        mcp=(MCP_TOOL,),
        nested_turns=4,
        places={"billing": 2},
        rejected=(REJECTED,),
    ),
    run.RunInput(
        runnable=AGENT,
        message=USER,
        carried=run.Carried(messages=(USER,), after="", turns=0, totals=TOTALS),
        path="desk/members/support",
        call_id="call_1_0",
        continues=CONTINUES,
        transfers=(TRANSFER,),
        offload=True,
        compact=True,
    ),
    run.Result(
        status=Status.EXHAUSTED,
        output={"name": "Oslo"},
        reason="enough",
        turns=3,
        usage=USAGE,
        cost_usd=0.25,
        unpriced_calls=1,
        steps={"extract": STEP},
        rejected=(REJECTED,),
        transfer="billing",
        untold=(RESULT,),
        messages=(USER, ASSISTANT),
    ),
    ToolResultPart(call_id="call_1_0", name="find", content="<passage …>", passages=3),
    run.Carried(messages=(USER,), after="r1", turns=1, totals=TOTALS, passages=(PASSAGE,)),
    run.Carried(messages=(USER,), after="r1", turns=1, totals=TOTALS, remembering=REMEMBERING),
    run.Result(status=Status.COMPLETED, output={"answer": "Flat.", "claims": []}, citations=(CITATION_OF_A_CLAIM,)),
    run.Result(status=Status.COMPLETED, output="<passage …>", passages=("6dc28a082f",), steps={"found": FOUND}),
    FOUND,
    run.RunInput(runnable=AGENT, message=USER, before=(USER,), leaves_memo=True, passages=(PASSAGE,)),
    *KNOWLEDGE,
    *guardrail_examples(),
    event.RetrievedPassage(id="6dc28a082f", source="file:///docs/probe.md", page=2, scores=SCORES),
    event.RetrievalResponded(
        **WHEN,
        collection="handbook",
        query="How is it stored?",
        queries=("Where is it kept?",),
        hypothetical="It is kept in a box.",
        call_id="call_1_0",
        passages=(event.RetrievedPassage(id="6dc28a082f", source="file:///docs/probe.md"),),
        searched=1_204,
        step=3,
        attempt=2,
        seconds=0.011,
        usage=USAGE,
        cost_usd=0.25,
        unpriced_calls=1,
        stages=(STAGE,),
        note="not reranked",
    ),
    event.DocumentIngested(
        **WHEN,
        step="document-3",
        uri="file:///docs/probe.md",
        passages=3,
        characters=1_000,
        attempt=2,
        seconds=1.5,
        waited_seconds=0.25,
        usage=USAGE,
        cost_usd=0.25,
        unpriced_calls=1,
        stages=(STAGE,),
    ),
    event.DocumentFailed(
        **WHEN,
        step="document-4",
        uri="file:///docs/a.pdf",
        reason="it is protected by a password",
        seconds=0.5,
        attempt=16,
        waited_seconds=0.25,
        usage=USAGE,
        cost_usd=0.25,
        unpriced_calls=1,
    ),
    event.RunStarted(**WHEN, run_id="run-1", runnable="support", runnable_kind="agent", message=USER),
    event.ModelRequested(**WHEN, turn=1, model="openai/gpt"),
    event.ModelResponded(
        **WHEN,
        turn=1,
        model="openai/gpt-5",
        without=("parallel_tool_calls",),
        message=ASSISTANT,
        usage=USAGE,
        cost_usd=0.125,
        attempt=2,
        seconds=1.5,
        waited_seconds=0.25,
        prompt_hash="ab" * 32,
        stop=StopReason.TOOL_CALLS,
    ),
    event.ToolRequested(**WHEN, turn=1, call_id="call_1_0", name="look", arguments={"at": "cat"}),
    event.ToolResponded(
        **WHEN,
        turn=1,
        call_id="call_1_0",
        name="look",
        content="a cat",
        is_error=True,
        attempt=2,
        seconds=0.5,
        waited_seconds=0.25,
    ),
    event.RunStalled(**WHEN, reason="ValueError: boom", where="shop.py:10", fits=False, unserved=True),
    event.ToolsFaulty(**WHEN, server="git", faults=(FAULT,)),
    event.FallbackUsed(**WHEN, turn=1, failed="anthropic/claude", model="openai/gpt", reason="QuotaExceeded"),
    event.RouteChosen(**WHEN, route="billing", confidence=0.75, reason="It is about money.", strategy="embedding"),
    event.MemberStarted(
        **WHEN, member="billing", runnable_kind="agent", run_id="run-1/billing", call_id="call_1", message=USER
    ),
    event.MemberFinished(
        **WHEN,
        member="billing",
        run_id="run-1/billing",
        status=Status.FAILED,
        output="so far",
        reason="broke",
        transfer="technical",
        turns=3,
        usage=USAGE,
        cost_usd=0.25,
    ),
    event.RunFinished(
        **WHEN, status=Status.FAILED, output="so far", reason="broke", turns=3, usage=USAGE, cost_usd=0.25
    ),
    live.Frame(
        run_id="run-1/billing",
        activity="support/billing:turn-1",
        attempt=2,
        number=3,
        kind="text",
        text="{",
        tool="look",
        index=1,
        structured=True,
        done=1.0,
        total=3.0,
    ),
    live.Token(**WHERE, text="It ", kind="reasoning"),
    live.Retract(**WHERE),
    live.Partial(**WHERE, value=["Ro"], tool="look", index=1),
    live.Progress(**WHERE, text="looking", call_id="call_1_0", done=1.0, total=3.0),
    *chat_examples(WHEN),
    SCORE,
    SCORED,
    score.ScoreCall(to="langfuse", given=SCORED),
    *budget_examples(WHEN),
    *memory_examples(WHEN),
    *control_examples(WHEN),
    *compaction_examples(WHEN),
    MCP_TOOL.model_copy(update={"asks": Approval(group="ops"), "reconciles": True}),
    mcp_call.McpInvocation(
        call_id="call_1_0", reply="r1", server="git", tool="log", name="git_log", permitted=True, edited=True
    ),
)

KINDS = {type(example).__name__: type(example) for example in EXAMPLES}


def _by_name() -> Iterator[tuple[str, Contract]]:
    """A name for each example: its contract's, and a number from the second on."""
    seen: Counter[str] = Counter()
    for example in EXAMPLES:
        kind = type(example).__name__
        seen[kind] += 1
        yield (kind if seen[kind] == 1 else f"{kind}-{seen[kind]}"), example


BY_NAME = dict(_by_name())


def contracts() -> set[type[Contract]]:
    """Every contract that there is, by reflection."""
    for module in pkgutil.walk_packages(sostenuto.contracts.__path__, "sostenuto.contracts."):
        importlib.import_module(module.name)
    return {
        found
        for found in _subclasses(Contract)
        if found.__module__.startswith("sostenuto.contracts.")
        and found not in {Spec, Node, Answerer, Guardrail, ProviderTool, Charged, Staged, EventBase}
        and found.__name__[0] != "_"
    }


def _subclasses(parent: type[Contract]) -> Iterator[type[Contract]]:
    for child in parent.__subclasses__():
        yield child
        yield from _subclasses(child)


def defaults(kind: type[Contract]) -> dict[str, Any]:
    """The default of each field that has one, as JSON."""
    fields = {name: field.get_default() for name, field in kind.model_fields.items() if not field.is_required()}
    return {name: to_jsonable_python(value) for name, value in fields.items()}
