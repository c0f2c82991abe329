"""What the providers that speak Chat Completions refuse, each in its own words.

A provider that forwards to others, such as OpenRouter or LiteLLM, is as strict as what stands behind it: it has the
rules that all share.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from tests.fakes.wire.chat_rules import CHAT, OPENAI_CHAT, calls_of, messages_of, parts_of, tools_of
from tests.fakes.wire.rule import Complaint, Json, RuleBook

GEMINI = RuleBook("Google Gemini", CHAT)
MISTRAL = RuleBook("Mistral", CHAT)
DEEPSEEK = RuleBook("DeepSeek", CHAT)
GROQ = RuleBook("Groq", CHAT)
XAI = RuleBook("xAI", CHAT)
TOGETHER = RuleBook("Together", CHAT)
FIREWORKS = RuleBook("Fireworks", CHAT)
OPENROUTER = RuleBook("OpenRouter", CHAT)
OLLAMA = RuleBook("Ollama", CHAT)
VLLM = RuleBook("vLLM", CHAT)
LLAMA_CPP = RuleBook("llama.cpp", CHAT)
LM_STUDIO = RuleBook("LM Studio", CHAT)
LITELLM = RuleBook("LiteLLM", CHAT)
AZURE = RuleBook("Azure OpenAI", OPENAI_CHAT)

DIALECTS: dict[str, RuleBook] = {
    "chat": CHAT,
    "openai": OPENAI_CHAT,
    "gemini": GEMINI,
    "mistral": MISTRAL,
    "deepseek": DEEPSEEK,
    "groq": GROQ,
    "xai": XAI,
    "together": TOGETHER,
    "fireworks": FIREWORKS,
    "openrouter": OPENROUTER,
    "ollama": OLLAMA,
    "vllm": VLLM,
    "llama_cpp": LLAMA_CPP,
    "lm_studio": LM_STUDIO,
    "litellm": LITELLM,
    "azure": AZURE,
}
"""The rules of each dialect, by its name."""

_TOP = (
    *("model", "messages", "stream", "tools", "tool_choice", "temperature", "top_p", "stop", "n", "response_format"),
    *("max_tokens", "presence_penalty", "frequency_penalty", "parallel_tool_calls", "reasoning_effort"),
)
_GEMINI_TOP = (
    *_TOP,
    "max_completion_tokens",
    "stream_options",
    "seed",
    "extra_body",
    "user",
    "logprobs",
    "top_logprobs",
)
_MISTRAL_TOP = (
    *(*_TOP, "random_seed", "metadata", "prediction", "prompt_mode", "guardrails", "prompt_cache_key"),
    *("service_tier", "safe_prompt", "document_image_limit", "document_page_limit"),
)
_GROQ_TOP: tuple[str, ...] = (
    *_TOP,
    "max_completion_tokens",
    "stream_options",
    "seed",
    "user",
    "service_tier",
    "reasoning_format",
)
_GROQ_TOP = (*_GROQ_TOP, "include_reasoning", "metadata")
_FIREWORKS_TOP = (
    *(*_TOP, "max_completion_tokens", "stream_options", "seed", "user", "service_tier", "prompt_cache_key", "thinking"),
    *("reasoning_history", "top_k", "min_p", "logprobs", "context_length_exceeded_behavior", "metadata"),
)
_DEEPSEEK_ROLES = ("system", "user", "assistant", "tool", "latest_reminder")
_REASONING_FIELDS = ("reasoning_content", "reasoning", "reasoning_details")
_MISTRAL_ID = re.compile(r"^[a-zA-Z0-9]{9}\Z")
_PI = "https://github.com/earendil-works/pi, packages/ai/src/api/openai-completions.ts"


def _is_new_gemini(body: Json) -> bool:
    return bool(re.match(r"(models/)?gemini-([3-9]|\d\d)", body["model"]))


def _schemas(schema: Any, path: str) -> Iterator[tuple[str, Json]]:
    """Yield a schema and all below it, with their places."""
    if not isinstance(schema, dict):
        return
    yield path, schema
    for name, sub in (schema.get("properties") or {}).items():
        yield from _schemas(sub, f"{path}.properties[{name}]")
    yield from _schemas(schema.get("items"), f"{path}.items")
    for index, sub in enumerate(schema.get("anyOf") or ()):
        yield from _schemas(sub, f"{path}.any_of[{index}]")


def _tool_schemas(body: Json) -> Iterator[tuple[str, Json]]:
    for index, tool in enumerate(tools_of(body)):
        yield from _schemas(tool.get("parameters"), f"tools[0].function_declarations[{index}].parameters")


@GEMINI.rule("https://github.com/openai/openai-python/issues/2758")
def thought_signature_is_missing(body: Json) -> Iterator[Complaint]:
    """Calls since the last question without the signature that came with them."""
    if not _is_new_gemini(body):
        return
    messages = messages_of(body)
    last = max((i for i, message in enumerate(messages) if message.get("role") == "user"), default=0)
    for message in messages[last:]:
        for call in (message.get("tool_calls") or ())[:1]:
            if not ((call.get("extra_content") or {}).get("google") or {}).get("thought_signature"):
                words = "Function call is missing a thought_signature in functionCall parts."
                yield Complaint(f"{words} Additional data, function call `default_api:{call['function']['name']}`.")


@GEMINI.rule("https://github.com/MinLL/SkyrimNet-GamePlugin/issues/77")
def gemini_field_is_unknown(body: Json) -> Iterator[Complaint]:
    """Fields that the API does not have."""
    for key in body.keys() - set(_GEMINI_TOP):
        yield Complaint(f'Invalid JSON payload received. Unknown name "{key}": Cannot find field.')


@GEMINI.rule("https://github.com/zed-industries/zed/issues/44875")
def gemini_keyword_is_unknown(body: Json) -> Iterator[Complaint]:
    """Keywords of JSON Schema that the API does not have."""
    unknown: tuple[str, ...] = (
        "$schema",
        "additionalProperties",
        "propertyNames",
        "const",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "$defs",
    )
    unknown = (*unknown, "$ref", "oneOf", "allOf", "not", "patternProperties", "uniqueItems", "definitions", "examples")
    for path, schema in _tool_schemas(body):
        for key in unknown:
            if key in schema:
                yield Complaint(
                    f"Invalid JSON payload received. Unknown name \"{key}\" at '{path}': Cannot find field."
                )


@GEMINI.rule("https://github.com/langchain-ai/langchain-google/pull/416")
def gemini_object_is_empty(body: Json) -> Iterator[Complaint]:
    """Objects without properties."""
    for path, schema in _tool_schemas(body):
        if schema.get("type") == "object" and not schema.get("properties"):
            yield Complaint(f"* GenerateContentRequest.{path}.properties: should be non-empty for OBJECT type")


@GEMINI.rule("https://github.com/cline/cline/issues/7339")
def gemini_array_without_items(body: Json) -> Iterator[Complaint]:
    """Arrays that do not say of what."""
    for path, schema in _tool_schemas(body):
        if schema.get("type") == "array" and not schema.get("items"):
            yield Complaint(f"* GenerateContentRequest.{path}.items: missing field.")


@GEMINI.rule("https://github.com/danny-avila/LibreChat/issues/6971")
def gemini_type_is_missing(body: Json) -> Iterator[Complaint]:
    """Anything without a type, or with several."""
    for path, schema in _tool_schemas(body):
        if not isinstance(schema.get("type"), str) and "anyOf" not in schema:
            words = "must be specified when not using one_of, any_of or all_of fields"
            yield Complaint(f"* GenerateContentRequest.{path}.type: {words}")


@GEMINI.rule("https://github.com/pydantic/pydantic-ai, pydantic_ai/profiles/google.py")
def gemini_enum_is_no_text(body: Json) -> Iterator[Complaint]:
    """Choices among anything but texts, and formats of texts beyond two."""
    for path, schema in _tool_schemas(body):
        enum = schema.get("enum")
        if enum is not None and (schema.get("type") != "string" or not all(isinstance(v, str) and v for v in enum)):
            yield Complaint(f"* GenerateContentRequest.{path}.enum: only allowed for STRING type")
        if schema.get("type") == "string" and schema.get("format") not in (None, "enum", "date-time"):
            words = "only 'enum' and 'date-time' are supported for STRING type"
            yield Complaint(f"* GenerateContentRequest.{path}.format: {words}")


@GEMINI.rule("https://github.com/openai/openai-agents-python/issues/656")
def gemini_tools_beside_json(body: Json) -> Iterator[Complaint]:
    """Tools beside a JSON answer, for models before Gemini 3."""
    kind = (body.get("response_format") or {}).get("type")
    if body.get("tools") and kind in ("json_object", "json_schema") and not _is_new_gemini(body):
        yield Complaint("Function calling with a response mime type: 'application/json' is unsupported")


@GEMINI.rule("https://github.com/boldsoftware/sketch/issues/68")
def gemini_part_is_empty(body: Json) -> Iterator[Complaint]:
    """Messages that say nothing."""
    for index, message in enumerate(messages_of(body)):
        if not message.get("content") and not message.get("tool_calls"):
            words = "required oneof field 'data' must have one initialized field"
            yield Complaint(f"* GenerateContentRequest.contents[{index}].parts[0].data: {words}")


@GEMINI.rule("https://ai.google.dev/gemini-api/docs/openai")
def gemini_always_thinks(body: Json) -> Iterator[Complaint]:
    """No thinking, of models that always think."""
    if body.get("reasoning_effort") == "none" and (_is_new_gemini(body) or "-pro" in body["model"]):
        yield Complaint("Budget 0 is invalid. This model only works in thinking mode.")


@MISTRAL.rule("https://github.com/mistralai/platform-docs-public, public/openapi.yaml", status=422)
def mistral_field_is_unknown(body: Json) -> Iterator[Complaint]:
    """Fields that the API does not have."""
    for key in body.keys() - set(_MISTRAL_TOP):
        yield Complaint(f"extra_forbidden: body.{key}: Extra inputs are not permitted", key)
    fields = {
        "assistant": {"role", "content", "tool_calls", "prefix"},
        "tool": {"role", "content", "tool_call_id", "name"},
    }
    for index, message in enumerate(messages_of(body)):
        for key in message.keys() - fields.get(message.get("role", ""), {"role", "content"}):
            yield Complaint(f"extra_forbidden: body.messages.{index}.{key}: Extra inputs are not permitted", key)


@MISTRAL.rule("https://github.com/editor-code-assistant/eca/issues/233")
def mistral_call_id_is_not_nine(body: Json) -> Iterator[Complaint]:
    """Ids of calls that are not nine letters and digits."""
    ids = [call.get("id") for _, call in calls_of(body)]
    ids += [message.get("tool_call_id") for message in messages_of(body) if message.get("role") == "tool"]
    for one in ids:
        if not _MISTRAL_ID.match(str(one)):
            words = f"Tool call id was {one} but must be a-z, A-Z, 0-9, with a length of 9."
            yield Complaint(words, None, "3280")


@MISTRAL.rule("https://github.com/mistralai/mistral-common, protocol/instruct/validator.py")
def mistral_order_of_roles(body: Json) -> Iterator[Complaint]:
    """A user after a tool, a system message in the middle, an assistant at the end."""
    roles = [str(message.get("role")) for message in messages_of(body)]
    for before, role in pairwise(roles):
        if (before == "tool" and role in ("user", "system")) or (role == "system" and before == "assistant"):
            yield Complaint(f"Unexpected role '{role}' after role '{before}'", None, "3230")
    if roles and roles[-1] not in ("user", "tool"):
        words = "Expected last role User or Tool (or Assistant with prefix True) for serving but got"
        yield Complaint(f"{words} {roles[-1]}", None, "3230")
    if "developer" in roles:
        yield Complaint(
            "union_tag_invalid: body.messages.0: Input tag 'developer' does not match any of the expected tags"
        )


@MISTRAL.rule("https://github.com/mistralai/mistral-common, protocol/instruct/validator.py")
def mistral_message_is_empty(body: Json) -> Iterator[Complaint]:
    """An assistant that says and does nothing, and an empty system message."""
    for message in messages_of(body):
        if message.get("role") == "assistant" and not message.get("content") and not message.get("tool_calls"):
            yield Complaint("Assistant message must have either content or tool_calls, but not none.", None, "3240")
        if message.get("role") == "system" and not message.get("content"):
            yield Complaint("System prompt must have content")


@MISTRAL.rule("https://github.com/mistralai/platform-docs-public, public/openapi.yaml", status=422)
def mistral_value_is_out_of_range(body: Json) -> Iterator[Complaint]:
    """A temperature over 1.5, and efforts but `none` and `high`."""
    if (body.get("temperature") or 0) > 1.5:
        yield Complaint("less_than_equal: body.temperature: Input should be less than or equal to 1.5", "temperature")
    effort = body.get("reasoning_effort")
    if effort not in (None, "none", "high"):
        yield Complaint(f"reasoning_effort={effort} is not supported for this model", "reasoning_effort")


@MISTRAL.rule("https://docs.mistral.ai/capabilities/vision")
def mistral_part_is_unknown(body: Json) -> Iterator[Complaint]:
    """Files in OpenAI's form."""
    for index, message in enumerate(messages_of(body)):
        for part in parts_of(message):
            if part.get("type") == "file":
                yield Complaint(f"union_tag_invalid: body.messages.{index}.content: Input tag 'file' does not match")


