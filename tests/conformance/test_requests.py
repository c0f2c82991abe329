"""What goes out over the wire, by protocol: the same prompt in three vocabularies."""

from __future__ import annotations

import base64
import json
from enum import Enum
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from sostenuto.activities.model_adapter import Delta
from sostenuto.contracts.errors import InvalidRequest
from sostenuto.contracts.message import (
    FilePart,
    ImagePart,
    Message,
    OpaquePart,
    Part,
    PartRef,
    ReasoningPart,
    Role,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from sostenuto.contracts.model import OutputSchema
from sostenuto.contracts.specs.output import output_schema
from sostenuto.contracts.wire.model_call import StopReason
from tests.conformance.subject import ANSWER, KEY, LOOK_UP, OVER_THE_WIRE, on_the_wire, request
from tests.fakes.wire.server import Received
from tests.fakes.wire.streams import WireStep

PNG = ImagePart(media_type="image/png", data="iVBORw0KGgo=")
WEB_PNG = ImagePart(media_type="image/png", url="https://example.com/a.png")
PDF = FilePart(media_type="application/pdf", data="JVBERi0=", name="a.pdf")
WEB_PDF = FilePart(media_type="application/pdf", url="https://example.com/a.pdf", name="a.pdf")
NOTE = FilePart(media_type="text/markdown", data=base64.b64encode(b"# Notes").decode(), name="notes.md")

PARALLEL = (
    Message.user("Compare Oslo and Bergen."),
    Message(
        role=Role.ASSISTANT,
        parts=(
            TextPart(text="I look."),
            ToolCallPart(id="call_1_0", name="look_up", arguments={"what": "Oslo"}),
            ToolCallPart(id="call_1_1", name="look_up", malformed='{"what": "Ber'),
        ),
    ),
    Message(
        role=Role.TOOL,
        parts=(ToolResultPart(call_id="call_1_0", name="look_up", content="700000", attachments=(PNG,)),),
    ),
    Message(
        role=Role.TOOL,
        parts=(ToolResultPart(call_id="call_1_1", name="look_up", content="no JSON", is_error=True),),
    ),
)


def _assistant(*parts: Part) -> Message:
    return Message(role=Role.ASSISTANT, parts=parts)


async def _sent(protocol: str, *messages: Message, lenient: bool = False, **settings: Any) -> Received:
    steps = [WireStep(text="Fine.")] * 4
    async with on_the_wire(protocol, *steps, lenient=lenient) as (adapter, server):
        await adapter.complete(request(protocol, *messages, **settings))
        return server.requests[0]


async def _prompt(protocol: str, *messages: Message, **settings: Any) -> list[dict[str, Any]]:
    """The messages or items that went out, without the system's."""
    body = (await _sent(protocol, *messages, **settings)).body
    sent: list[dict[str, Any]] = body["input"] if protocol == "openai" else body["messages"]
    return [message for message in sent if message.get("role") != "system"]


def _holds(tree: Any, wanted: dict[str, Any]) -> bool:
    """Whether an object somewhere in the tree has all that is wanted."""
    if isinstance(tree, dict):
        return wanted.items() <= tree.items() or any(_holds(value, wanted) for value in tree.values())
    return isinstance(tree, list) and any(_holds(value, wanted) for value in tree)


async def test_anthropic_gets_all_results_of_parallel_calls_in_one_user_message() -> None:
    _, calls, results = await _prompt("anthropic", *PARALLEL)
    assert calls["content"] == [
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "call_1_0", "name": "look_up", "input": {"what": "Oslo"}},
        {"type": "tool_use", "id": "call_1_1", "name": "look_up", "input": {"INVALID_JSON": '{"what": "Ber'}},
    ]
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG.data}}
    assert results == {
        "role": "user",
        "content": [
            {
                "type": "tool_result",
                "tool_use_id": "call_1_0",
                "content": [{"type": "text", "text": "700000"}, image],
            },
            {
                "type": "tool_result",
                "tool_use_id": "call_1_1",
                "content": [{"type": "text", "text": "no JSON"}],
                "is_error": True,
                "cache_control": {"type": "ephemeral"},
            },
        ],
    }


