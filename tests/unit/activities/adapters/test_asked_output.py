"""How an answer is asked for by a profile, and how it comes back in the form that was asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from sostenuto.activities.adapters.providers.asking.asked_output import asked_output
from sostenuto.activities.adapters.providers.asking.prepared import prepared
from sostenuto.activities.adapters.providers.asking.wire_tools import WireTools
from sostenuto.activities.adapters.providers.profiles.known import ProfileChange, Profiles
from sostenuto.activities.adapters.providers.profiles.profile import Profile
from sostenuto.activities.model_adapter import Completion, ModelRequest
from sostenuto.contracts.control.usage import Usage
from sostenuto.contracts.errors import SetupError
from sostenuto.contracts.message import Message, Part, ReasoningPart, Role, TextPart, ToolCallPart
from sostenuto.contracts.model import Model, OutputSchema
from sostenuto.contracts.tool import ToolDefinition
from sostenuto.contracts.wire.model_call import StopReason

TEXT = {"type": "string"}
ODD: dict[str, Any] = {"type": "object", "properties": {"@type": TEXT, "filter[id]": TEXT}, "required": ["@type"]}
FREE: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 1}
STRICT = Profile(output="strict")


def _request(schema: dict[str, Any], *tools: ToolDefinition) -> ModelRequest:
    output = OutputSchema(name="answer", json_schema=schema)
    return ModelRequest(Model("openai/gpt-5"), "", (Message.user("So?"),), tools=tools, output=output)


def _completion(*parts: Part) -> Completion:
    message = Message(role=Role.ASSISTANT, parts=parts)
    return Completion(message=message, model="m", stop=StopReason.END, usage=Usage())


def _restored(said: Completion, request: ModelRequest) -> Completion:
    asked = asked_output(request, STRICT)
    assert asked
    return asked.restored(said)


def test_what_can_be_said_strictly_is() -> None:
    asked = asked_output(_request(ODD), STRICT)
    assert asked
    assert (asked.mode, asked.strict) == ("strict", True)
    assert list((asked.schema or {})["properties"]) == ["type", "filter_id"]


@pytest.mark.parametrize(
    ("changes", "mode", "keyword"),
    [
        ({}, "schema", "minProperties"),
        ({"unenforced_schema": "open-xai"}, "schema", "description"),
        ({"output_unenforced": False}, "words", ""),
    ],
)
def test_what_cannot_is_asked_for_by_a_schema_that_is_not_enforced_or_in_words(
    changes: dict[str, Any], mode: str, keyword: str
) -> None:
    asked = asked_output(_request(FREE), STRICT.model_copy(update=changes))
    assert asked
    assert (asked.mode, asked.strict) == (mode, False)
    assert keyword in (asked.schema or {"": ""})
    assert json.dumps(FREE, separators=(",", ":")) in asked.words


@pytest.mark.parametrize("cut", [0, 5, 12])
def test_an_answer_comes_back_in_the_form_that_was_asked_for(cut: int) -> None:
    written = '{"type": "a", "filter_id": "ё"}'
    thought = ReasoningPart(provider="openai", text="Hm.")
    said = _completion(thought, *(TextPart(text=text) for text in (written[:cut], written[cut:]) if text))
    restored = _restored(said, _request(ODD)).message
    assert restored.parts[0] == thought
    assert restored.text == '{"@type": "a", "filter[id]": "ё"}'
    assert Draft202012Validator(ODD).is_valid(json.loads(restored.text))


@pytest.mark.parametrize("text", ["no JSON", "", '{"type": "a"', "[" * 3_000])
def test_an_answer_that_is_no_json_stays_as_it_is(text: str) -> None:
    said = _completion(TextPart(text=text))
    assert _restored(said, _request(ODD)) is said


def test_an_answer_that_was_asked_for_as_it_is_stays_so() -> None:
    said = _completion(TextPart(text='{"a":1}'))
    asked = asked_output(_request({"type": "object", "properties": {"a": {}}}), Profile())
    assert asked
    assert asked.restored(said) is said
    assert asked_output(ModelRequest(Model("openai/x"), "", ()), STRICT) is None


def _called(tools: WireTools, **arguments: Any) -> Any:
    call = ToolCallPart(id="1", name="find", arguments=arguments)
    return tools.received(call).arguments


def test_calls_come_back_in_the_form_of_the_tool() -> None:
    tools = WireTools((ToolDefinition(name="find", parameters=ODD),), "plain")
    assert _called(tools, type="a") == {"@type": "a"}
    assert tools.sent(ToolCallPart(id="1", name="find", arguments={"@type": "a"})) == ("find", {"type": "a"})


def test_arguments_that_would_be_no_object_or_too_deep_stay_as_they_are() -> None:
    tools = WireTools((ToolDefinition(name="find", parameters=FREE),), "gemini")
    assert _called(tools, value='{"a": 1}') == {"a": 1}
    assert _called(tools, value="[1]") == {"value": "[1]"}
    deep: Any = {}
    for _ in range(100):
        deep = {"a": deep}
    anything = WireTools(
        (ToolDefinition(name="find", parameters={"type": "object", "properties": {"a": {}}}),), "gemini"
    )
    assert _called(anything, a=json.dumps(deep)) == {"a": json.dumps(deep)}


def test_tools_that_strict_rules_cannot_say_are_sent_as_every_provider_takes_them() -> None:
    ((_, sent),) = WireTools((ToolDefinition(name="find", parameters=FREE),), "closed").described
    assert sent == {"properties": {}, **FREE}


def test_what_is_asked_for_is_fitted_once() -> None:
    profiles = Profiles("openai", [ProfileChange("other", {"output_schema": "plain", "tool_schema": "gemini"})])
    request = _request(ODD, ToolDefinition(name="find", parameters=ODD))
    first, again = prepared(request, profiles), prepared(request, profiles)
    assert again.tools is first.tools
    assert again.output is first.output
    other = prepared(replace(request, model=Model("openai/other")), profiles)
    assert other.tools is not first.tools
    assert other.output is not first.output


@pytest.mark.parametrize("field", ["output_schema", "unenforced_schema", "tool_schema"])
def test_rules_that_there_are_not_are_named(field: str) -> None:
    with pytest.raises(SetupError, match=rf"{field}: .*'closd', not one of plain, .*gemini"):
        Profiles("openai", [ProfileChange("*", {field: "closd"})])


def test_what_is_not_enforced_has_no_strict_rules() -> None:
    with pytest.raises(SetupError, match="not one of plain"):
        Profiles("openai", [ProfileChange("*", {"unenforced_schema": "closed"})])
