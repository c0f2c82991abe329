"""Controls of the rules of providers with models of their own: Gemini, Mistral, DeepSeek, xAI, Moonshot and Qwen."""

from __future__ import annotations

from typing import Any

from tests.conformance.wire_rules.bodies import (
    LOOSE,
    SCHEMA,
    Control,
    assistant,
    call,
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
_OLD = "gemini-2.5-flash"
_NEW = "gemini-3-flash-preview"
_SIGNED = call() | {"extra_content": {"google": {"thought_signature": "sig"}}}
_NINE = "abcdEF123"
_THINKING = {"extra_body": {"google": {"thinking_config": {"thinking_level": "low"}}}}


def _gemini(**parameters: Any) -> dict[str, Any]:
    """A body with a tool that has a property."""
    schema = {"type": "object", "properties": {"x": parameters}}
    return chat(tools=[function(parameters=schema)], model=_OLD)


GEMINI: dict[str, Control] = {
    "thought_signature_is_missing": control(
        chat(_HI, calls(_SIGNED), tool(), tools=_TOOLS, model=_NEW),
        chat(_HI, calls(), tool(), tools=_TOOLS, model=_NEW),
    ),
    "gemini_field_is_unknown": control(
        chat(model=_OLD, seed=1), chat(model=_OLD, store=False), chat(model=_OLD, top_k=3)
    ),
    "gemini_keyword_is_unknown": control(
        _gemini(type="string"), _gemini(type="string", const="x"), chat(tools=[function(parameters=SCHEMA)], model=_OLD)
    ),
    "gemini_object_is_empty": control(
        chat(tools=[function(parameters=...)], model=_OLD),
        chat(tools=[function(parameters={"type": "object", "properties": {}})], model=_OLD),
    ),
    "gemini_array_without_items": control(
        _gemini(type="array", items={"type": "string"}), _gemini(type="array", items={})
    ),
    "gemini_items_of_no_array": control(
        _gemini(anyOf=[{"type": "string"}]), _gemini(anyOf=[{"type": "string"}], items={"type": "string"})
    ),
    "gemini_type_is_missing": control(
        _gemini(type="string"), _gemini(description="Anything."), _gemini(type=["string", "null"])
    ),
    "gemini_enum_is_no_text": control(
        _gemini(type="string", enum=["a"]),
        _gemini(type="integer", enum=[1]),
    ),
    "gemini_format_is_unknown": control(
        _gemini(type="string", format="date-time"),
        _gemini(type="string", format="uuid"),
    ),
    "gemini_required_is_unknown": control(
        chat(tools=_TOOLS, model=_OLD), chat(tools=[function(parameters=LOOSE | {"required": ["other"]})], model=_OLD)
    ),
    "gemini_name_is_none": control(
        chat(tools=[function(name="_look_up")], model=_OLD), chat(tools=[function(name="2look")], model=_OLD)
    ),
    "gemini_tools_beside_json": control(
        chat(tools=_TOOLS, response_format=form(), model=_NEW), chat(tools=_TOOLS, response_format=form(), model=_OLD)
    ),
    "gemini_results_are_too_many": control(
        chat(_HI, calls(), tool(), tools=_TOOLS, model=_OLD),
        chat(_HI, calls(), tool(), tool(), tools=_TOOLS, model=_OLD),
    ),
    "gemini_part_is_empty": control(chat(model=_OLD), chat(_HI, assistant(""), _HI, model=_OLD)),
    "gemini_always_thinks": control(
        chat(reasoning_effort="none", model=_OLD),
        chat(reasoning_effort="none", model=_NEW),
        chat(reasoning_effort="none", model="gemini-2.5-pro"),
    ),
    "gemini_level_of_old_models": control(chat(model=_NEW, **_THINKING), chat(model=_OLD, **_THINKING)),
    "gemini_thinking_is_asked_twice": control(
        chat(model=_NEW, **_THINKING), chat(model=_NEW, reasoning_effort="low", **_THINKING)
    ),
}

_MISTRAL: dict[str, Any] = {"tools": _TOOLS, "model": "mistral-large-latest"}
_CALLED = (_HI, calls(call(_NINE)), tool(_NINE))
MISTRAL: dict[str, Control] = {
    "mistral_field_is_unknown": control(
        chat(random_seed=1), chat(seed=1), chat(max_completion_tokens=99), chat(stream_options={"include_usage": True})
    ),
    "mistral_message_field_is_unknown": control(
        chat(_HI, assistant("So."), _HI), chat(_HI, assistant("So.") | {"reasoning_content": "Hm."}, _HI)
    ),
    "mistral_call_id_is_not_nine": control(chat(*_CALLED, **_MISTRAL), chat(_HI, calls(), tool(), **_MISTRAL)),
    "mistral_order_of_roles": control(
        chat(*_CALLED, assistant("So."), _HI, **_MISTRAL),
        chat(*_CALLED, _HI, **_MISTRAL),
        chat(_HI, assistant("So."), system(), _HI),
    ),
    "mistral_last_is_the_assistant": control(
        chat(_HI, assistant("So") | {"prefix": True}), chat(_HI, assistant("So")), chat(_HI, system())
    ),
    "mistral_first_is_the_assistant": control(chat(system(), _HI), chat(assistant("So."), _HI)),
    "mistral_role_is_unknown": control(chat(system(), _HI), chat(system(role="developer"), _HI)),
    "mistral_results_are_not_as_many": control(chat(*_CALLED, **_MISTRAL), chat(*_CALLED, tool(_NINE), **_MISTRAL)),
    "mistral_message_is_empty": control(chat(system(), _HI), chat(system(""), _HI), chat(_HI, assistant(""), _HI)),
    "mistral_temperature_is_too_high": control(chat(temperature=1.5), chat(temperature=1.6)),
    "mistral_effort_is_unknown": control(chat(reasoning_effort="high"), chat(reasoning_effort="low")),
    "mistral_part_is_unknown": control(chat(user(picture())), chat(user(file()))),
}

_THINKS = "deepseek-v4-flash"
_NAMED = {"type": "function", "function": {"name": "look_up"}}
_SURE = {"reasoning_content": ""}
DEEPSEEK: dict[str, Control] = {
    "deepseek_reasoning_is_missing": control(
        chat(_HI, calls(**_SURE), tool(), tools=_TOOLS, model=_THINKS),
        chat(_HI, calls(), tool(), tools=_TOOLS, model=_THINKS),
        chat(_HI, calls(), tool(), tools=_TOOLS, model="deepseek-reasoner"),
    ),
    "deepseek_content_is_no_text": control(chat(), chat(user(text("Hello?")))),
    "deepseek_role_is_unknown": control(chat(system(), _HI), chat(system(role="developer"), _HI)),
    "deepseek_enforces_no_schema": control(
        chat(user("As JSON."), response_format={"type": "json_object"}), chat(response_format=form())
    ),
    "deepseek_choice_while_thinking": control(
        chat(tools=_TOOLS, tool_choice="required", model=_THINKS, thinking={"type": "disabled"}),
        chat(tools=_TOOLS, tool_choice="required", model=_THINKS),
        chat(tools=_TOOLS, tool_choice=_NAMED, model="deepseek-reasoner"),
    ),
    "deepseek_output_limit": control(
        chat(max_tokens=65_536, model="deepseek-reasoner"),
        chat(max_tokens=8_193, model="deepseek-chat"),
        chat(max_tokens=500_000, model=_THINKS),
    ),
}

_FAST = "grok-4-fast-non-reasoning"
XAI: dict[str, Control] = {
    "xai_has_no_effort": control(
        chat(reasoning_effort="low", model="grok-3-mini"), chat(reasoning_effort="low", model="grok-4-fast-reasoning")
    ),
    "xai_effort_is_unknown": control(
        chat(reasoning_effort="none", model="grok-4.3"),
        chat(reasoning_effort="none", model="grok-4.5"),
        chat(reasoning_effort="medium", model="grok-3-mini"),
    ),
    "xai_parameter_is_unsupported": control(
        chat(stop=["x"], model=_FAST), chat(stop=["x"], model="grok-4.3"), chat(presence_penalty=0, model=_FAST)
    ),
    "xai_message_is_empty": control(
        chat(_HI, calls(content=""), tool(), tools=_TOOLS),
        chat(_HI, calls(content=None), tool(), tools=_TOOLS),
        chat(_HI, assistant(""), _HI),
    ),
    "xai_keyword_is_unsupported": control(
        chat(response_format=form()),
        chat(response_format=form({"type": "object", "properties": {"x": {"type": "string", "minLength": 1}}})),
    ),
    "xai_search_is_gone": control(chat(), chat(search_parameters={"mode": "auto"})),
}

_KIMI = "kimi-k2.6"
MOONSHOT: dict[str, Control] = {
    "moonshot_temperature_is_fixed": control(chat(temperature=1, model=_KIMI), chat(temperature=0.5, model=_KIMI)),
    "moonshot_choice_while_thinking": control(
        chat(tools=_TOOLS, tool_choice="auto", model=_KIMI),
        chat(tools=_TOOLS, tool_choice="required", model=_KIMI),
        chat(tools=_TOOLS, tool_choice=_NAMED, model=_KIMI),
        chat(tools=_TOOLS, tool_choice=_NAMED, model="kimi-k3"),
    ),
    "moonshot_thinking_is_asked_twice": control(
        chat(thinking={"type": "enabled"}, model=_KIMI),
        chat(thinking={"type": "enabled"}, reasoning_effort="low", model=_KIMI),
    ),
    "moonshot_reasoning_is_missing": control(
        chat(_HI, calls(**_SURE), tool(), tools=_TOOLS, model=_KIMI),
        chat(_HI, calls(), tool(), tools=_TOOLS, model=_KIMI),
    ),
    "moonshot_schema_is_refused": control(
        chat(tools=_TOOLS, response_format=form(), model=_KIMI),
        chat(
            tools=[function(parameters={"type": "object", "properties": {"x": {"type": "string", "anyOf": [{}]}}})],
            model=_KIMI,
        ),
        chat(response_format=form(LOOSE | {"$schema": "https://json-schema.org/draft/2020-12/schema"}), model=_KIMI),
    ),
    "moonshot_message_is_empty": control(chat(model=_KIMI), chat(_HI, assistant(""), _HI, model=_KIMI)),
}

_WEIGHTS = "qwen3-32b"
QWEN: dict[str, Control] = {
    "qwen_choice_while_thinking": control(
        chat(tools=_TOOLS, tool_choice="required", model="qwen-plus"),
        chat(tools=_TOOLS, tool_choice="required", model=_WEIGHTS),
        chat(tools=_TOOLS, tool_choice=_NAMED, model="qwen-plus", enable_thinking=True),
    ),
    "qwen_thinking_is_streamed": control(
        chat(stream=..., enable_thinking=False, model=_WEIGHTS), chat(stream=..., model=_WEIGHTS)
    ),
    "qwen_temperature_is_too_high": control(chat(temperature=1.9), chat(temperature=2)),
    "qwen_output_limit": control(chat(max_tokens=8_192, model="qwen-max"), chat(max_tokens=8_193, model="qwen-max")),
}