@DEEPSEEK.rule("https://github.com/earendil-works/pi/issues/3636")
def deepseek_reasoning_is_missing(body: Json) -> Iterator[Complaint]:
    """Calls of a model that thinks, without the thoughts that came with them."""
    thinks = "reasoner" in body["model"] or "v4" in body["model"]
    if not thinks or (body.get("thinking") or {}).get("type") == "disabled":
        return
    for message in messages_of(body):
        if message.get("role") == "assistant" and message.get("tool_calls") and "reasoning_content" not in message:
            yield Complaint("The `reasoning_content` in the thinking mode must be passed back to the API.")


@DEEPSEEK.rule("https://github.com/tailcallhq/forgecode/issues/2008")
def deepseek_content_is_no_text(body: Json) -> Iterator[Complaint]:
    """Content in parts."""
    for index, message in enumerate(messages_of(body)):
        if isinstance(message.get("content"), list):
            words = f"messages[{index}]: invalid type: sequence, expected a string at line 1 column 45446"
            yield Complaint(f"Failed to deserialize the JSON body into the target type: {words}")


@DEEPSEEK.rule("https://github.com/decolua/9router/issues/773")
def deepseek_role_is_unknown(body: Json) -> Iterator[Complaint]:
    """The developer's role."""
    for index, message in enumerate(messages_of(body)):
        if message.get("role") not in _DEEPSEEK_ROLES:
            words = f"messages[{index}].role: unknown variant `{message.get('role')}`"
            yield Complaint(f"Failed to deserialize the JSON body into the target type: {words}")


