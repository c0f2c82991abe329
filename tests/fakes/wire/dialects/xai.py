"""What xAI refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.fakes.wire.chat_rules import CHAT
from tests.fakes.wire.dialects.json_schemas import answer_nodes
from tests.fakes.wire.openai.chat_messages import messages_of
from tests.fakes.wire.rule import Complaint, Json, RuleBook

XAI = RuleBook("xAI", CHAT)

_UNKNOWN_KEYWORDS = ("allOf", "minLength", "maxLength", "minItems", "maxItems", "minContains", "maxContains")


@XAI.rule("https://github.com/BerriAI/litellm/pull/16265")
def xai_has_no_effort(body: Json) -> Iterator[Complaint]:
    """An effort for models that set their own."""
    model, effort = str(body.get("model", "")), body.get("reasoning_effort")
    if effort is not None and not re.match(r"grok-(3-mini|4\.[3-9]|[5-9])", model):
        yield Complaint(f"Model {model} does not support parameter reasoningEffort.")


@XAI.rule("https://github.com/pydantic/pydantic-ai/blob/main/pydantic_ai_slim/pydantic_ai/profiles/grok.py")
def xai_effort_is_unknown(body: Json) -> Iterator[Complaint]:
    """An effort that the model does not have."""
    model, effort = str(body.get("model", "")), body.get("reasoning_effort")
    takes = {"low", "high"} if "3-mini" in model else {"low", "medium", "high"}
    takes |= {"none"} if "4.3" in model else {"xhigh"} if "4.6" in model else set()
    if effort is not None and effort not in takes and re.match(r"grok-(3-mini|4\.[3-9]|[5-9])", model):
        yield Complaint(f"This model does not support 'reasoning_effort' value '{effort}'")


@XAI.rule("https://github.com/neavo/LinguaGacha/issues/159")
def xai_parameter_is_unsupported(body: Json) -> Iterator[Complaint]:
    """Penalties, and stop sequences of models that reason."""
    names = {"presence_penalty": "presencePenalty", "frequency_penalty": "frequencyPenalty"}
    if "non-reasoning" not in str(body.get("model")):
        names["stop"] = "stop"
    for key, name in names.items():
        if body.get(key) is not None:
            yield Complaint(f"Argument not supported on this model: {name}")


@XAI.rule("https://github.com/langchain-ai/langchain/issues/34140")
def xai_message_is_empty(body: Json) -> Iterator[Complaint]:
    """Messages without content, also beside calls, where an empty text will do."""
    for message in messages_of(body):
        content, calls = message.get("content"), message.get("tool_calls")
        if content is None or (content in ("", []) and not calls):
            yield Complaint("Invalid request content: Each message must have at least one content element.")


@XAI.rule("https://docs.x.ai/developers/model-capabilities/text/structured-outputs", quoted=False)
def xai_keyword_is_unsupported(body: Json) -> Iterator[Complaint]:
    """Keywords that its structured outputs do not know."""
    for path, schema in answer_nodes(body):
        for key in _UNKNOWN_KEYWORDS:
            if key in schema:
                yield Complaint(f"Invalid arguments passed to the model: {path}: {key} is not supported")


@XAI.rule("https://github.com/vercel/ai/pull/15713", status=410)
def xai_search_is_gone(body: Json) -> Iterator[Complaint]:
    """The search that was a parameter."""
    if "search_parameters" in body:
        page = "https://docs.x.ai/docs/guides/tools/overview"
        yield Complaint(f"Live search is deprecated. Please switch to the Agent Tools API: {page}")
