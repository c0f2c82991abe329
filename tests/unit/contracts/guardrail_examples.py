"""Examples of guardrails, and of what crosses the wire of them."""

from __future__ import annotations

from typing import Any

from sostenuto import Chain, Parallel, Prompt, Retrieve, Router, Team
from sostenuto.contracts.collection.collection import Collection
from sostenuto.contracts.contract import Contract
from sostenuto.contracts.guardrails.by_model import Judge, Moderation
from sostenuto.contracts.guardrails.custom import Custom
from sostenuto.contracts.guardrails.guardrail import JudgedStage
from sostenuto.contracts.guardrails.injection import Injection
from sostenuto.contracts.guardrails.redacting import Pii, Secrets
from sostenuto.contracts.guardrails.rules import Rules
from sostenuto.contracts.guardrails.schema import Schema
from sostenuto.contracts.head import Head
from sostenuto.contracts.mcp import McpTool
from sostenuto.contracts.message import Message, Role, TextPart
from sostenuto.contracts.model import Model
from sostenuto.contracts.specs.agent import Agent
from sostenuto.contracts.tool import ToolSpec
from sostenuto.contracts.wire.chats import chat
from sostenuto.contracts.wire.guardrails import decision, guard_call, guardrail_event
from sostenuto.contracts.wire.mcp_call import McpInvocation
from sostenuto.contracts.wire.model_call import ModelReply
from sostenuto.contracts.wire.retrieval import RetrievalCall, Retrieved
from sostenuto.contracts.wire.run import Carried, Result, RunInput, Status
from sostenuto.contracts.wire.tool_call import ToolInvocation, ToolOutput
from sostenuto.contracts.wire.totals import Totals

PII = Pii(
    kinds=["email", "card"],
    allowed=["help@example.com"],
    reversible=False,
    at=["input", "output"],
    on_failure="block",
    on_error="open",
    name="people",
)
SECRETS = Secrets(reversible=True, at=["tool_result"], on_failure="flag", on_error="closed", name="keys")
INJECTION = Injection(
    taint=True, trusted=["orders"], at=["passages"], on_failure="redact", on_error="open", name="orders"
)
JUDGE = Judge(
    "openai/gpt", "No promises.", at=["input", "output"], on_failure="escalate", on_error="open", name="promises"
)
CUSTOM = Custom("no_prices", at=["tool_call"], on_failure="retry", on_error="open", name="prices")
MODERATION = Moderation(
    "openai/omni", categories=["violence"], at=["input"], on_failure="flag", on_error="open", name="harm"
)
RULES = Rules(
    name="house rules",
    at=["output", "tool_result"],
    on_failure="redact",
    on_error="closed",
    deny=[r"\bguarantee"],
    allow=["(?s).*"],
    max_chars=4_000,
    min_chars=2,
    languages=["en", "de"],
    urls=["*.example.com", "example.org/docs"],
)
SCHEMA = Schema(
    name="order",
    at="tool_call",
    on_failure="block",
    on_error="open",
    schema={"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
)
DECISION = decision.GuardrailDecision(
    guardrail="pii",
    stage="tool_call",
    verdict=decision.Verdict.REDACTED,
    reason="2 emails",
    call_id="call_1_0",
    failed=True,
    ms=1.25,
)
SEALED = {"<EMAIL_K7QM2XPD>": "v1.k1.AAAA"}
LOOKED: dict[str, Any] = {"decisions": (DECISION,), "sealed": SEALED}
SCREENED = chat.Screened(**LOOKED)
AGENT = Agent(name="desk", model="openai/gpt", guardrails=[PII])
_GUARDED: dict[str, Any] = {"guardrails": [PII]}
_PROMPT = Prompt(name="title", template="{input}", model="openai/gpt", **_GUARDED)
RUNNABLES: tuple[Contract, ...] = (
    _PROMPT,
    Retrieve("found", Collection("tea"), **_GUARDED),
    Chain(name="steps", steps=[_PROMPT], **_GUARDED),
    Parallel(name="both", branches=[_PROMPT, AGENT], **_GUARDED),
    Router(name="door", routes=[AGENT], model="openai/gpt", **_GUARDED),
    Team(name="team", members=[AGENT], model="openai/gpt", **_GUARDED),
)
ASKED = Message.user("Write to <EMAIL_K7QM2XPD>")
SAID = Message(role=Role.ASSISTANT, parts=(TextPart(text="Done."),))


def guardrail_examples(when: dict[str, Any]) -> tuple[Contract, ...]:
    """Return the examples.

    Args:
        when: What every event has.
    """
    return (
        *(PII, SECRETS, INJECTION, JUDGE, MODERATION, CUSTOM, RULES, SCHEMA, DECISION, SCREENED, AGENT, *RUNNABLES),
        McpTool(name="write", parameters={}, server="mail", tool="write", pii=True, guardrails=(SECRETS,)),
        McpInvocation(
            call_id="call_1_0", reply="r1", server="mail", tool="write", name="write", guardrails=(PII,), sealed=SEALED
        ),
        decision.GuardedFailure(**LOOKED),
        Head(agent="desk", model=Model("openai/gpt"), guardrails=(PII,)),
        ToolSpec(name="write", parameters={}, pii=True, guardrails=(SECRETS,)),
        ModelReply(id="r1", message=SAID, model="openai/gpt", prompt_hash="00", **LOOKED),
        ToolInvocation(call_id="call_1_0", reply="r1", guardrails=(PII,), sealed=SEALED),
        ToolOutput(content="done", **LOOKED),
        RetrievalCall(collection=Collection("tea"), query="tea", limit=3, guardrails=(INJECTION,)),
        Retrieved(**LOOKED),
        Carried(messages=(ASKED,), after="r1", turns=1, totals=Totals(), sealed=SEALED, tainted=True),
        RunInput(runnable=AGENT, message=ASKED, guardrails=(SECRETS,), tainted=True, screened=True, **LOOKED),
        guard_call.GuardCall(message=ASKED, guardrails=(PII,), stage="input", judged=True),
        guard_call.ModerationCall(text="Hello", guardrail=MODERATION, stage="input"),
        guard_call.Guarded(message=ASKED, **LOOKED),
        Head(agent="promises", model=Model("openai/gpt"), judges=JudgedStage(stage="input", on_failure="block")),
        JudgedStage(stage="input", on_failure="block"),
        Result(status=Status.COMPLETED, output="<EMAIL_K7QM2XPD>", sealed=SEALED, tainted=True),
        chat.ChatInput(runnable=AGENT, guardrails=(PII,), sealed=SEALED),
        chat.SentMessage(role=Role.USER, parts=ASKED.parts, pinned=True, screened=SCREENED),
        chat.Asked(id="m1", message=ASKED, screened=SCREENED),
        guardrail_event.GuardrailDecided(**when, **DECISION.model_dump(), cost_usd=0.25),
    )
