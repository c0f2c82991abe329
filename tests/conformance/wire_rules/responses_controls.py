"""Controls of the rules of OpenAI's Responses endpoint."""

from __future__ import annotations

from tests.conformance.wire_rules.bodies import (
    FUNCTION,
    JPEG,
    LONG,
    LOOSE,
    PDF,
    Control,
    answer_format,
    asked,
    assistant,
    called,
    control,
    output,
    reasoned,
    responses,
)

_HI = asked("Hello?")
_PLAIN = "gpt-4.1"
_SEARCH = {"type": "web_search"}
_TRACKER = {"type": "mcp", "server_label": "tracker", "server_url": "https://example.com/mcp"}
_INTERPRETER = {"type": "code_interpreter", "container": {"type": "auto"}}
_FILES = {"type": "file_search", "vector_store_ids": ["vs_1"]}
_HUGE = "x" * 10_485_761
_JSON = {"format": {"type": "json_object"}}


def _image(url: str) -> dict[str, str]:
    return {"type": "input_image", "image_url": url, "detail": "auto"}


def _file(data: str) -> dict[str, str]:
    return {"type": "input_file", "filename": "a.pdf", "file_data": data}


FIELDS: dict[str, Control] = {
    "model_is_missing": control(responses(), responses(model=...)),
    "input_is_missing": control(responses(input="Hello?"), responses(input=...), responses(input=[])),
    "parameter_has_moved": control(
        responses(),
        responses(messages=[_HI]),
        responses(response_format={"type": "json_object"}),
        responses(reasoning_effort="low"),
    ),
    "parameter_is_unknown": control(responses(), responses(stop=["x"]), responses(seed=1), responses(max_tokens=99)),
    "number_is_out_of_bounds": control(
        responses(max_output_tokens=16),
        responses(max_output_tokens=15),
        responses(max_tool_calls=0),
        responses(temperature=3, model=_PLAIN),
    ),
    "key_is_too_long": control(
        responses(prompt_cache_key="k" * 64, safety_identifier="s" * 128),
        responses(prompt_cache_key="k" * 65),
        responses(safety_identifier="s" * 129),
    ),
    "metadata_is_too_much": control(
        responses(metadata={"k": "v" * 512}),
        responses(metadata={f"k{n}": "v" for n in range(17)}),
        responses(metadata={"k": "v" * 513}),
        responses(metadata={"k" * 65: "v"}),
    ),
    "instructions_are_no_text": control(responses(instructions="Be brief."), responses(instructions=[_HI])),
    "cache_is_not_the_models": control(
        responses(prompt_cache_retention="24h"),
        responses(prompt_cache_retention="in_memory"),
        responses(prompt_cache_retention="in_memory", model="gpt-5.5"),
    ),
    "two_things_go_on": control(responses(), responses(previous_response_id="resp_1", conversation="conv_1")),
    "conversation_is_not_kept": control(
        responses(), responses(conversation="conv_1"), responses(conversation={"id": "conv_1"})
    ),
    "earlier_response_is_not_kept": control(responses(), responses(previous_response_id="resp_1")),
}

