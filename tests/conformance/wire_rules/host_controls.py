"""Controls of the rules of providers that run open models, of gateways, and of servers of one's own."""

from __future__ import annotations

from typing import Any

from tests.conformance.wire_rules.bodies import (
    LOOSE,
    SCHEMA,
    Control,
    assistant,
    calls,
    chat,
    control,
    file,
    form,
    function,
    picture,
    system,
    text,
    tool,
    user,
)

_HI = user("Hello?")
_TOOLS = [function()]
_NAMED = {"type": "function", "function": {"name": "look_up"}}
_JSON = {"type": "json_object"}
_GPT = "openai/gpt-oss-120b"
_WEB = "https://example.com/a.png"
_LLAMA = "llama-3.3-70b-versatile"


def _schema(**property_: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"x": {"type": "string", **property_}}}


def _strict(**property_: Any) -> dict[str, Any]:
    schema = _schema(**property_) | {"required": ["x"], "additionalProperties": False}
    return form(schema, strict=True)


GROQ: dict[str, Control] = {
    "groq_field_is_unknown": control(chat(seed=1), chat(store=False), chat(prompt_cache_key="k")),
    "groq_message_field_is_unknown": control(
        chat(_HI, assistant("So.") | {"reasoning": "Hm."}, _HI),
        chat(_HI, assistant("So.") | {"reasoning_content": "Hm."}, _HI),
        chat(_HI | {"name": "Ann"}),
    ),
    "groq_json_beside_tools": control(
        chat(user("As JSON."), response_format=_JSON), chat(user("As JSON."), response_format=_JSON, tools=_TOOLS)
    ),
    "groq_schema_in_a_stream": control(
        chat(response_format=form(), stream=..., model=_GPT), chat(response_format=form(), model=_GPT)
    ),
    "groq_schema_of_other_models": control(
        chat(response_format=form(), stream=..., model=_GPT), chat(response_format=form(), stream=..., model=_LLAMA)
    ),
    "groq_tools_are_too_many": control(
        chat(tools=[function(name=f"tool_{n}") for n in range(128)]),
        chat(tools=[function(name=f"tool_{n}") for n in range(129)]),
    ),
    "groq_output_limit": control(
        chat(max_tokens=32_768, model=_LLAMA),
        chat(max_tokens=32_769, model=_LLAMA),
        chat(max_completion_tokens=65_537, model=_GPT),
    ),
    "groq_effort_is_not_the_models": control(
        chat(reasoning_effort="low", model=_GPT),
        chat(reasoning_effort="low", model="qwen/qwen3-32b"),
        chat(reasoning_effort="low", model=_LLAMA),
    ),
    "groq_answers_once": control(chat(n=1), chat(n=2)),
}

TOGETHER: dict[str, Control] = {
    "together_role_is_unknown": control(chat(system(), _HI), chat(system(role="developer"), _HI)),
    "together_effort_of_others": control(
        chat(reasoning_effort="low", model=_GPT),
        chat(reasoning_effort="low", model="meta-llama/Llama-3.3-70B-Instruct-Turbo"),
    ),
}

FIREWORKS: dict[str, Control] = {
    "fireworks_field_is_unknown": control(
        chat(_HI, assistant("So.") | {"reasoning_content": "Hm."}, _HI, top_k=3),
        chat(store=False),
        chat(_HI, assistant("So.") | {"reasoning": "Hm."}, _HI),
    ),
    "fireworks_schema_beside_tools": control(chat(response_format=form()), chat(response_format=form(), tools=_TOOLS)),
    "fireworks_keyword_is_unsupported": control(
        chat(response_format=form(_schema())), chat(response_format=form(_schema(pattern="^x$")))
    ),
    "fireworks_long_answers_are_streamed": control(chat(max_tokens=8_000), chat(max_tokens=8_000, stream=...)),
}

CEREBRAS: dict[str, Control] = {
    "cerebras_field_is_unknown": control(chat(seed=1), chat(store=False), chat(frequency_penalty=1)),
    "cerebras_message_field_is_unknown": control(
        chat(_HI, assistant("So.") | {"reasoning": "Hm."}, _HI),
        chat(_HI, assistant("So.") | {"reasoning_content": "Hm."}, _HI),
    ),
    "cerebras_keyword_is_unsupported": control(
        chat(response_format=_strict()), chat(response_format=_strict(pattern="^x$"))
    ),
    "cerebras_strict_is_mixed": control(
        chat(tools=[function(), function(name="other")]),
        chat(tools=[function(), function(name="other", parameters=SCHEMA, strict=True)]),
    ),
}

OPENROUTER: dict[str, Control] = {
    "openrouter_two_efforts": control(
        chat(reasoning={"effort": "low"}),
        chat(reasoning={"effort": "low", "max_tokens": 2_000}),
        chat(reasoning={"effort": "low"}, reasoning_effort="low"),
    ),
    "openrouter_must_reason": control(
        chat(reasoning={"enabled": False}, model="google/gemini-2.5-flash"),
        chat(reasoning={"enabled": False}, model="google/gemini-3.1-pro-preview"),
        chat(reasoning={"effort": "none"}, model="google/gemini-2.5-pro"),
    ),
}

