"""Writes requests of the Chat Completions API.

Must not send anything.
"""

from __future__ import annotations

from typing import Any

from ....model_adapter import ModelRequest
from ..asking.asked_output import AskedOutput
from ..asking.demanded_call import DemandedCall
from ..asking.hosted_tools import refuse_tools
from ..asking.model_settings import effort_of, sampling, unsent
from ..asking.prepared import Prepared
from ..asking.request_body import with_options
from ..asking.wire_tools import WireTools, past_tools
from ..profiles.profile import Profile
from .messages import chat_messages


def chat_request(request: ModelRequest, provider: str, wire: Prepared) -> dict[str, Any]:
    """Return the body of a request to the Chat Completions API.

    Raises:
        InvalidRequest: The API or the model has no place for something in it.
    """
    model, profile, tools, output, call = request.model, wire.profile, wire.tools, wire.output, wire.call
    refuse_tools(request.wanted_provider_tools)
    past = past_tools(request.messages) if profile.past_tools else ()
    offered = tools or WireTools(past, profile.tool_schema)
    body: dict[str, Any] = {
        "model": model.model,
        profile.max_tokens: None if wire.limit.usual else wire.limit.tokens,
        **sampling(request, profile),
        "messages": chat_messages(request, provider, profile, tools, output.words if output else "", call.words),
        "tools": [_tool(tool.name, tool.description, schema) for tool, schema in offered.described],
        "tool_choice": _tool_choice(call) if tools else "none" if offered else None,
        "parallel_tool_calls": None if request.parallel_tool_calls or not tools else False,
        profile.seed: model.seed,
        "stop": list(model.stop),
        "service_tier": model.service_tier,
        **_reasoning(effort_of(request, profile), profile),
        "response_format": _response_format(output),
        "stream_options": {"include_usage": True},
    }
    refused = unsent(request, profile)
    kept = {key: value for key, value in body.items() if value not in (None, [], {}) and key not in refused}
    return with_options(kept | {"stream": True}, model.options)


def _tool_choice(call: DemandedCall) -> str | dict[str, Any] | None:
    return {"type": "function", "function": {"name": call.tool}} if call.tool else call.any or None


def _tool(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    function = {"name": name, "description": description}
    return {"type": "function", "function": function | ({"parameters": schema} if schema else {})}


def _reasoning(effort: str | None, profile: Profile) -> dict[str, Any]:
    if effort is None:
        return {}
    match profile.reasoning:
        case "thinking":
            if effort == "disabled":
                return {"thinking": {"type": effort}}
            return {"thinking": {"type": "enabled"}, "reasoning_effort": effort}
        case "openrouter":
            return {"reasoning": {"effort": effort}}
        case _:
            return {"reasoning_effort": effort}


def _response_format(output: AskedOutput | None) -> dict[str, Any]:
    if output is None or output.mode in ("tool", "words"):
        return {}
    if output.mode == "json":
        return {"type": "json_object"}
    return {
        "type": "json_schema",
        "json_schema": {"name": output.name, "schema": output.schema, "strict": output.strict},
    }