@DEEPSEEK.rule("https://github.com/evalstate/fast-agent/issues/109")
def deepseek_enforces_no_schema(body: Json) -> Iterator[Complaint]:
    """A schema of the answer."""
    if (body.get("response_format") or {}).get("type") == "json_schema":
        words = "response_format: response_format.type `json_schema` is unavailable now at line 1 column 6790"
        yield Complaint(f"Failed to deserialize the JSON body into the target type: {words}")


@DEEPSEEK.rule("https://github.com/langchain-ai/langchain/issues/40769")
def deepseek_choice_while_thinking(body: Json) -> Iterator[Complaint]:
    """A forced choice of tools while the model thinks."""
    thinks = "reasoner" in body["model"] or "v4" in body["model"]
    if thinks and body.get("tool_choice") not in (None, "auto", "none"):
        yield Complaint("Thinking mode does not support this tool_choice")


@DEEPSEEK.rule("https://github.com/Gitlawb/openclaude/issues/35")
def deepseek_output_limit(body: Json) -> Iterator[Complaint]:
    """More room than the model can write."""
    most = 393_216 if "v4" in body["model"] else 65_536 if "reasoner" in body["model"] else 8_192
    if (body.get("max_tokens") or 0) > most:
        yield Complaint(f"Invalid max_tokens value, the valid range of max_tokens is [1, {most}]")


