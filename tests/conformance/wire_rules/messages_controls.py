"""Controls of the rules of Anthropic's Messages endpoint, but those of tools and content."""

from __future__ import annotations

from typing import Any

from tests.conformance.wire_rules.bodies import (
    CLAUDE_TOOL,
    FOUND,
    SEARCH,
    Control,
    assistant,
    claude,
    claude_called,
    control,
    image,
    result,
    text,
    thought,
    use,
    user,
)
from tests.fakes.wire.rule import Json

_HI = user("Hello?")

_BUDGET = {"type": "enabled", "budget_tokens": 2_000}
_NEWEST = "claude-sonnet-5-5"
_OLD = "claude-haiku-4-5"


def _paused(**fields: Any) -> Json:
    """A request that goes on with a call of code execution once the client's own call has its result."""
    messages = [_HI, assistant(SEARCH | {"name": "code_execution"}, use()), user(result())]
    return claude(
        *messages, tools=[CLAUDE_TOOL, {"type": "code_execution_20250825", "name": "code_execution"}], **fields
    )


FIELDS: dict[str, Control] = {
    "request_is_too_large": control(claude(user("x" * 1_000)), claude(user("x" * 33_600_000))),
    "field_is_missing": control(
        claude(), claude(model=...), claude(max_tokens=...), claude(messages=...), claude(messages=[])
    ),
    "max_tokens_is_negative": control(claude(max_tokens=1), claude(max_tokens=-1)),
    "max_tokens_is_too_large": control(
        claude(model=_OLD, max_tokens=64_000), claude(model=_OLD, max_tokens=64_001), claude(max_tokens=200_000)
    ),
    "sampling_is_gone": control(claude(), claude(temperature=0.5), claude(top_p=1), claude(top_k=3)),
    "stop_sequence_is_blank": control(claude(stop_sequences=["END"]), claude(stop_sequences=["END", " \n"])),
}

CONVERSATION: dict[str, Control] = {
    "speaker_is_unknown": control(
        claude(_HI, model=_NEWEST),
        claude({"role": "developer", "content": "Be brief."}, _HI),
        claude({"content": "Hello?"}),
    ),
    "system_message_is_not_the_models": control(
        claude(_HI, {"role": "system", "content": "Be brief."}, model=_NEWEST),
        claude(_HI, {"role": "system", "content": "Be brief."}, model=_OLD),
    ),
    "system_message_is_misplaced": control(
        claude(_HI, {"role": "system", "content": "Be brief."}, model=_NEWEST),
        claude({"role": "system", "content": "Be brief."}, _HI, model=_NEWEST),
        claude(_HI, {"role": "system", "content": "Be brief."}, _HI, model=_NEWEST),
        claude(_HI, {"role": "system", "content": []}, model=_NEWEST),
        claude(_HI, {"role": "system", "content": "  "}, model=_NEWEST),
    ),
    "system_text_is_blank": control(claude(system=[text("Be brief.")]), claude(system=[text("Be brief."), text(" ")])),
    "text_is_empty": control(
        claude(_HI, {"role": "assistant", "content": ""}, _HI),
        claude(user(text("Hello?"), text(""))),
        claude(_HI, assistant(text("")), _HI),
        claude_called() | {"messages": [_HI, assistant(use()), user(result(content=[text("")]))]},
    ),
    "text_is_blank": control(claude(user(" Hello? ")), claude(user(" \n ")), claude(user(text("Hello?"), text(" ")))),
    "user_says_nothing": control(
        claude(user(""), _HI), claude(user("")), claude(_HI, assistant("So."), user(), user(""))
    ),
    "first_is_not_the_user": control(claude(_HI, assistant("So."), _HI), claude(assistant("So."), _HI)),
    "last_is_the_assistant": control(
        claude(_HI, assistant("So it"), model=_OLD),
        claude(_HI, assistant("So it")),
        claude(_HI, assistant("So it"), model=_NEWEST),
    ),
    "prefill_ends_blank": control(
        claude(_HI, assistant("So it"), model=_OLD),
        claude(_HI, assistant("So it "), model=_OLD),
        claude(_HI, assistant(text("So it\n")), model=_OLD),
    ),
    "thought_stands_last": control(
        claude(_HI, assistant(thought()), _HI),
        claude(_HI, assistant(text("So."), thought())),
        claude(_HI, assistant(thought()), model=_OLD),
    ),
}