async def test_openai_gets_calls_and_results_as_items() -> None:
    _, *items = await _prompt("openai", *PARALLEL)
    picture = {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo=", "detail": "auto"}
    assert items == [
        {"role": "assistant", "content": "I look."},
        {"type": "function_call", "call_id": "call_1_0", "name": "look_up", "arguments": '{"what": "Oslo"}'},
        {
            "type": "function_call",
            "call_id": "call_1_1",
            "name": "look_up",
            "arguments": json.dumps({"INVALID_JSON": '{"what": "Ber'}),
        },
        {
            "type": "function_call_output",
            "call_id": "call_1_0",
            "output": [{"type": "input_text", "text": "700000"}, picture],
        },
        {"type": "function_call_output", "call_id": "call_1_1", "output": "Error: no JSON"},
    ]


async def test_compatible_gets_attachments_before_whatever_comes_next() -> None:
    prompt = await _prompt("compatible", *PARALLEL, _assistant(TextPart(text="So.")), Message.user("Sure?"))
    assert [message["role"] for message in prompt] == ["user", "assistant", "tool", "tool", "user", "assistant", "user"]


@pytest.mark.parametrize("protocol", ["openai", "compatible"])
async def test_an_assistants_picture_cannot_be_sent(protocol: str) -> None:
    with pytest.raises(InvalidRequest, match="no image part"):
        await _prompt(protocol, Message.user("Go"), _assistant(PNG))


async def test_compatible_gets_a_message_per_result_and_attachments_after_the_last() -> None:
    _, calls, first, second, attached = await _prompt("compatible", *PARALLEL)
    assert calls["content"] == "I look."
    assert [call["id"] for call in calls["tool_calls"]] == ["call_1_0", "call_1_1"]
    assert first == {"role": "tool", "tool_call_id": "call_1_0", "content": "700000"}
    assert second == {"role": "tool", "tool_call_id": "call_1_1", "content": "Error: no JSON"}
    assert attached["role"] == "user"
    assert attached["content"] == [
        {"type": "text", "text": "Attached to the result of look_up (call_1_0):"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
    ]


async def test_anthropic_marks_what_the_next_call_begins_with_for_the_cache() -> None:
    body = (await _sent("anthropic", Message.user("One"), _assistant(TextPart(text="1")), Message.user("Two"))).body
    mark = {"type": "ephemeral"}
    assert body["system"] == [{"type": "text", "text": "Be brief.", "cache_control": mark}]
    # What the last call ended with is marked as well: the API looks back no further than 20 blocks.
    assert [["cache_control" in block for block in message["content"]] for message in body["messages"]] == [
        [True],
        [False],
        [True],
    ]
    without_system = (await _sent("anthropic", instructions="")).body
    assert without_system["tools"][-1]["cache_control"] == mark
    assert "system" not in without_system


async def test_openai_gets_a_cache_key_that_follows_the_prefix_alone() -> None:
    first = (await _sent("openai", Message.user("One"))).body["prompt_cache_key"]
    second = (await _sent("openai", Message.user("Two"))).body["prompt_cache_key"]
    other = (await _sent("openai", Message.user("One"), instructions="Be long.")).body["prompt_cache_key"]
    assert first == second != other
    assert len(first) <= 64


@pytest.mark.parametrize("protocol", OVER_THE_WIRE)
async def test_reasoning_goes_back_as_it_came_and_to_its_own_provider_alone(protocol: str) -> None:
    """The second call's wire holds the very block that the first answer's wire held."""
    async with on_the_wire(protocol, WireStep(reasoning="Hmm.", text="So."), WireStep(text="Yes.")) as (
        adapter,
        server,
    ):
        first = (await adapter.complete(request(protocol))).message
        await adapter.complete(request(protocol, Message.user("Go"), first, Message.user("Sure?")))
        went = server.requests[1].body
    (thought,) = (part for part in first.parts if isinstance(part, ReasoningPart))
    assert thought.provider == protocol
    wire: dict[str, dict[str, Any]] = {
        "anthropic": {"type": "thinking", "thinking": "Hmm.", "signature": "sig=="},
        "openai": {
            "id": "rs_1",
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "Hmm."}],
            "encrypted_content": "gAAA==",
        },
        "compatible": {"reasoning_content": "Hmm."},
    }
    kept = wire[protocol]
    assert thought.data == kept
    assert _holds(went, kept)
    for stranger in set(OVER_THE_WIRE) - {protocol}:
        prompt = await _prompt(stranger, Message.user("Go"), first, Message.user("Sure?"))
        assert "Hmm." not in json.dumps(prompt)
        assert "So." in json.dumps(prompt)