@GROQ.rule("https://github.com/fanenr/chatbot/issues/21")
def groq_field_is_unknown(body: Json) -> Iterator[Complaint]:
    """Fields that the API does not have."""
    for key in body.keys() - set(_GROQ_TOP):
        yield Complaint(f"property '{key}' is unsupported")


@GROQ.rule("https://github.com/NousResearch/hermes-agent/issues/11089")
def groq_message_field_is_unknown(body: Json) -> Iterator[Complaint]:
    """Fields of a message that the API does not have."""
    takes = {"role", "content", "tool_calls", "tool_call_id", "reasoning"}
    for index, message in enumerate(messages_of(body)):
        for key in message.keys() - takes:
            start = f"'messages.{index}' : for 'role:{message.get('role')}' the following must be satisfied"
            yield Complaint(f"{start}[('messages.{index}' : property '{key}' is unsupported)]")


@GROQ.rule("https://console.groq.com/docs/structured-outputs")
def groq_schema_beside_tools(body: Json) -> Iterator[Complaint]:
    """An answer in JSON beside tools, or a schema of it in a stream."""
    kind = (body.get("response_format") or {}).get("type")
    if kind in ("json_object", "json_schema") and body.get("tools"):
        yield Complaint(f"response_format` {kind} cannot be combined with tool/function calling")
    if kind == "json_schema" and body.get("stream"):
        yield Complaint("response_format` json_schema cannot be combined with streaming")