CALLS: dict[str, Control] = {
    "block_is_anothers": control(
        claude_called(),
        claude(user(text("Go"), use()), tools=[CLAUDE_TOOL]),
        claude(user(text("Go"), thought())),
        claude(_HI, assistant(result()), _HI, tools=[CLAUDE_TOOL]),
        claude(_HI, assistant(image()), _HI),
    ),
    "call_is_not_answered": control(
        claude(
            _HI, assistant(use("a"), use("b")), user(result("b")), user(result("a"), text("So?")), tools=[CLAUDE_TOOL]
        ),
        claude(_HI, assistant(use("a"), use("b")), user(result("a")), tools=[CLAUDE_TOOL]),
        claude(_HI, assistant(use()), user(text("So?"), result()), tools=[CLAUDE_TOOL]),
        claude(_HI, assistant(use()), tools=[CLAUDE_TOOL]),
    ),
    "result_without_call": control(
        claude_called(),
        claude(user(result()), tools=[CLAUDE_TOOL]),
        claude(_HI, assistant(use("a")), user(result("a"), result("b")), tools=[CLAUDE_TOOL]),
    ),
    "call_is_answered_twice": control(
        claude_called(), claude(_HI, assistant(use()), user(result(), result()), tools=[CLAUDE_TOOL])
    ),
    "call_id_is_there_twice": control(
        claude(_HI, assistant(use("a"), use("b")), user(result("a"), result("b")), tools=[CLAUDE_TOOL]),
        claude(_HI, assistant(use(), use()), user(result()), tools=[CLAUDE_TOOL]),
    ),
    "call_id_has_other_characters": control(
        claude_called(),
        claude(_HI, assistant(use("a.b")), user(result("a.b")), tools=[CLAUDE_TOOL]),
        claude_called(use(id=...)),
    ),
    "servers_call_id_is_another": control(
        claude(_HI, assistant(SEARCH, FOUND), _HI), claude(_HI, assistant(SEARCH | {"id": "call_1"}))
    ),
    "called_name_is_too_long": control(
        claude_called(use(name="functions.look_up")), claude_called(use(name="n" * 201)), claude_called(use(name=""))
    ),
    "call_input_is_no_object": control(
        claude_called(use(input={})), claude_called(use(input='{"what": "x"}')), claude_called(use(input=None))
    ),
    "failed_result_has_more_than_text": control(
        claude_called() | {"messages": [_HI, assistant(use()), user(result(is_error=True))]},
        claude_called() | {"messages": [_HI, assistant(use()), user(result(is_error=True, content=[image()]))]},
    ),
    "calls_need_tools": control(claude_called(), claude_called(tools=...)),
    "servers_tool_is_not_there": control(
        claude(_HI, assistant(SEARCH)),
        claude(_HI, assistant(SEARCH, text("So.")), _HI),
    ),
    "container_is_not_said": control(
        _paused(container="container_1"),
        _paused(),
    ),
    "servers_result_without_call": control(
        claude(_HI, assistant(SEARCH, FOUND, text("So.")), _HI), claude(_HI, assistant(FOUND, text("So.")), _HI)
    ),
}

THINKING: dict[str, Control] = {
    "thinking_is_not_the_models": control(
        claude(thinking={"type": "adaptive"}),
        claude(thinking={"type": "adaptive"}, model=_OLD),
        claude(thinking={"type": "between_tools"}),
        claude(thinking=_BUDGET, model=_NEWEST),
        claude(thinking={"type": "disabled"}, model=_NEWEST),
    ),
    "effort_is_not_a_models": control(
        claude(output_config={"effort": "max"}),
        claude(output_config={"effort": "xhigh"}),
        claude(output_config={"effort": "low"}, model=_OLD),
    ),
    "effort_needs_thinking": control(
        claude(thinking={"type": "disabled"}, output_config={"effort": "high"}, model="claude-opus-5"),
        claude(thinking={"type": "disabled"}, output_config={"effort": "max"}, model="claude-opus-5"),
        claude(thinking={"type": "between_tools"}, output_config={"effort": "xhigh"}, model=_NEWEST),
    ),
    "budget_is_out_of_range": control(
        claude(thinking=_BUDGET),
        claude(thinking=_BUDGET | {"budget_tokens": 1_000}),
        claude(thinking=_BUDGET, max_tokens=2_000),
    ),
    "thought_is_missing_before_calls": control(
        claude_called(thought(), use(), thinking=_BUDGET),
        claude_called(thinking=_BUDGET),
        claude_called(text("I look."), use(), thinking=_BUDGET),
    ),
    "thought_is_not_first": control(
        claude(_HI, assistant(thought(), text("So.")), _HI, thinking=_BUDGET),
        claude(_HI, assistant(text("So."), thought(), text("Yes.")), _HI, thinking=_BUDGET),
    ),
    "thought_is_incomplete": control(
        claude(_HI, assistant(thought(thinking=""), text("So.")), _HI),
        claude(_HI, assistant(thought(signature=...), text("So.")), _HI),
        claude(_HI, assistant(thought(thinking=...), text("So.")), _HI),
    ),
    "signature_is_none": control(
        claude(_HI, assistant(thought(), text("So.")), _HI),
        claude(_HI, assistant(thought(signature=""), text("So.")), _HI),
    ),
}
