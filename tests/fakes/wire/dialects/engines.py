"""What servers of one's own refuse: Ollama, vLLM, llama.cpp and LM Studio."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from tests.fakes.wire.chat_rules import CHAT
from tests.fakes.wire.dialects.json_schemas import answer_nodes, form_of, tool_nodes
from tests.fakes.wire.openai.chat_messages import messages_of, placed_parts
from tests.fakes.wire.rule import Complaint, Json, RuleBook

OLLAMA = RuleBook("Ollama", CHAT)
VLLM = RuleBook("vLLM", CHAT)
LLAMA_CPP = RuleBook("llama.cpp", CHAT)
LM_STUDIO = RuleBook("LM Studio", CHAT)

_OLLAMA = "https://github.com/ollama/ollama/blob/main"
_VLLM = "https://github.com/vllm-project/vllm/blob/main"
_LLAMA = "https://github.com/ggml-org/llama.cpp/blob/master/tools/server/server-common.cpp"
_EFFORTS = ("minimal", "low", "medium", "high", "xhigh", "ultra", "max", "none")
_NO_GRAMMAR = {
    "integer": ("multipleOf",),
    "number": ("multipleOf",),
    "array": ("uniqueItems", "contains", "minContains", "maxContains"),
}
_MOST_REPETITIONS = 2_000
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems")
_OLLAMA_PICTURE = re.compile(r"data:(image/(jpeg|jpg|png|webp))?;base64,")


def _repeats_too_much(schema: Json) -> bool:
    """Return whether the grammar of a schema repeats something more often than llama.cpp's grammars may."""
    times = re.findall(r"[{,](\d+)(?=[,}])", str(schema.get("pattern", "")))
    return any(int(most) >= _MOST_REPETITIONS for most in (*times, *(schema.get(key, 0) for key in _COUNTS)))


def _addresses(body: Json) -> Iterator[str]:
    """Yield the addresses of pictures."""
    for _, _, part in placed_parts(body):
        if part.get("type") == "image_url":
            yield str((part.get("image_url") or {}).get("url", ""))


@OLLAMA.rule(f"{_OLLAMA}/openai/openai.go")
def ollama_part_is_unknown(body: Json) -> Iterator[Complaint]:
    """Files."""
    for _, _, part in placed_parts(body):
        if part.get("type") not in ("text", "image_url", "input_audio"):
            yield Complaint("invalid message format")


@OLLAMA.rule(f"{_OLLAMA}/openai/openai.go")
def ollama_picture_is_not_taken(body: Json) -> Iterator[Complaint]:
    """Pictures by address, or of a type that it does not read."""
    for url in _addresses(body):
        if url.startswith("http"):
            yield Complaint("image URLs are not currently supported, please use base64 encoded data instead")
        elif not _OLLAMA_PICTURE.match(url):
            yield Complaint("invalid image input")


@OLLAMA.rule(f"{_OLLAMA}/server/routes.go")
def ollama_cannot_think(body: Json) -> Iterator[Complaint]:
    """An effort for models that do not think."""
    thinks = ("gpt-oss", "qwen3", "deepseek-r1", "deepseek-v", "magistral")
    effort, model = body.get("reasoning_effort"), str(body.get("model", ""))
    if effort not in (None, "none") and not model.startswith(thinks):
        yield Complaint(f'"{model}" does not support thinking')


@OLLAMA.rule(f"{_OLLAMA}/openai/openai.go")
def ollama_effort_is_unknown(body: Json) -> Iterator[Complaint]:
    """Efforts that there are not."""
    effort = body.get("reasoning_effort")
    if effort is not None and effort not in _EFFORTS:
        takes = ", ".join(f'"{one}"' for one in _EFFORTS[:-1])
        yield Complaint(f'invalid reasoning value: "{effort}" (must be {takes}, or "{_EFFORTS[-1]}")')


@OLLAMA.rule("https://github.com/louisho5/picobot/issues/6")
def ollama_has_no_tools(body: Json) -> Iterator[Complaint]:
    """Tools for models that call none."""
    model = str(body.get("model", ""))
    if body.get("tools") and re.match(r"gemma[23]?(:|$)|llama2|phi3", model):
        tag = model if ":" in model else f"{model}:latest"
        yield Complaint(f"registry.ollama.ai/library/{tag} does not support tools")