LITELLM: dict[str, Control] = {
    "litellm_calls_without_tools": control(
        chat(_HI, calls(), tool(), tools=_TOOLS, model="claude-sonnet-4-5"),
        chat(_HI, calls(), tool(), model="claude-sonnet-4-5"),
    ),
    "litellm_parameter_is_unsupported": control(
        chat(reasoning_effort="low", model="gpt-5-mini"), chat(reasoning_effort="low", model="gpt-4o")
    ),
}

AZURE: dict[str, Control] = {
    "azure_takes_no_file": control(chat(user(picture()), model="gpt-4o"), chat(user(file()), model="gpt-4o")),
    "azure_description_is_too_long": control(
        chat(tools=[function(description="d" * 1_024)]), chat(tools=[function(description="d" * 1_025)])
    ),
}

OLLAMA: dict[str, Control] = {
    "ollama_part_is_unknown": control(chat(user(text("Hello?"), picture())), chat(user(file()))),
    "ollama_picture_is_not_taken": control(
        chat(user(picture())), chat(user(picture(_WEB))), chat(user(picture("data:image/gif;base64,R0lGODlh")))
    ),
    "ollama_cannot_think": control(
        chat(reasoning_effort="low", model="gpt-oss:20b"), chat(reasoning_effort="low", model="llama3.2")
    ),
    "ollama_effort_is_unknown": control(
        chat(reasoning_effort="max", model="qwen3"), chat(reasoning_effort="extreme", model="qwen3")
    ),
    "ollama_repetitions_are_too_many": control(
        chat(tools=[function(parameters=_schema(maxLength=2_000))], response_format=form(_schema(maxLength=1_999))),
        chat(response_format=form(_schema(maxLength=2_000))),
    ),
    "ollama_has_no_tools": control(chat(tools=_TOOLS, model="llama3.2"), chat(tools=_TOOLS, model="gemma3")),
}

VLLM: dict[str, Control] = {
    "vllm_choice_is_unknown": control(chat(tools=_TOOLS, tool_choice=_NAMED), chat(tools=_TOOLS, tool_choice="any")),
    "vllm_schema_is_missing": control(chat(response_format=form()), chat(response_format={"type": "json_schema"})),
    "vllm_probabilities_of_nothing": control(chat(logprobs=True, top_logprobs=2), chat(top_logprobs=2)),
    "vllm_system_in_the_middle": control(chat(system(), _HI), chat(_HI, assistant("So."), system(), _HI)),
    "vllm_keyword_is_unsupported": control(
        chat(response_format=form(_schema(pattern="x"))),
        chat(response_format=form(_schema(pattern="x", maxLength=9))),
        chat(response_format=form(_schema(type="integer", multipleOf=5))),
        chat(response_format=form(_schema(type="array", items={"type": "string"}, uniqueItems=True))),
        chat(response_format=form(LOOSE | {"patternProperties": {"^x": {"type": "string"}}})),
    ),
}

LLAMA_CPP: dict[str, Control] = {
    "llama_part_is_unknown": control(chat(user(picture(_WEB))), chat(user(file()))),
    "llama_two_answers_last": control(chat(_HI, assistant("So")), chat(_HI, assistant("So."), assistant("Yes"))),
    "llama_probabilities_beside_tools": control(chat(logprobs=True), chat(logprobs=True, tools=_TOOLS)),
    "llama_pattern_is_open": control(
        chat(tools=[function(parameters=_schema(pattern="^[a-z]+$"))]),
        chat(tools=[function(parameters=_schema(pattern="[a-z]+"))]),
        chat(response_format=form(_schema(pattern="^[a-z]+"))),
    ),
    "llama_pattern_has_classes": control(
        chat(response_format=form(_schema(pattern="^[0-9]+$"))), chat(response_format=form(_schema(pattern=r"^\d+$")))
    ),
    "llama_repetitions_are_too_many": control(
        chat(tools=[function(parameters=_schema(minLength=1, maxLength=1_999, pattern="^[a-z]{1,1999}$"))]),
        chat(tools=[function(parameters=_schema(maxLength=2_000))]),
        chat(response_format=form(_schema(type="array", items={"type": "string"}, minItems=2_001))),
        chat(response_format=form(_schema(pattern="^[a-z]{2001}$"))),
    ),
    "llama_bound_is_too_large": control(
        chat(response_format=form(_schema(type="integer", minimum=0, maximum=2**63 - 1))),
        chat(response_format=form(_schema(type="integer", maximum=2**63))),
    ),
    "llama_roles_must_alternate": control(chat(system(), _HI, assistant("So."), _HI), chat(_HI, _HI)),
}

LM_STUDIO: dict[str, Control] = {
    "lm_studio_has_no_json_mode": control(chat(response_format=form()), chat(user("JSON"), response_format=_JSON)),
    "lm_studio_repetitions_are_too_many": control(
        chat(tools=[function(parameters=_schema(maxLength=1_999))]),
        chat(tools=[function(parameters=_schema(maxLength=2_000))]),
        chat(response_format=form(_schema(type="array", items={"type": "string"}, maxItems=2_000))),
    ),
    "lm_studio_choice_is_no_text": control(
        chat(tools=_TOOLS, tool_choice="required"), chat(tools=_TOOLS, tool_choice=_NAMED)
    ),
    "lm_studio_part_is_unknown": control(chat(user(picture())), chat(user(file()))),
    "lm_studio_picture_is_not_taken": control(
        chat(user(picture())), chat(user(picture(_WEB))), chat(user(picture("data:image/webp;base64,UklGRg==")))
    ),
}