OPAQUE: dict[str, list[dict[str, Any]]] = {
    "anthropic": [
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
    ],
    "openai": [
        {
            "id": "ws_1",
            "type": "web_search_call",
            "status": "completed",
            "action": {"type": "search", "query": "x"},
        }
    ],
}


@pytest.mark.parametrize("protocol", list(OPAQUE))
async def test_any_other_block_of_a_provider_is_kept_and_sent_back_verbatim(protocol: str) -> None:
    blocks = OPAQUE[protocol]
    script = WireStep(blocks=tuple(blocks), text="So."), WireStep(text="Yes.")
    async with on_the_wire(protocol, *script) as (adapter, server):
        first = (await adapter.complete(request(protocol))).message
        await adapter.complete(request(protocol, Message.user("Go"), first, Message.user("Sure?")))
        went = server.requests[1].body
    for block in blocks:
        assert OpaquePart(provider=protocol, data=block, tool="web_search") in first.parts
        assert _holds(went, block)
    assert "web_search" not in json.dumps(await _prompt("compatible", Message.user("Go"), first))


async def test_the_input_of_anthropics_own_tools_is_put_together() -> None:
    block = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    pieces = [{"type": "input_json_delta", "partial_json": piece} for piece in ('{"query":', ' "x"}')]
    events = [{"type": "content_block_delta", "index": 0, "delta": piece} for piece in pieces]
    told: list[Delta] = []
    async with on_the_wire("anthropic", WireStep(blocks=(block,), events=tuple(events))) as (adapter, _):
        message = (await adapter.complete(request("anthropic"), told.append)).message
    data = block | {"input": {"query": "x"}}
    assert message.parts == (OpaquePart(provider="anthropic", data=data, tool="web_search"),)
    assert not told, "it is not a tool of ours"


async def test_redacted_thinking_is_kept() -> None:
    block = {"type": "redacted_thinking", "data": "EmwK"}
    async with on_the_wire("anthropic", WireStep(blocks=(block,), text="So.")) as (adapter, _):
        first = (await adapter.complete(request("anthropic"))).message
    assert first.parts[0] == ReasoningPart(provider="anthropic", data=block)


async def test_openai_gets_the_phase_of_its_messages_back() -> None:
    content = [{"type": "output_text", "text": "I look.", "annotations": []}]
    item = {"id": "m", "type": "message", "role": "assistant", "status": "completed", "phase": "commentary"}
    step = WireStep(blocks=(item | {"content": content},))
    async with on_the_wire("openai", step, WireStep(text="Yes.")) as (adapter, server):
        first = (await adapter.complete(request("openai"))).message
        await adapter.complete(request("openai", Message.user("Go"), first, Message.user("Sure?")))
        assert first.text == "I look."
        assert server.requests[1].body["input"][1] == {
            "role": "assistant",
            "content": "I look.",
            "phase": "commentary",
        }


async def test_anthropic_gets_the_citations_of_its_text_back() -> None:
    citation = {"type": "web_search_result_location", "url": "https://example.com", "cited_text": "x"}
    citation |= {"title": "An example", "encrypted_index": "x"}
    block = {"type": "text", "text": "So it is.", "citations": [citation]}
    cited = {"type": "content_block_delta", "index": 0, "delta": {"type": "citations_delta", "citation": citation}}
    script = WireStep(text="So it is.", events=(cited,)), WireStep(text="Yes.")
    async with on_the_wire("anthropic", *script) as (adapter, server):
        first = (await adapter.complete(request("anthropic"))).message
        await adapter.complete(request("anthropic", Message.user("Go"), first, Message.user("Sure?")))
        assert first.text == "So it is."
        assert server.requests[1].body["messages"][1]["content"] == [block]