@OLLAMA.rule("https://github.com/unslothai/unsloth/issues/9888", quoted=False)
def ollama_repetitions_are_too_many(body: Json) -> Iterator[Complaint]:
    """Lengths and counts of 2000 and more in the schema of an answer."""
    for _, schema in answer_nodes(body):
        if _repeats_too_much(schema):
            yield Complaint("failed to parse grammar")


@VLLM.rule(f"{_VLLM}/vllm/entrypoints/openai/chat_completion/protocol.py")
def vllm_choice_is_unknown(body: Json) -> Iterator[Complaint]:
    """Choices of tools in other words than OpenAI's."""
    choice = body.get("tool_choice")
    if isinstance(choice, str) and choice not in ("none", "auto", "required"):
        words = 'Only named tools, "none", "auto" or "required" are supported.'
        yield Complaint(f"Invalid value for `tool_choice`: {choice}! {words}")


@VLLM.rule(f"{_VLLM}/vllm/entrypoints/openai/chat_completion/protocol.py")
def vllm_schema_is_missing(body: Json) -> Iterator[Complaint]:
    """A response format that has no schema."""
    if form_of(body) == "json_schema" and not body["response_format"].get("json_schema"):
        yield Complaint("When response_format type is 'json_schema', the 'json_schema' field must be provided.")


@VLLM.rule(f"{_VLLM}/vllm/entrypoints/openai/chat_completion/protocol.py")
def vllm_probabilities_of_nothing(body: Json) -> Iterator[Complaint]:
    """The likeliest tokens without any probabilities."""
    if body.get("top_logprobs") and not body.get("logprobs"):
        yield Complaint("when using `top_logprobs`, `logprobs` must be set to true.")


@VLLM.rule("https://github.com/vllm-project/vllm/issues/41114")
def vllm_system_in_the_middle(body: Json) -> Iterator[Complaint]:
    """System messages anywhere but at the beginning, as templates of models refuse them."""
    for message in messages_of(body)[1:]:
        if message.get("role") in ("system", "developer"):
            yield Complaint("System message must be at the beginning.")


@VLLM.rule(f"{_VLLM}/vllm/v1/structured_output/backend_xgrammar.py")
def vllm_keyword_is_unsupported(body: Json) -> Iterator[Complaint]:
    """Keywords that its grammars do not know, of a server that is bound to one kind of grammars."""
    for _, schema in answer_nodes(body):
        keys = _NO_GRAMMAR.get(str(schema.get("type")), ())
        bounded = schema.keys() & {"pattern", "format"} and schema.keys() & {"minLength", "maxLength"}
        named = "properties" in schema and schema.keys() & {"propertyNames", "patternProperties"}
        if any(key in schema for key in keys) or bounded or named:
            yield Complaint("The provided JSON schema contains features not supported by xgrammar.")


@LLAMA_CPP.rule(_LLAMA)
def llama_part_is_unknown(body: Json) -> Iterator[Complaint]:
    """Files."""
    for _, _, part in placed_parts(body):
        if part.get("type") not in ("text", "image_url", "input_audio"):
            yield Complaint("unsupported content[].type")


@LLAMA_CPP.rule("https://github.com/amd/gaia/issues/1667")
def llama_two_answers_last(body: Json) -> Iterator[Complaint]:
    """Two messages of the assistant at the end."""
    if [message.get("role") for message in messages_of(body)[-2:]] == ["assistant"] * 2:
        yield Complaint("Cannot have 2 or more assistant messages at the end of the list.")


@LLAMA_CPP.rule(_LLAMA)
def llama_probabilities_beside_tools(body: Json) -> Iterator[Complaint]:
    """Probabilities of tokens in a stream with tools."""
    if body.get("logprobs") and body.get("tools") and body.get("stream"):
        yield Complaint("logprobs is not supported with tools + stream")


@LLAMA_CPP.rule("https://github.com/ggml-org/llama.cpp/issues/26930")
def llama_pattern_is_open(body: Json) -> Iterator[Complaint]:
    """Patterns that do not say how a text begins and ends."""
    for _, schema in (*tool_nodes(body), *answer_nodes(body)):
        pattern = str(schema.get("pattern", "^$"))
        if not (pattern.startswith("^") and pattern.endswith("$")):
            yield Complaint("JSON schema conversion failed:\nPattern must start with '^' and end with '$'")