@GROQ.rule("https://console.groq.com/docs/structured-outputs#supported-models")
def groq_schema_of_other_models(body: Json) -> Iterator[Complaint]:
    """A schema of the answer for a model that enforces none."""
    enforces = ("gpt-oss", "llama-4", "kimi-k2")
    kind = (body.get("response_format") or {}).get("type")
    if kind == "json_schema" and not any(name in body["model"] for name in enforces):
        yield Complaint("This model does not support response format `json_schema`.")


@GROQ.rule("https://github.com/HunorLaczko/ha-groq-cloud-api/issues/25")
def groq_tools_are_too_many(body: Json) -> Iterator[Complaint]:
    """More than 128 tools."""
    if len(body.get("tools") or ()) > 128:
        yield Complaint("'tools' : maximum number of items is 128")


@GROQ.rule("https://console.groq.com/docs/reasoning")
def groq_effort_is_not_the_models(body: Json) -> Iterator[Complaint]:
    """An effort that the model does not have."""
    effort, model = body.get("reasoning_effort"), body["model"]
    takes = ("none", "default") if "qwen3" in model else ("low", "medium", "high") if "gpt-oss" in model else ()
    if effort is not None and effort not in takes:
        said = f"`reasoning_effort` must be one of {' or '.join(f'`{one}`' for one in takes)}"
        yield Complaint(said if takes else "reasoning_effort is not supported with this model")