MEDIA: dict[str, list[Any]] = {
    "anthropic": [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG.data}},
        {"type": "image", "source": {"type": "url", "url": WEB_PNG.url}},
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": PDF.data},
            "title": "a.pdf",
        },
        {"type": "document", "source": {"type": "url", "url": WEB_PDF.url}, "title": "a.pdf"},
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "# Notes"},
            "title": "notes.md",
        },
    ],
    "openai": [
        {"type": "input_image", "image_url": f"data:image/png;base64,{PNG.data}", "detail": "auto"},
        {"type": "input_image", "image_url": WEB_PNG.url, "detail": "auto"},
        {"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF.data}"},
        {"type": "input_file", "file_url": WEB_PDF.url},
        {"type": "input_file", "filename": "notes.md", "file_data": f"data:text/markdown;base64,{NOTE.data}"},
    ],
    "compatible": [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG.data}"}},
        {"type": "image_url", "image_url": {"url": WEB_PNG.url}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF.data}"}},
        None,
        {"type": "text", "text": "notes.md\n# Notes"},
    ],
}


@pytest.mark.parametrize("protocol", OVER_THE_WIRE)
@pytest.mark.parametrize("index", range(5), ids=["image", "image by url", "pdf", "pdf by url", "text file"])
async def test_pictures_and_documents_go_out_in_the_form_of_the_protocol(protocol: str, index: int) -> None:
    part = (PNG, WEB_PNG, PDF, WEB_PDF, NOTE)[index]
    expected = MEDIA[protocol][index]
    message = Message.user(["See:", part, "What is it?"])
    if expected is None:
        with pytest.raises(InvalidRequest, match="takes no file part of type application/pdf by url"):
            await _prompt(protocol, message)
        return
    (sent,) = await _prompt(protocol, message)
    assert sent["content"][1] == expected


