"""Tells from an error which feature of a request the model does not have.

So it can be asked without it. A request that is refused costs nothing, and few servers say beforehand what they take.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ....contracts.errors import InvalidRequest, ModelError
from ....contracts.provider_tool import PROVIDER_TOOLS
from ....contracts.text import redacted
from ...model_adapter import ModelRequest
from ..mcp.redaction import secrets_of
from .asking.answer_tool import ANSWER_TOOL, has_answer_tool
from .profiles.profile import OutputMode

_REFUSED: Final = re.compile(
    r"unsupported|not (\w+ )?support|unknown|unrecogni[sz]ed|unexpected|not (\w+ )?permitted|not allowed|may not be"
    r"|extra.inputs|extra_forbidden|unavailable|not available|deprecated|incompatible|cannot \w+"
    r"|no endpoints found|bound to|could not be verified|invalid `|invalid_encrypted|is missing"
    r"|too (many|complex|large)"
    r"|only (supported|allowed)|expected container|container.{0,40}(expired|not found)"
    r"|does not exist|not valid|invalid (value|parameter|schema)|must be",
    re.IGNORECASE,
)
# Words for a feature, where an error does not name the field.
_WORDS: Final[tuple[tuple[str, str], ...]] = (
    ("containers", r"expected container|container.{0,40}(expired|not found)"),
    ("output", r"json_schema|json_object|structured output|response.?format|response mime type"),
    ("output", r"output_config\.format|output_format"),
    ("output", r"text\.format|schema for response_format|json mode"),
    ("output", r"schemas? contains|schema is too|compiled grammar|too many states"),
    ("call_ids", r"must be a-z, A-Z, 0-9, with a length of 9"),
    ("max_tokens", r"use '?max_(completion_)?tokens'? instead"),
    ("no_echo", r"must be passed back|is missing in assistant|missing `?reasoning_content"),
    ("echo", r"\breasoning_(content|details)\b|messages\S*\breasoning\b"),
    ("echo", r"bound to a different conversation|could not be verified"),
    ("echo", r"invalid `signature`|invalid_encrypted_content"),
    ("parallel_tool_calls", r"parallel[ _]tool[ _](calls|use)"),
    ("tool_choice", r"tool[ _]choice|toolchoice"),
    ("answer_tool", r"support tools?\b|tool (use|calling)|function calling"),
    ("answer_tool", rf"json schema not supported|too many states|\b{ANSWER_TOOL}"),
    ("stream_options", r"stream[ _]options|include_usage"),
    ("reasoning", r"reasoning|thinking|effort"),
    ("temperature", r"temperature"),
    ("seed", r"\bseed\b|random_seed"),
    ("stop", r"\bstop(_sequences)?\b"),
    ("service_tier", r"service[ _]tier"),
    ("prompt_cache_key", r"prompt_cache_key"),
    ("cache_control", r"cache_control"),
    ("include", r"encrypted content is not supported|\binclude\b"),
    ("web_search", r"web[ _]search"),
    ("code_execution", r"code[ _](execution|interpreter)"),
    ("file_search", r"file[ _]search"),
    ("mcp_connector", r"\bmcp(_servers|_toolset)?\b"),
)
# Where each feature stands in the body of a request.
FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "output": ("response_format", "text", "output_config"),
    "answer_tool": ("tools",),
    "reasoning": ("reasoning", "reasoning_effort", "thinking", "output_config"),
    "containers": ("input", "container"),
    **dict.fromkeys(PROVIDER_TOOLS, ("tools",)),
    "seed": ("seed", "random_seed"),
    "stop": ("stop", "stop_sequences"),
    "cache_control": ("system", "tools", "messages"),
    "call_ids": ("messages",),
    "echo": ("messages", "input"),
    "no_echo": ("messages",),
    "max_tokens": ("max_tokens", "max_completion_tokens"),
}


def refused_feature(said: str, field: str, body: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    """Return the feature that a request was refused for.

    Empty where that cannot be told.

    Args:
        said: The provider's words.
        field: The field that it names, if it does.
        body: The request.
        options: What people added to it: that is never left out.
    """
    if not _REFUSED.search(said):
        return ""
    for text in (field, said):
        for feature, words in _WORDS:
            fields = [name for name in FIELDS.get(feature, (feature,)) if name in body]
            if fields and not options.keys() & set(fields) and re.search(words, text, re.IGNORECASE):
                found = _found(feature, body)
                if found:
                    return found
    return ""


def noted(
    error: ModelError, raw: Exception, body: Mapping[str, Any], request: ModelRequest, secret: str | None
) -> ModelError:
    """Return an error that says which feature was refused, and no secret.

    Args:
        error: What is to be done about it.
        raw: What the SDK raised.
        body: The request.
        request: What it was made of.
        secret: The key, which may stand in the words of the HTTP client, too.
    """
    secrets = {secret or ""}.union(*map(secrets_of, request.servers.values()))
    error.args = (redacted(str(error), secrets),)
    if isinstance(error, InvalidRequest):
        # The name of a model may be made of the very words that are looked for.
        said = str(error).replace(str(body.get("model") or "\n"), "")
        error.refuses = refused_feature(said, str(getattr(raw, "param", None) or ""), body, request.model.options)
    return error


def _found(feature: str, body: Mapping[str, Any]) -> str:
    """Return a feature by the name that profiles have for it.

    Empty where the request does not have it.
    """
    match feature:
        case "output":
            return _output_mode(body) or ""
        case "answer_tool":
            return "tool" if has_answer_tool(body) else ""
        case _:
            return feature


def _output_mode(body: Mapping[str, Any]) -> OutputMode | None:
    """Return how the answer of a request was asked for."""
    form = body.get("response_format") or (body.get("text") or {}).get("format")
    form = form or (body.get("output_config") or {}).get("format")
    if not form or form["type"] == "json_object":
        return "json" if form else None
    strict = form.get("strict", "schema" in form) or (form.get("json_schema") or {}).get("strict")
    return "strict" if strict else "schema"
