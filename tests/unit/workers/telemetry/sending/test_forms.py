"""Each tool reads a span in its own form: kinds, messages with tool calls, tokens, cost, sessions and failures."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from sostenuto import Message
from sostenuto.connection.tracing import SpanAddress
from sostenuto.contracts.control.usage import Usage
from sostenuto.contracts.message import ReasoningPart, Role, TextPart, ToolCallPart
from sostenuto.contracts.wire.event import RetrievedPassage, RouteChosen, RunStalled
from sostenuto.contracts.wire.run import Status
from sostenuto.workers.telemetry.disclosure import Disclosure
from sostenuto.workers.telemetry.sending.forms import langfuse_form, langsmith_form, openinference_form
from sostenuto.workers.telemetry.span import StepSpan
from tests.fakes.step_spans import (
    ABOUT,
    failed_model_span,
    made,
    model_span,
    result,
    retrieval_span,
    run_span,
    saying,
    sent,
    tool_span,
)

ON, OFF = Disclosure("on"), Disclosure()
CALL = ToolCallPart(id="call_1_0", name="look", arguments={"at": "sea"})
TALK = sent(Message.user("Hello"), saying("I look.", CALL), result("call_1_0", "calm"), instructions="Be kind.")
CHAT = model_span(ON, TALK, saying("Calm."))
ASKING = model_span(ON, sent(Message.user("Hello")), saying("", CALL))
WORKFLOW = replace(ABOUT, runnable="flow", runnable_kind="chain")


@pytest.mark.parametrize(
    ("span", "kinds"),
    [
        (CHAT, ("LLM", "generation", "llm")),
        (tool_span(ON), ("TOOL", "tool", "tool")),
        (retrieval_span(ON), ("RETRIEVER", "retriever", "retriever")),
        (run_span(ON), ("AGENT", "agent", "chain")),
        (run_span(ON, about=WORKFLOW), ("CHAIN", "chain", "chain")),
        (made(ON, "route", RouteChosen, name="sales"), ("CHAIN", "span", "chain")),
        (made(ON, "notice", RunStalled), ("CHAIN", "event", "chain")),
    ],
)
def test_kinds(span: StepSpan, kinds: tuple[str, str, str]) -> None:
    assert openinference_form(span)["openinference.span.kind"] == kinds[0]
    assert langfuse_form(span)["langfuse.observation.type"] == kinds[1]
    assert langsmith_form(span)["langsmith.span.kind"] == kinds[2]


def test_phoenix_is_told_what_it_does_not_read_itself() -> None:
    form = openinference_form(CHAT)
    assert {name: form[name] for name in form if name.startswith(("llm.", "input.", "output."))} == {
        "llm.model_name": "gpt-x-1",
        "llm.token_count.prompt": 100,
        "llm.token_count.completion": 20,
        "llm.token_count.prompt_details.cache_read": 40,
        "llm.token_count.prompt_details.cache_write": 10,
        "llm.token_count.completion_details.reasoning": 5,
        "llm.cost.total": 0.25,
        "input.value": "calm",
        "input.mime_type": "text/plain",
        "output.value": "Calm.",
        "output.mime_type": "text/plain",
    }
    tool = openinference_form(tool_span(ON, asked={"at": "sea"}, answered='{"is":"calm"}'))
    assert (tool["tool.name"], tool["tool.parameters"]) == ("look", '{"at":"sea"}')
    assert (tool["input.mime_type"], tool["output.mime_type"]) == ("application/json", "application/json")
    assert openinference_form(tool_span(ON, answered="[sic]"))["output.mime_type"] == "text/plain"
    assert openinference_form(run_span(ON))["agent.name"] == "clerk"


def test_phoenix_is_told_what_was_found() -> None:
    passage = RetrievedPassage(id="p1", source="file:///a.md", scores={"dense": 0.5})
    told = openinference_form(retrieval_span(ON, passages=(passage,)))
    untold = openinference_form(retrieval_span(OFF, passages=(passage,)))
    document = "retrieval.documents.0.document"
    assert told[f"{document}.metadata"] == '{"source": "file:///a.md"}'
    assert {name: untold[name] for name in untold if name.startswith(document)} == {
        f"{document}.id": "p1",
        f"{document}.score": 0.5,
    }


def test_langfuse_is_told_instructions_tokens_and_cost() -> None:
    form = langfuse_form(CHAT)
    asked = json.loads(str(form["langfuse.observation.input"]))
    assert [message["role"] for message in asked] == ["system", "user", "assistant", "tool"]
    assert asked == json.loads(str(langsmith_form(CHAT)["gen_ai.input.messages"]))
    assert json.loads(str(form["langfuse.observation.output"])) == [{"role": "assistant", "content": "Calm."}]
    usage = json.loads(str(form["langfuse.observation.usage_details"]))
    assert usage == {
        "input": 50,
        "input_cached_tokens": 40,
        "input_cache_creation": 10,
        "output": 15,
        "output_reasoning_tokens": 5,
        "total": 120,
    }
    assert sum(count for name, count in usage.items() if name != "total") == usage["total"]
    assert json.loads(str(form["langfuse.observation.cost_details"])) == {"total": 0.25}
    metadata = {name: form[name] for name in form if name.startswith("langfuse.observation.metadata.")}
    assert metadata["langfuse.observation.metadata.prompt_hash"] == "f00d"
    assert metadata["langfuse.observation.metadata.run_id"] == "run-1"
    silent = langfuse_form(model_span(ON, TALK, saying("Calm."), usage=Usage(), cost_usd=None))
    assert "langfuse.observation.cost_details" not in silent


def test_langfuse_is_told_of_a_trace_where_it_begins() -> None:
    run = run_span(ON, asked="Hello", answered="Calm.")
    trace = {name: value for name, value in langfuse_form(run).items() if name.startswith("langfuse.trace.")}
    assert trace == {"langfuse.trace.name": "clerk", "langfuse.trace.input": "Hello", "langfuse.trace.output": "Calm."}
    called = replace(run, parent=SpanAddress(1, 2))
    assert langfuse_form(called)["langfuse.trace.name"] == "clerk", "the caller's span may be sent elsewhere"
    nested = run_span(ON, about=replace(ABOUT, run_id="run-1/other"))
    assert "langfuse.trace.name" not in langfuse_form(replace(nested, parent=SpanAddress(1, 2)))
    assert "langfuse.trace.name" not in langfuse_form(CHAT)


def test_langfuse_is_told_how_it_ended() -> None:
    level, message = "langfuse.observation.level", "langfuse.observation.status_message"
    failed = "QuotaExceeded: no more"
    for span, expected in (
        (failed_model_span(ON, failed), ("ERROR", failed)),
        (failed_model_span(OFF, failed), ("ERROR", "QuotaExceeded")),
        (tool_span(OFF, status="failed", answered=failed), ("ERROR", "tool_failed")),
        (run_span(ON, Status.REFUSED, reason="rude"), ("WARNING", "rude")),
        (run_span(OFF, Status.EXHAUSTED, reason="no money"), ("WARNING", "exhausted")),
    ):
        form = langfuse_form(span)
        assert (form[level], form[message]) == expected
    assert level not in langfuse_form(CHAT)


def test_langsmith_is_told_all_messages_with_their_tool_calls() -> None:
    form = langsmith_form(CHAT)
    called = {"id": "call_1_0", "type": "function", "function": {"name": "look", "arguments": '{"at": "sea"}'}}
    assert json.loads(str(form["gen_ai.input.messages"])) == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "I look.", "tool_calls": [called]},
        {"role": "tool", "content": "calm", "tool_call_id": "call_1_0"},
    ]
    assert json.loads(str(form["gen_ai.output.messages"])) == [{"role": "assistant", "content": "Calm."}]
    numbered = [(form[f"gen_ai.prompt.{n}.role"], form[f"gen_ai.prompt.{n}.content"]) for n in range(4)]
    assert numbered == [("system", "Be kind."), ("user", "Hello"), ("assistant", "I look."), ("tool", "calm")]
    assert (form["gen_ai.completion.0.role"], form["gen_ai.completion.0.content"]) == ("assistant", "Calm.")
    assert not {"input.value", "output.value", "gen_ai.prompt.4.role", "gen_ai.completion.1.role"} & form.keys()
    asking = json.loads(str(langsmith_form(ASKING)["gen_ai.output.messages"]))
    assert asking == [{"role": "assistant", "content": "", "tool_calls": [called]}]


def test_langsmith_is_told_of_thoughts_apart() -> None:
    thought = ReasoningPart(provider="openai", text="Hm.")
    answer = Message(role=Role.ASSISTANT, parts=(thought, TextPart(text="Calm.")))
    said = json.loads(str(langsmith_form(model_span(ON, TALK, answer))["gen_ai.output.messages"]))
    assert said == [{"role": "assistant", "content": "Calm.", "reasoning_content": "Hm."}]


def test_langsmith_is_told_tokens_cost_and_metadata() -> None:
    form = langsmith_form(CHAT)
    assert json.loads(str(form["langsmith.usage_metadata"])) == {
        "input_tokens": 100,
        "output_tokens": 20,
        "total_tokens": 120,
        "input_token_details": {"cache_read": 40, "cache_creation": 10},
        "output_token_details": {"reasoning": 5},
        "total_cost": 0.25,
    }
    assert form["gen_ai.usage.total_tokens"] == 120
    assert form["gen_ai.usage.details.reasoning_tokens"] == 5
    assert form["gen_ai.system"] == "openai"
    metadata = {name.removeprefix("langsmith.metadata."): form[name] for name in form if "langsmith.metadata" in name}
    assert metadata == {
        "session_id": "run-1",
        "user_id": "acme",
        "run_id": "run-1",
        "path": "clerk",
        "status": "completed",
        "tenant": "acme",
        "turn": 1,
        "prompt_hash": "f00d",
        "cost_usd": 0.25,
    }
    assert "langsmith.trace.session_id" not in form, "that would be a project"


def test_off_has_figures_alone() -> None:
    span = model_span(OFF, None, saying("Calm."))
    assert "llm.token_count.prompt" in openinference_form(span)
    assert "langfuse.observation.usage_details" in langfuse_form(span)
    assert "langsmith.usage_metadata" in langsmith_form(span)
    for form in (openinference_form, langfuse_form, langsmith_form):
        assert not [name for name in form(span) if "message" in name or "prompt." in name or "input." in name[:6]]


def test_an_odd_instruction_is_still_one() -> None:
    prompt = sent(Message.user("Hello"), instructions='Say "{"')
    assert json.loads(str(langfuse_form(model_span(ON, prompt, saying("{")))["langfuse.observation.input"]))[0] == {
        "role": "system",
        "content": 'Say "{"',
    }