@pytest.mark.parametrize(
    ("protocol", "part", "words"),
    [
        ("anthropic", ImagePart(media_type="image/tiff", data="SUkqAA=="), "image part of type image/tiff"),
        ("anthropic", FilePart(media_type="application/zip", data="UEs="), "file part of type application/zip"),
        ("anthropic", FilePart(media_type="text/plain", data="/w=="), "not base64 of UTF-8"),
        ("anthropic", PartRef(message=0, part=0), "no ref part"),
        ("openai", PartRef(message=0, part=0), "no ref part"),
        ("compatible", PartRef(message=0, part=0), "no ref part"),
        ("openai", ToolCallPart(id="call_1_0", name="look_up"), "no tool_call part"),
        ("compatible", ToolCallPart(id="call_1_0", name="look_up"), "no tool_call part"),
    ],
)
async def test_a_part_that_cannot_be_sent_is_named(protocol: str, part: Part, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        await _prompt(protocol, Message(role=Role.USER, parts=(part,)))


async def test_the_schema_of_the_answer_goes_out_natively_and_beside_the_tools() -> None:
    bodies = {protocol: (await _sent(protocol, output=ANSWER)).body for protocol in OVER_THE_WIRE}
    formats = {
        "anthropic": bodies["anthropic"]["output_config"]["format"],
        "openai": bodies["openai"]["text"]["format"],
        "compatible": bodies["compatible"]["response_format"]["json_schema"],
    }
    assert all(body["tools"] for body in bodies.values())
    assert formats["anthropic"]["type"] == formats["openai"]["type"] == "json_schema"
    assert formats["anthropic"]["schema"]["additionalProperties"] is False
    assert formats["anthropic"]["schema"]["required"] == ["city"]
    assert formats["openai"]["name"] == formats["compatible"]["name"] == "Answer"
    assert formats["openai"]["strict"] is True
    assert formats["openai"]["schema"]["required"] == ["city", "people"]
    assert formats["openai"]["schema"]["additionalProperties"] is False
    # A server of which nothing is known may take no notice of it, so it is told in words, too.
    assert formats["compatible"]["strict"] is False
    assert formats["compatible"]["schema"]["required"] == ["city"]
    assert json.dumps(ANSWER.json_schema, separators=(",", ":")) in bodies["compatible"]["messages"][0]["content"]


class _Free(BaseModel):
    counts: dict[str, int]


async def test_a_schema_that_no_strict_mode_can_hold_is_asked_for_all_the_same() -> None:
    free = OutputSchema(name="Free", json_schema=_Free.model_json_schema())
    anthropic = (await _sent("anthropic", output=free)).body
    assert "output_config" not in anthropic
    assert json.dumps(free.json_schema, separators=(",", ":")) in anthropic["system"][-1]["text"]
    openai = (await _sent("openai", output=free)).body["text"]["format"]
    compatible = (await _sent("compatible", output=free)).body["response_format"]["json_schema"]
    assert openai["strict"] is compatible["strict"] is False
    counts = {"type": "object", "properties": {}, "additionalProperties": {"type": "integer"}, "title": "Counts"}
    assert openai["schema"] == compatible["schema"] == free.json_schema | {"properties": {"counts": counts}}


class _Colour(Enum):
    RED = "red"
    BLUE = "blue"


class _Car(BaseModel):
    colour: _Colour
    wheels: int


_ROUTE = {"type": "object", "properties": {"route": {"enum": ["a", "b"]}}, "required": ["route"]}


@pytest.mark.parametrize("protocol", OVER_THE_WIRE)
@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Literal["good", "bad"], {"enum": ["good", "bad"], "type": "string"}),
        (_Colour, {"enum": ["red", "blue"], "type": "string", "title": "_Colour"}),
        (list[_Car], {"type": "array", "items": {"$ref": "#/$defs/_Car"}}),
        (_Car | None, {"anyOf": [{"$ref": "#/$defs/_Car"}, {"type": "null"}]}),
        (_ROUTE, {"enum": ["a", "b"], "type": "string"}),
        ({"enum": [1, "x", None]}, {"enum": [1, "x", None], "type": ["integer", "string", "null"]}),
    ],
)
async def test_choices_and_wrapped_answers_are_enforced_by_every_provider(
    protocol: str, wanted: Any, field: dict[str, Any]
) -> None:
    output = output_schema(wanted, "test")
    body = (await _sent(protocol, output=output)).body
    if protocol == "anthropic":
        sent = body["output_config"]["format"]["schema"]
    else:
        form = body["text"]["format"] if protocol == "openai" else body["response_format"]["json_schema"]
        assert form["strict"] is (protocol == "openai")
        sent = form["schema"]
    (name,) = sent["properties"]
    if protocol == "anthropic" and isinstance(field.get("type"), list):
        each = [{"enum": [value], "type": kind} for value, kind in zip(field["enum"], field["type"], strict=True)]
        field = {"anyOf": each}
    assert sent["properties"][name] == field
    assert sent["required"] == [name]
    if protocol != "compatible":
        assert sent["additionalProperties"] is False
    if "_Car" in str(field) and protocol != "compatible":
        assert sent["$defs"]["_Car"]["additionalProperties"] is False
        assert sent["$defs"]["_Colour"]["enum"] == ["red", "blue"]


async def test_settings_of_the_model_go_out_in_the_words_of_the_protocol() -> None:
    settings: dict[str, Any] = {"max_output_tokens": 99, "reasoning": "high"}
    anthropic = (await _sent("anthropic", **settings)).body
    openai = (await _sent("openai", temperature=0.5, **settings)).body
    compatible = (await _sent("compatible", temperature=0.5, **settings)).body
    assert anthropic["model"] == openai["model"] == compatible["model"] == "test-model"
    assert (anthropic["max_tokens"], openai["max_output_tokens"], compatible["max_tokens"]) == (99, 99, 99)
    assert (anthropic["thinking"], anthropic["output_config"]) == ({"type": "adaptive"}, {"effort": "high"})
    assert (openai["reasoning"], compatible["reasoning_effort"]) == ({"effort": "high"}, "high")
    assert openai["temperature"] == compatible["temperature"] == 0.5
    assert (openai["store"], openai["include"]) == (False, ["reasoning.encrypted_content"])