@LLAMA_CPP.rule("https://github.com/lidge-jun/opencodex/issues/2135")
def llama_pattern_has_classes(body: Json) -> Iterator[Complaint]:
    """Patterns with classes of characters, or that look around."""
    for _, schema in (*tool_nodes(body), *answer_nodes(body)):
        if re.search(r"\\[dwsDWS]|\(\?", str(schema.get("pattern", ""))):
            yield Complaint("Failed to initialize samplers: failed to parse grammar")


@LLAMA_CPP.rule("https://github.com/ggml-org/llama.cpp/issues/17473")
def llama_repetitions_are_too_many(body: Json) -> Iterator[Complaint]:
    """Lengths and counts of 2000 and more; builds since August 2026 refuse the least ones alone."""
    for _, schema in (*tool_nodes(body), *answer_nodes(body)):
        if _repeats_too_much(schema):
            yield Complaint("Failed to initialize samplers: failed to parse grammar")


@LLAMA_CPP.rule("https://github.com/ggml-org/llama.cpp/blob/master/common/json-schema-to-grammar.cpp")
def llama_bound_is_too_large(body: Json) -> Iterator[Complaint]:
    """Bounds of integers beyond 64 bits."""
    for _, schema in (*tool_nodes(body), *answer_nodes(body)):
        bounds = [schema.get(key, 0) for key in ("maximum", "exclusiveMaximum")]
        if schema.get("type") == "integer" and any(not -(2**63) < bound < 2**63 for bound in bounds):
            words = "Automatic parser generation failed: At least one of min_value or max_value must be set"
            yield Complaint(f"Unable to generate parser for this template. {words}")


@LLAMA_CPP.rule("https://github.com/ggml-org/llama.cpp/issues/19851", status=500)
def llama_roles_must_alternate(body: Json) -> Iterator[Complaint]:
    """Roles that do not alternate, as templates of models refuse them."""
    roles = [str(message.get("role")) for message in messages_of(body)]
    for before, role in pairwise(roles):
        if before == role and role != "tool":
            words = "After the optional system message, conversation roles must alternate user and assistant roles"
            yield Complaint(f"Jinja Exception: {words} except for tool calls and results.")


@LM_STUDIO.rule("https://github.com/firecrawl/firecrawl/issues/4512")
def lm_studio_repetitions_are_too_many(body: Json) -> Iterator[Complaint]:
    """Lengths and counts of 2000 and more."""
    for _, schema in (*tool_nodes(body), *answer_nodes(body)):
        if _repeats_too_much(schema):
            yield Complaint("error: Failed to initialize samplers: failed to parse grammar.")


@LM_STUDIO.rule("https://github.com/LoadShine/tada/issues/16")
def lm_studio_has_no_json_mode(body: Json) -> Iterator[Complaint]:
    """JSON mode."""
    if form_of(body) == "json_object":
        yield Complaint("'response_format.type' must be 'json_schema' or 'text'")


@LM_STUDIO.rule("https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/670")
def lm_studio_choice_is_no_text(body: Json) -> Iterator[Complaint]:
    """A named choice of tools."""
    if isinstance(body.get("tool_choice"), dict):
        yield Complaint("Invalid tool_choice type: 'object'. Supported string values: none, auto, required")


@LM_STUDIO.rule("https://lmstudio.ai/docs/developer/openai-compat/chat-completions", quoted=False)
def lm_studio_part_is_unknown(body: Json) -> Iterator[Complaint]:
    """Files."""
    for _, _, part in placed_parts(body):
        if part.get("type") not in ("text", "image_url"):
            words = "'content' objects must have a 'type' field that is either 'text' or 'image_url'."
            yield Complaint(f"Invalid 'content': {words}")


@LM_STUDIO.rule("https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/1752")
def lm_studio_picture_is_not_taken(body: Json) -> Iterator[Complaint]:
    """Pictures by address, and those of WebP."""
    if any(url.startswith(("http", "data:image/webp")) for url in _addresses(body)):
        yield Complaint("'url' field must be a base64 encoded image")