ITEMS: dict[str, Control] = {
    "role_is_unknown": control(
        responses({"role": "developer", "content": "Be brief."}, _HI),
        responses(_HI, {"role": "tool", "content": "x"}),
    ),
    "content_is_missing": control(
        responses(_HI), responses({"role": "user"}), responses({"role": "user", "content": None})
    ),
    "part_has_the_wrong_type": control(
        responses(_HI, assistant({"type": "output_text", "text": "So.", "annotations": []}), _HI),
        responses(_HI, assistant({"type": "input_text", "text": "So."}), _HI),
        responses(asked({"type": "text", "text": "Hello?"})),
        responses(_HI, called(), output(output=[{"type": "output_text", "text": "x"}]), tools=[FUNCTION]),
    ),
    "phase_is_not_an_assistants": control(
        responses(_HI, assistant("I look.") | {"phase": "commentary"}, _HI), responses(_HI | {"phase": "commentary"})
    ),
    "output_without_call": control(
        responses(_HI, called(), output()), responses(_HI, output()), responses(_HI, output(), called())
    ),
    "call_without_output": control(
        responses(_HI, called("a"), called("b"), output("b"), _HI, output("a")),
        responses(_HI, called("a"), called("b"), output("b")),
    ),
    "call_id_is_too_long": control(
        responses(_HI, called("c" * 64), output("c" * 64)), responses(_HI, called("c" * 65), output("c" * 65))
    ),
    "item_id_has_the_wrong_prefix": control(
        responses(_HI, called(id="fc_1"), output()), responses(_HI, called(id="call_1"), output())
    ),
    "item_id_is_malformed": control(
        responses(_HI, called(id="fc_" + "1" * 61), output()),
        responses(_HI, called(id="fc_1|2"), output()),
        responses(_HI, called(id="fc_1-2"), output()),
        responses(_HI, called(id="fc_12_"), output()),
        responses(_HI, called(id="fc_" + "1" * 62), output()),
    ),
    "item_is_there_twice": control(
        responses(_HI, called("a", id="fc_1"), called("b", id="fc_2"), output("a"), output("b")),
        responses(_HI, called("a", id="fc_1"), called("b", id="fc_1"), output("a"), output("b")),
    ),
    "text_is_no_text": control(
        responses(_HI, called(), output()),
        responses(_HI, called(arguments={"what": "x"}), output()),
        responses(_HI, called(), output(output={"x": 1})),
    ),
}

REASONING: dict[str, Control] = {
    "reasoning_without_following_item": control(
        responses(_HI, reasoned(), called(), output()), responses(_HI, reasoned(), _HI), responses(_HI, reasoned())
    ),
    "item_without_its_reasoning": control(
        responses(_HI, reasoned(), called(id="fc_1_after_rs_1"), output()),
        responses(_HI, called(id="fc_1_after_rs_1"), output()),
    ),
    "item_is_not_kept": control(
        responses(_HI, reasoned(), called(), output()),
        responses(_HI, reasoned(encrypted_content=...), called(), output()),
        responses({"type": "item_reference", "id": "msg_1"}, _HI),
    ),
    "reasoning_item_is_misshapen": control(
        responses(_HI, reasoned(content=[]), called(), output()),
        responses(_HI, reasoned(summary=...), called(), output()),
        responses(_HI, reasoned(content=[{"type": "reasoning_text", "text": "Hm."}]), called(), output()),
    ),
    "encrypted_content_is_not_ours": control(
        responses(_HI, reasoned(), called(), output()),
        responses(_HI, reasoned(encrypted_content="sig=="), called(), output()),
    ),
    "encrypted_content_of_a_model_without": control(
        responses(include=["reasoning.encrypted_content"]),
        responses(include=["reasoning.encrypted_content"], model=_PLAIN),
    ),
    "reasoning_is_asked_of_a_model_without": control(
        responses(reasoning={"effort": "low", "summary": "auto"}),
        responses(reasoning={"effort": "low"}, model=_PLAIN),
        responses(reasoning={"summary": "auto"}, model=_PLAIN),
        responses(_HI, reasoned(), called(), output(), model=_PLAIN),
    ),
    "effort_is_not_the_models": control(
        responses(reasoning={"effort": "max"}),
        responses(reasoning={"effort": "minimal"}),
        responses(reasoning={"effort": "none"}, model="gpt-5-mini"),
    ),
    "sampling_is_fixed_while_reasoning": control(
        responses(temperature=0.5, reasoning={"effort": "none"}),
        responses(temperature=1),
        responses(top_p=0.5, model="o4-mini"),
        responses(presence_penalty=1, model="gpt-5.4", reasoning={"effort": "low"}),
    ),
    "logprobs_while_reasoning": control(
        responses(top_logprobs=2, model=_PLAIN),
        responses(top_logprobs=2),
        responses(include=["message.output_text.logprobs"]),
    ),
}