async def test_settings_that_are_not_given_do_not_go_out() -> None:
    anthropic, openai, compatible = [(await _sent(p, tools=(), instructions="")).body for p in OVER_THE_WIRE]
    assert set(anthropic) == {"model", "max_tokens", "stream", "messages"}
    assert set(openai) == {"model", "input", "prompt_cache_key", "include", "store", "stream"}
    assert set(compatible) == {"model", "messages", "stream", "stream_options"}


async def test_reasoning_can_be_switched_off() -> None:
    assert (await _sent("anthropic", reasoning="off")).body["thinking"] == {"type": "disabled"}
    assert (await _sent("openai", reasoning="off")).body["reasoning"] == {"effort": "none"}
    assert (await _sent("compatible", reasoning="off")).body["reasoning_effort"] == "none"


@pytest.mark.parametrize("protocol", OVER_THE_WIRE)
async def test_options_are_laid_over_the_body(protocol: str) -> None:
    config = {"anthropic": "output_config", "openai": "text", "compatible": "response_format"}[protocol]
    options = {"top_k": 3, "stream_extra": {"a": [1]}, config: {"verbosity": "low"}}
    body = (await _sent(protocol, options=options, output=ANSWER, lenient=True)).body
    assert body["top_k"] == 3
    assert body["stream_extra"] == {"a": [1]}
    assert body[config]["verbosity"] == "low"
    assert len(body[config]) > 1, "the options took the place of what they were to be laid over"


async def test_anthropic_takes_no_temperature_and_says_what_to_do() -> None:
    with pytest.raises(InvalidRequest, match=r"temperature=0\.5 is not taken.*options=\{'temperature': 0\.5\}"):
        await _sent("anthropic", temperature=0.5)
    assert (await _sent("anthropic", options={"temperature": 0.5}, lenient=True)).body["temperature"] == 0.5


@pytest.mark.parametrize("protocol", OVER_THE_WIRE)
async def test_the_tool_and_the_key_go_out(protocol: str) -> None:
    sent = await _sent(protocol)
    (tool,) = sent.body["tools"]
    described = tool.get("function", tool)
    assert (described["name"], described["description"]) == (LOOK_UP.name, LOOK_UP.description)
    assert described.get("input_schema", described.get("parameters")) == LOOK_UP.parameters
    assert KEY in sent.headers["authorization"]


@pytest.mark.parametrize("protocol", OVER_THE_WIRE)
async def test_an_empty_answer_in_the_transcript_is_no_obstacle(protocol: str) -> None:
    prompt = await _prompt(protocol, Message.user("One"), _assistant(), Message.user("Two"))
    assert all(message["role"] == "user" for message in prompt)
    assert all(message["content"] for message in prompt)


async def test_a_model_without_reasoning_is_not_asked_for_it() -> None:
    async with on_the_wire("openai", WireStep(text="So.")) as (adapter, server):
        asked = request("openai")
        plain = asked.model.model_copy(update={"name": "openai/gpt-4.1"})
        completion = await adapter.complete(type(asked)(model=plain, instructions="", messages=asked.messages))
        assert completion.stop is StopReason.END
        assert "include" not in server.requests[0].body


async def test_what_the_environment_holds_for_openai_reaches_no_other_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "ours-alone")
    sent = await _sent("compatible")
    assert "ours-alone" not in json.dumps(sent.headers)


async def test_what_one_compatible_provider_calls_its_thinking_goes_back_under_that_name() -> None:
    block = {"type": "reasoning.encrypted", "data": "x"}
    deltas = ({"reasoning": "Hm"}, {"reasoning": "m.", "reasoning_details": [block]})
    async with on_the_wire("compatible", WireStep(blocks=deltas, text="So."), WireStep()) as (adapter, server):
        first = (await adapter.complete(request("compatible"))).message
        await adapter.complete(request("compatible", Message.user("Go"), first, Message.user("Sure?")))
        assert _holds(server.requests[1].body, {"reasoning": "Hmm.", "reasoning_details": [block], "content": "So."})
