"""Writes requests of the Messages API.

Must not send anything.
"""

from __future__ import annotations

from typing import Any

from .....contracts.errors import InvalidRequest
from .....contracts.message import Message
from .....contracts.model import Model
from ....model_adapter import ModelRequest
from ..asking.asked_output import AskedOutput
from ..asking.demanded_call import DemandedCall
from ..asking.model_settings import effort_of, sampling, unsent
from ..asking.prepared import Prepared
from ..asking.request_body import with_options
from ..asking.wire_tools import WireTools, past_tools
from ..profiles.profile import Profile
from .messages import SentMessages, answer_blocks
from .provider_tools import CONTAINER, container_of, is_alive, messages_tools

# The API wants a bound. Every current model may write this much.
_MAX_OUTPUT_TOKENS = 32_000
_BUDGETS = {"low": 2_048, "medium": 8_192, "high": 24_576}
_LEAST_BUDGET = 1_024
_CACHED = {"cache_control": {"type": "ephemeral"}}
# The API looks back 20 blocks for what it knows: the ends of the last requests are marked, however far they are.
_MARKED_TURNS = 3


def messages_request(request: ModelRequest, provider: str, wire: Prepared) -> dict[str, Any]:
    """Return the body of a request to the Messages API.

    Raises:
        InvalidRequest: The API or the model has no place for something in it.
    """
    model, profile, tools, output, call = request.model, wire.profile, wire.tools, wire.output, wire.call
    instructions = [request.instructions, output.words if output else ""]
    limit = wire.limit.tokens or profile.output_tokens or _MAX_OUTPUT_TOKENS
    effort = effort_of(request, profile)
    hosted = messages_tools(request, wire.hosted)
    past = () if hosted.tools else past_tools(request.messages)
    offered = tools or WireTools(past, profile.tool_schema)
    container = container_of(request.messages, provider) if profile.containers else None
    sent = SentMessages.of(
        request.messages, provider, wire, pending=container is not None, connects=bool(hosted.servers)
    )
    messages = sent.messages
    body: dict[str, Any] = {
        "model": model.model,
        "max_tokens": limit,
        "stream": True,
        **sampling(request, profile),
        "system": [{"type": "text", "text": text} for text in instructions if text.strip()],
        "tools": [*_own_tools(offered), *hosted.tools],
        "mcp_servers": hosted.servers,
        "container": container["id"] if container and (sent.pending or is_alive(container)) else None,
        "messages": messages,
        # By a budget, the API takes no thinking where it has to call.
        "thinking": None
        if call.demanded and profile.reasoning == "budget"
        else _thinking(effort, profile, limit, messages),
        "stop_sequences": _stops(model),
        "service_tier": model.service_tier,
        "output_config": _output_config(effort, profile, output),
    }
    body["tool_choice"] = _tool_choice(call, parallel=request.parallel_tool_calls) if tools else None
    if past and not tools:
        body["tool_choice"] = {"type": "none"}
    if "cache_control" not in request.without:
        _mark_for_cache(body)
    if call.words:
        # Not among the instructions: thoughts are bound to those.
        body["messages"][-1]["content"].append({"type": "text", "text": call.words})
    refused = unsent(request, profile, has=("stop", "service_tier"))
    return with_options({key: value for key, value in body.items() if value and key not in refused}, model.options)


def _own_tools(offered: WireTools) -> list[dict[str, Any]]:
    return [
        {"name": tool.name, "description": tool.description, "input_schema": schema}
        for tool, schema in offered.described
    ]


def continued(body: dict[str, Any], message: Message, provider: str, wire: Prepared) -> dict[str, Any]:
    """Return the body of a request by which an answer goes on that paused."""
    said = {"role": "assistant", "content": answer_blocks(message, provider, wire.profile, wire.tools)}
    container = container_of([message], provider)
    return body | {"messages": [*body["messages"], said]} | ({CONTAINER: container["id"]} if container else {})


def _stops(model: Model) -> list[str]:
    if any(not text.strip() for text in model.stop):
        raise InvalidRequest(f"stop={model.stop!r} is not taken by the model: each text has to be more than blanks")
    return list(model.stop)


def _tool_choice(call: DemandedCall, *, parallel: bool) -> dict[str, Any] | None:
    choice = {"type": "tool", "name": call.tool} if call.tool else {"type": "any"} if call.any else {"type": "auto"}
    if not parallel:
        return {**choice, "disable_parallel_tool_use": True}
    return choice if call.demanded else None


def _thinking(
    effort: str | None, profile: Profile, limit: int, messages: list[dict[str, Any]]
) -> dict[str, Any] | None:
    if effort is None:
        return None
    if effort not in _BUDGETS:
        return {"type": effort}
    if profile.reasoning == "adaptive":
        return {"type": "adaptive"}
    budget = min(_BUDGETS[effort], limit - 1)
    # In the middle of its calls a model must have thought from the start, or goes on without.
    return {"type": "enabled", "budget_tokens": budget} if budget >= _LEAST_BUDGET and _may_think(messages) else None


def _may_think(messages: list[dict[str, Any]]) -> bool:
    done = [message["content"] for message in messages if message["role"] == "assistant"]
    if not done or messages[-1]["content"][0]["type"] != "tool_result":
        return True
    return bool(done[-1][0]["type"] in ("thinking", "redacted_thinking"))


def _output_config(effort: str | None, profile: Profile, output: AskedOutput | None) -> dict[str, Any]:
    config: dict[str, Any] = {}
    if effort in _BUDGETS and profile.reasoning == "adaptive":
        config["effort"] = effort
    if output and output.strict:
        config["format"] = {"type": "json_schema", "schema": output.schema}
    return config


def _mark_for_cache(body: dict[str, Any]) -> None:
    """Mark what the next call begins with, and what the last calls ended with."""
    prefix = body["system"] or body["tools"]
    if prefix:
        prefix[-1] |= _CACHED
    asked = [message for message in body["messages"] if message["role"] == "user"]
    for message in asked[-_MARKED_TURNS:]:
        message["content"][-1] |= _CACHED
