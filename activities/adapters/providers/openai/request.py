"""Writes requests of the Responses API.

Must not send anything.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from .....contracts.errors import InvalidRequest
from .....contracts.provider_tool import WebSearch
from ....model_adapter import ModelRequest
from ..asking.asked_output import AskedOutput
from ..asking.hosted_tools import HostedTool
from ..asking.model_settings import effort_of, sampling, unsent
from ..asking.prepared import Prepared
from ..asking.request_body import with_options
from ..profiles.profile import Profile
from .items import response_items
from .provider_tools import RESULTS, most_calls, responses_tools


def responses_request(request: ModelRequest, provider: str, wire: Prepared) -> dict[str, Any]:
    """Return the body of a request to the Responses API.

    Raises:
        InvalidRequest: The API or the model has no place for something in it.
    """
    model, profile, tools, output = request.model, wire.profile, wire.tools, wire.output
    functions = [
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": schema,
            # Strict would have every argument required, and so take the defaults away from the tool.
            "strict": False,
        }
        for tool, schema in tools.described
    ]
    effort, call, hosted = _effort(request, profile, wire.hosted), wire.call, wire.hosted
    words = output.words if output else ""
    # JSON mode wants the word itself, and not in the instructions.
    said = [{"role": "developer", "content": words}] if output and output.mode == "json" else []
    words = "" if said else words
    asked = [{"role": "developer", "content": call.words}] if call.words else []
    body: dict[str, Any] = {
        "model": model.model,
        "max_output_tokens": wire.limit.tokens and max(wire.limit.tokens, _LEAST_OUTPUT),
        **sampling(request, profile),
        "instructions": "\n\n".join(filter(None, (request.instructions, words))),
        "tools": [*functions, *responses_tools(request, hosted)],
        "max_tool_calls": most_calls(hosted),
        "input": [*said, *response_items(request.messages, provider, profile, tools), *asked],
        "tool_choice": ({"type": "function", "name": call.tool} if call.tool else call.any) or None,
        "parallel_tool_calls": None if request.parallel_tool_calls or not functions else False,
        "service_tier": model.service_tier,
        "reasoning": effort and {"effort": effort},
        "text": _text_config(output),
        "prompt_cache_key": _cache_key(request.instructions, functions),
        # Nothing stays with the provider: the reasoning comes back with the answer, encrypted, and goes out again.
        "include": [
            *(["reasoning.encrypted_content"] if profile.reasons else []),
            *(RESULTS[one.tool.kind] for one in hosted if one.tool.kind in RESULTS),
        ],
    }
    refused = unsent(request, profile, has=("service_tier",))
    kept = {key: value for key, value in body.items() if value not in (None, "", [], {}) and key not in refused}
    return with_options(kept | {"store": False, "stream": True}, model.options)


def _effort(request: ModelRequest, profile: Profile, hosted: Sequence[HostedTool]) -> str | None:
    effort = effort_of(request, profile)
    if effort == "minimal" and any(isinstance(one.tool, WebSearch) for one in hosted):
        words = f"the model does not search the web with reasoning={request.model.reasoning!r}"
        raise InvalidRequest(words, refuses="reasoning")
    return effort


_LEAST_OUTPUT = 16
"""The API refuses a lower limit."""


def _text_config(output: AskedOutput | None) -> dict[str, Any]:
    if output is None or output.mode in ("tool", "words"):
        return {}
    if output.mode == "json":
        return {"format": {"type": "json_object"}}
    form = {"type": "json_schema", "name": output.name, "schema": output.schema, "strict": output.strict}
    return {"format": form}


def _cache_key(instructions: str, tools: list[dict[str, Any]]) -> str:
    """Return a key for the provider's cache, the same for prompts that begin alike."""
    return sha256(json.dumps([instructions, tools]).encode()).hexdigest()[:32]