@XAI.rule("https://github.com/BerriAI/litellm/pull/16265")
def xai_has_no_effort(body: Json) -> Iterator[Complaint]:
    """An effort for models that set their own."""
    if body.get("reasoning_effort") is None:
        return
    if not re.match(r"grok-(3-mini|4\.[3-9]|[5-9])", body["model"]):
        yield Complaint(f"Model {body['model']} does not support parameter reasoningEffort.")
    elif body["reasoning_effort"] not in ("low", "high", "medium"):
        yield Complaint(f"This model does not support 'reasoning_effort' value '{body['reasoning_effort']}'")


@XAI.rule("https://github.com/miaoxworld/NativeTavern/issues/83")
def xai_parameter_is_unsupported(body: Json) -> Iterator[Complaint]:
    """Penalties, and stop sequences of models that reason."""
    names = {"presence_penalty": "presencePenalty", "frequency_penalty": "frequencyPenalty"}
    if "non-reasoning" not in body["model"]:
        names["stop"] = "stop"
    for key, name in names.items():
        if body.get(key) is not None:
            yield Complaint(f"Model {body['model']} does not support parameter {name}.")


@XAI.rule("https://github.com/vercel/ai, packages/xai")
def xai_message_is_empty(body: Json) -> Iterator[Complaint]:
    """Messages whose content is an empty text or list."""
    for message in messages_of(body):
        if message.get("content") in ("", []):
            yield Complaint("Invalid request content: Each message must have at least one content element.")


@XAI.rule("https://docs.x.ai/docs/guides/structured-outputs")
def xai_keyword_is_unsupported(body: Json) -> Iterator[Complaint]:
    """Keywords that its structured outputs do not know."""
    form = (body.get("response_format") or {}).get("json_schema") or {}
    for path, schema in _schemas(form.get("schema"), "schema"):
        for key in ("allOf", "minLength", "maxLength", "minItems", "maxItems", "minContains", "maxContains"):
            if key in schema:
                yield Complaint(f"Invalid arguments passed to the model: {path}: {key} is not supported")


@TOGETHER.rule(_PI)
def together_role_is_unknown(body: Json) -> Iterator[Complaint]:
    """The developer's role, which the templates of models do not know."""
    if any(message.get("role") == "developer" for message in messages_of(body)):
        yield Complaint("Input validation error: unknown role developer", "messages")


@TOGETHER.rule("https://github.com/BerriAI/litellm/pull/38263")
def together_effort_of_others(body: Json) -> Iterator[Complaint]:
    """An effort for models that do not reason."""
    reasons = ("gpt-oss", "DeepSeek-V4", "DeepSeek-R1", "Kimi", "Qwen3")
    if body.get("reasoning_effort") is not None and not any(name in body["model"] for name in reasons):
        yield Complaint("Input validation error: reasoning_effort is not supported by this model", "reasoning_effort")


@FIREWORKS.rule("https://github.com/FlowiseAI/Flowise/issues/2866")
def fireworks_field_is_unknown(body: Json) -> Iterator[Complaint]:
    """Fields that the API does not have."""
    for key in body.keys() - set(_FIREWORKS_TOP):
        yield Complaint(f"Extra inputs are not permitted, field: '{key}'")
    for index, message in enumerate(messages_of(body)):
        for key in ("reasoning", "reasoning_details", "extra_content"):
            if key in message:
                yield Complaint(f"Extra inputs are not permitted, field: 'messages[{index}].{key}'")


@FIREWORKS.rule("https://docs.fireworks.ai/structured-responses/structured-response-formatting")
def fireworks_schema_beside_tools(body: Json) -> Iterator[Complaint]:
    """An answer in JSON beside tools."""
    if body.get("tools") and (body.get("response_format") or {}).get("type") in ("json_object", "json_schema"):
        yield Complaint("You cannot specify response format and function call at the same time")


