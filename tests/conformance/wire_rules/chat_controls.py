"""Controls of the rules that all servers of Chat Completions share, and of OpenAI's own."""

from __future__ import annotations

from tests.conformance.wire_rules.bodies import (
    LONG,
    LOOSE,
    Control,
    assistant,
    call,
    calls,
    chat,
    chat_called,
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
_HUGE = "x" * 10_485_761
_NAMED = {"type": "function", "function": {"name": "look_up"}}
_REASONS = "gpt-5.6-terra"

MESSAGES: dict[str, Control] = {
    "chat_model_is_missing": control(chat(), chat(model=...)),
    "messages_are_missing": control(chat(), chat(messages=...), chat(messages=[])),
    "message_role_is_unknown": control(
        chat(system(role="developer"), _HI), chat({"role": "bot", "content": "x"}), chat({"content": "x"})
    ),
    "message_has_no_content": control(
        chat_called() | {"messages": [_HI, calls(content=None), tool()]},
        chat({"role": "user"}),
        chat(_HI, {"role": "assistant", "content": None}, _HI),
        chat({"role": "developer"}, _HI),
        chat({"role": "developer", "content": None}, _HI),
    ),
    "part_type_is_unknown": control(
        chat(user(text("Hello?"), picture())),
        chat(user({"type": "input_text", "text": "Hello?"})),
        chat(_HI, assistant({"type": "output_text", "text": "So."}), _HI),
    ),
    "picture_is_not_the_users": control(
        chat(user(picture())),
        chat(_HI, calls(), tool(content=[picture()]), tools=_TOOLS),
        chat({"role": "system", "content": [picture()]}, _HI),
    ),
    "part_is_not_text": control(chat(user(file())), chat(_HI, calls(), tool(content=[file()]), tools=_TOOLS)),
    "file_part_is_incomplete": control(
        chat(user(file())),
        chat(user(file(filename=...))),
        chat(user(file(file_url="https://example.com/a.pdf"))),
        chat(user(file(file_data="JVBERi0="))),
    ),
    "picture_is_not_one": control(
        chat(user(picture("https://example.com/a.png"))), chat(user(picture("data:application/pdf;base64,JVBERi0=")))
    ),
    "message_is_too_long": control(chat(user("x")), chat(user(_HUGE)), chat(user(text(_HUGE)))),
}

CALLS: dict[str, Control] = {
    "tool_calls_are_empty": control(
        chat_called(),
        chat(_HI, calls(tool_calls=[]), _HI),
        chat(_HI, calls(*[call(f"c{n}") for n in range(129)]), *[tool(f"c{n}") for n in range(129)], tools=_TOOLS),
    ),
    "call_name_does_not_match": control(
        chat_called(),
        chat(_HI, calls(call(name="functions.look_up")), tool(), tools=_TOOLS),
        chat(_HI, calls(call(name=LONG)), tool(), tools=_TOOLS),
    ),
    "call_is_incomplete": control(
        chat_called(),
        chat(_HI, calls(call("")), tool(""), tools=_TOOLS),
        chat(_HI, calls(call(arguments=...)), tool(), tools=_TOOLS),
        chat(_HI, calls(call(arguments={"what": "x"})), tool(), tools=_TOOLS),
    ),
    "call_arguments_are_no_object": control(
        chat(_HI, calls(call(arguments="{}")), tool(), tools=_TOOLS),
        chat(_HI, calls(call(arguments="")), tool(), tools=_TOOLS),
        chat(_HI, calls(call(arguments="{cut")), tool(), tools=_TOOLS),
        chat(_HI, calls(call(arguments="[]")), tool(), tools=_TOOLS),
    ),
    "tool_message_without_call": control(
        chat_called(),
        chat(_HI, tool(), tools=_TOOLS),
        chat(_HI, calls(), tool(), tool("other"), tools=_TOOLS),
        chat(_HI, calls(), {"role": "tool", "content": "x"}, tools=_TOOLS),
    ),
    "calls_are_not_answered": control(
        chat(_HI, calls(call("a"), call("b")), tool("b"), tool("a"), _HI, tools=_TOOLS),
        chat(_HI, calls(call("a"), call("b")), tool("b"), _HI, tools=_TOOLS),
        chat(_HI, calls(), tools=_TOOLS),
    ),
}

TOOLS: dict[str, Control] = {
    "tools_are_empty": control(chat(), chat(tools=[])),
    "tool_name_does_not_match": control(
        chat(tools=[function(name="n" * 64)]),
        chat(tools=[function(name="n" * 65)]),
        chat(tools=[function(name="look up")]),
        chat(tools=[function(name=...)]),
    ),
    "tool_schema_is_refused": control(
        chat(tools=[function(parameters=...)]),
        chat(tools=[function(parameters={"type": "string"})]),
        chat(tools=[function(strict=True)]),
    ),
    "response_format_is_none": control(
        chat(response_format=form()), chat(response_format=form(name=...)), chat(response_format=form(name="An answer"))
    ),
    "response_schema_is_refused": control(
        chat(response_format=form(LOOSE)), chat(response_format=form(LOOSE, strict=True))
    ),
    "json_object_without_the_word": control(
        chat(user("As JSON."), response_format={"type": "json_object"}), chat(response_format={"type": "json_object"})
    ),
    "choice_without_tools": control(
        chat(parallel_tool_calls=False, model=_REASONS),
        chat(tool_choice="auto"),
        chat(parallel_tool_calls=False),
    ),
    "choice_names_no_tool": control(
        chat(tools=_TOOLS, tool_choice=_NAMED), chat(tools=[function(name="other")], tool_choice=_NAMED)
    ),
    "stream_options_without_stream": control(
        chat(stream_options={"include_usage": True}), chat(stream_options={"include_usage": True}, stream=...)
    ),
}

OWN: dict[str, Control] = {
    "chat_parameter_is_unknown": control(
        chat(), chat(reasoning={"effort": "low"}), chat(_HI, assistant("So.") | {"reasoning_content": "Hm."}, _HI)
    ),
    "role_is_not_the_models": control(
        chat(system(), _HI, model="o4-mini"),
        chat(system(), _HI, model="o1-mini"),
        chat(system(role="developer"), _HI, model="o1-preview"),
    ),
    "chat_call_id_is_too_long": control(
        chat(_HI, calls(call("c" * 40)), tool("c" * 40), tools=_TOOLS),
        chat(_HI, calls(call("c" * 41)), tool("c" * 41), tools=_TOOLS),
    ),
    "tools_are_too_many": control(
        chat(tools=[function(name=f"tool_{n}") for n in range(128)]),
        chat(tools=[function(name=f"tool_{n}") for n in range(129)]),
    ),
    "chat_number_is_out_of_bounds": control(
        chat(n=1, temperature=2), chat(n=0), chat(temperature=2.5), chat(max_completion_tokens=0)
    ),
    "chat_metadata_is_too_much": control(chat(metadata={"k": "v"}), chat(metadata={"k": "v" * 513})),
    "max_tokens_of_reasoning_models": control(
        chat(max_completion_tokens=99, model=_REASONS), chat(max_tokens=99, model=_REASONS)
    ),
    "two_output_limits": control(chat(max_tokens=99), chat(max_tokens=99, max_completion_tokens=99)),
    "output_limit_is_too_large": control(
        chat(max_tokens=16_384, model="gpt-4o"),
        chat(max_tokens=32_768, model="gpt-4o"),
        chat(max_completion_tokens=200_000, model=_REASONS),
    ),
    "chat_sampling_while_reasoning": control(
        chat(temperature=0.5, reasoning_effort="none", model=_REASONS),
        chat(temperature=0.5, model=_REASONS),
        chat(top_p=1, model="o4-mini"),
        chat(presence_penalty=1, model=_REASONS),
        chat(logprobs=True, model=_REASONS),
    ),
    "parameter_is_gone": control(
        chat(stop=["x"], model="gpt-4.1"), chat(stop=["x"], model=_REASONS), chat(logit_bias={"1": 1}, model="o3")
    ),
    "chat_effort_is_not_the_models": control(
        chat(reasoning_effort="xhigh", model=_REASONS),
        chat(reasoning_effort="max", model=_REASONS),
        chat(reasoning_effort="low", model="gpt-4o"),
    ),
    "tools_of_reasoning_models": control(
        chat(tools=_TOOLS, reasoning_effort="none", model=_REASONS),
        chat(tools=_TOOLS, model=_REASONS),
        chat(tools=_TOOLS, reasoning_effort="low", model="gpt-5.4-mini"),
    ),
    "parallel_calls_of_o_models": control(
        chat(tools=_TOOLS, parallel_tool_calls=False, model="gpt-5-mini"),
        chat(tools=_TOOLS, parallel_tool_calls=False, model="o4-mini"),
    ),
    "response_format_of_old_models": control(
        chat(response_format=form(), model="gpt-4o"), chat(response_format=form(), model="gpt-4-turbo")
    ),
    "picture_for_a_blind_model": control(
        chat(user(picture()), model="o4-mini"), chat(user(picture()), model="o3-mini")
    ),
    "too_many_stops": control(chat(stop=["x"] * 4), chat(stop=["x"] * 5), chat(stop=[])),
    "chat_cache_is_not_the_models": control(
        chat(prompt_cache_retention="24h", model=_REASONS), chat(prompt_cache_retention="in_memory", model=_REASONS)
    ),
}