TOOLS: dict[str, Control] = {
    "tool_has_no_name": control(
        responses(tools=[FUNCTION]),
        responses(tools=[{"type": "function", "function": FUNCTION}]),
        responses(tools=[{"name": "look_up", "parameters": LOOSE}]),
    ),
    "function_name_does_not_match": control(
        responses(tools=[FUNCTION | {"name": "n" * 128}]),
        responses(tools=[FUNCTION | {"name": LONG}]),
        responses(_HI, called(name="functions.look_up"), output()),
    ),
    "parameters_are_no_schema": control(
        responses(tools=[FUNCTION | {"parameters": LOOSE, "strict": False}]),
        responses(tools=[FUNCTION | {"parameters": LOOSE}]),
    ),
    "tool_choice_names_no_tool": control(
        responses(tools=[FUNCTION, _SEARCH], tool_choice=_SEARCH),
        responses(tool_choice="required"),
        responses(tools=[FUNCTION], tool_choice={"type": "function", "name": "other"}),
        responses(tools=[FUNCTION], tool_choice={"type": "function", "function": {"name": "look_up"}}),
        responses(tools=[FUNCTION], tool_choice={"type": "allowed_tools", "mode": "auto", "tools": [_SEARCH]}),
    ),
    "deferred_tools_need_a_search": control(
        responses(tools=[FUNCTION | {"defer_loading": True}, {"type": "tool_search"}]),
        responses(tools=[FUNCTION | {"defer_loading": True}]),
    ),
    "hosted_tool_lacks_a_field": control(
        responses(tools=[_TRACKER, _INTERPRETER, _FILES]),
        responses(tools=[{k: v for k, v in _TRACKER.items() if k != "server_label"}]),
        responses(tools=[{k: v for k, v in _TRACKER.items() if k != "server_url"}]),
        responses(tools=[{"type": "code_interpreter"}]),
        responses(tools=[_FILES | {"vector_store_ids": []}]),
    ),
    "label_does_not_match": control(
        responses(tools=[_TRACKER]),
        responses(tools=[_TRACKER | {"server_label": "our.tracker"}]),
        responses(tools=[_TRACKER | {"server_label": "n" * 65}]),
    ),
    "label_is_there_twice": control(
        responses(tools=[_TRACKER, _TRACKER | {"server_label": "other"}]),
        responses(tools=[_TRACKER, _TRACKER | {"server_label": "Tracker"}]),
    ),
    "hosted_tools_need_more_effort": control(
        responses(tools=[_SEARCH], reasoning={"effort": "low"}, model="gpt-5-mini"),
        responses(tools=[_SEARCH], reasoning={"effort": "minimal"}, model="gpt-5-mini"),
    ),
    "hosted_tool_is_not_the_models": control(
        responses(tools=[_SEARCH], model=_PLAIN), responses(tools=[_SEARCH], model="gpt-4.1-nano")
    ),
}

CONTENT: dict[str, Control] = {
    "text_part_is_too_long": control(
        responses(input="x" * 1_000),
        responses(input=_HUGE),
        responses(asked({"type": "input_text", "text": _HUGE})),
        responses(_HI, called(), output(output=_HUGE)),
    ),
    "image_is_not_one": control(
        responses(asked(_image(f"data:image/jpeg;base64,{JPEG}"))),
        responses(asked(_image("data:application/pdf;base64,JVBERi0="))),
        responses(asked(_image("data:image/png;base64,"))),
        responses(asked(_image("a.png"))),
    ),
    "file_is_not_one": control(
        responses(asked(_file(f"data:application/pdf;base64,{PDF}"))),
        responses(asked(_file(PDF))),
        responses(asked(_file("data:audio/mpeg;base64,AAAA"))),
    ),
    "answer_format_is_none": control(
        responses(text=answer_format()),
        responses(text=answer_format(name=...)),
        responses(text=answer_format(name="An answer")),
        responses(text=answer_format(name="n" * 65)),
    ),
    "answer_schema_is_refused": control(
        responses(text=answer_format(LOOSE, strict=False)),
        responses(text=answer_format(LOOSE)),
    ),
    "answer_schema_of_old_models": control(
        responses(text=answer_format()), responses(text=answer_format(), model="gpt-4-turbo")
    ),
    "json_mode_without_the_word": control(
        responses(asked("As JSON, please."), text=_JSON), responses(text=_JSON, instructions="As JSON.")
    ),
}