@FIREWORKS.rule("https://docs.fireworks.ai/structured-responses/structured-response-formatting")
def fireworks_keyword_is_unsupported(body: Json) -> Iterator[Complaint]:
    """Keywords that its grammars do not know."""
    form = (body.get("response_format") or {}).get("json_schema") or {}
    for path, schema in _schemas(form.get("schema"), "schema"):
        for key in ("oneOf", "minLength", "maxLength", "minItems", "maxItems", "pattern"):
            if key in schema:
                yield Complaint(f"{path}: {key} is not supported in a schema")


@OPENROUTER.rule("https://openrouter.ai/docs/use-cases/reasoning-tokens")
def openrouter_two_efforts(body: Json) -> Iterator[Complaint]:
    """Two ways of asking for an effort at once."""
    reasoning = body.get("reasoning") or {}
    if ("effort" in reasoning and "max_tokens" in reasoning) or (reasoning and body.get("reasoning_effort")):
        yield Complaint('Only one of "reasoning.effort" and "reasoning.max_tokens" may be specified')


@OLLAMA.rule("https://github.com/ollama/ollama, openai/openai.go")
def ollama_part_is_unknown(body: Json) -> Iterator[Complaint]:
    """Pictures by address, and files."""
    for message in messages_of(body):
        for part in parts_of(message):
            if part.get("type") not in ("text", "image_url", "input_audio"):
                yield Complaint("invalid message format")
            elif (part.get("image_url") or {}).get("url", "").startswith("http"):
                yield Complaint("image URLs are not currently supported, please use base64 encoded data instead")


@OLLAMA.rule("https://github.com/ollama/ollama, server/routes.go")
def ollama_cannot_think(body: Json) -> Iterator[Complaint]:
    """An effort for models that do not think."""
    thinks = ("gpt-oss", "qwen3", "deepseek-r1", "deepseek-v", "magistral")
    effort = body.get("reasoning_effort")
    if effort not in (None, "none") and not body["model"].startswith(thinks):
        yield Complaint(f'"{body["model"]}" does not support thinking')


@VLLM.rule("https://github.com/vllm-project/vllm, vllm/entrypoints/openai/chat_completion/protocol.py")
def vllm_choice_is_unknown(body: Json) -> Iterator[Complaint]:
    """Choices of tools in other words than OpenAI's."""
    choice = body.get("tool_choice")
    if isinstance(choice, str) and choice not in ("none", "auto", "required"):
        words = 'Only named tools, "none", "auto" or "required" are supported.'
        yield Complaint(f"Invalid value for `tool_choice`: {choice}! {words}")


@VLLM.rule("https://github.com/vllm-project/vllm, vllm/entrypoints/chat_utils.py")
def vllm_system_in_the_middle(body: Json) -> Iterator[Complaint]:
    """System messages anywhere but at the beginning, as templates of models refuse them."""
    for message in messages_of(body)[1:]:
        if message.get("role") in ("system", "developer"):
            yield Complaint("System message must be at the beginning.")


@VLLM.rule("https://github.com/vllm-project/vllm, xgrammar")
def vllm_keyword_is_unsupported(body: Json) -> Iterator[Complaint]:
    """Keywords that its grammars do not know."""
    form = (body.get("response_format") or {}).get("json_schema") or {}
    for _, schema in _schemas(form.get("schema"), "schema"):
        for key in ("patternProperties", "propertyNames", "uniqueItems", "contains", "minProperties", "multipleOf"):
            if key in schema:
                yield Complaint("The provided JSON schema contains features not supported by xgrammar.")


@LLAMA_CPP.rule("https://github.com/ggml-org/llama.cpp, tools/server/server-common.cpp")
def llama_choice_is_no_text(body: Json) -> Iterator[Complaint]:
    """A named choice of tools."""
    if isinstance(body.get("tool_choice"), dict):
        yield Complaint("type must be string, but is object")


@LLAMA_CPP.rule("https://github.com/ggml-org/llama.cpp/issues/19851", status=500)
def llama_roles_must_alternate(body: Json) -> Iterator[Complaint]:
    """Roles that do not alternate, as templates of models refuse them."""
    roles = [str(message.get("role")) for message in messages_of(body)]
    for before, role in pairwise(roles):
        if before == role and role != "tool":
            words = "After the optional system message, conversation roles must alternate user and assistant roles"
            yield Complaint(f"Jinja Exception: {words} except for tool calls and results.")


@LM_STUDIO.rule("https://github.com/lmstudio-ai/lmstudio-bug-tracker, 'response_format.type' must be")
def lm_studio_has_no_json_mode(body: Json) -> Iterator[Complaint]:
    """JSON mode."""
    if (body.get("response_format") or {}).get("type") == "json_object":
        yield Complaint("'response_format.type' must be 'json_schema' or 'text'")


@LM_STUDIO.rule("https://github.com/lmstudio-ai/lmstudio-bug-tracker, Invalid tool_choice type")
def lm_studio_choice_is_no_text(body: Json) -> Iterator[Complaint]:
    """A named choice of tools."""
    if isinstance(body.get("tool_choice"), dict):
        yield Complaint("Invalid tool_choice type: 'object'. Supported string values: none, auto, required")


@LM_STUDIO.rule("https://github.com/lmstudio-ai/lmstudio-bug-tracker, Invalid 'content'")
def lm_studio_part_is_unknown(body: Json) -> Iterator[Complaint]:
    """Files, and pictures by address."""
    for message in messages_of(body):
        for part in parts_of(message):
            if part.get("type") not in ("text", "image_url"):
                words = "'content' objects must have a 'type' field that is either 'text' or 'image_url'."
                yield Complaint(f"Invalid 'content': {words}")
            elif (part.get("image_url") or {}).get("url", "").startswith("http"):
                yield Complaint("'url' field must be a base64 encoded image.")


@LITELLM.rule("https://github.com/BerriAI/litellm, UnsupportedParamsError")
def litellm_calls_without_tools(body: Json) -> Iterator[Complaint]:
    """Past calls where there are no tools, for the models of Anthropic."""
    if "claude" in body["model"] and any(calls_of(body)) and not body.get("tools"):
        words = "Anthropic doesn't support tool calling without `tools=` param specified."
        yield Complaint(f"litellm.UnsupportedParamsError: {words}")


@AZURE.rule("https://github.com/pydantic/pydantic-ai, openai_chat_supports_document_input")
def azure_takes_no_file(body: Json) -> Iterator[Complaint]:
    """Files."""
    for index, message in enumerate(messages_of(body)):
        for part in parts_of(message):
            if part.get("type") == "file":
                yield Complaint(
                    "Invalid Value: 'file'. This model does not support file content types.", f"messages[{index}]"
                )


def envelope(dialect: str, message: str, param: str | None, code: str | None, status: int) -> Any:
    """Return an error in the dialect's own form."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    match dialect:
        case "gemini":
            return [{"error": {"code": status, "message": message, "status": "INVALID_ARGUMENT"}}]
        case "mistral":
            said = {"detail": [{"type": "extra_forbidden", "msg": message}]} if status == 422 else message
            return {"object": "error", "message": said, "type": "invalid_request_error", "param": param, "code": code}
        case "xai":
            return {"code": "Client specified an invalid argument", "error": message}
        case "lm_studio":
            return {"error": message}
        case "openrouter":
            raw = {"raw": json.dumps({"error": error}), "provider_name": "Upstream", "is_byok": False}
            return {"error": {"code": status, "message": "Provider returned error", "metadata": raw}}
        case "litellm":
            said = f"litellm.BadRequestError: OpenAIException - {message}. Received Model Group=x"
            return {"error": {"message": said, "type": None, "param": None, "code": str(status)}}
        case _:
            return {"error": error}
