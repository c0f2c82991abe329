"""Tools that a provider runs itself: how each API wants them, and what they said on the way back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sostenuto import McpServer, Message, Role, TextPart
from sostenuto.activities.model_adapter import ModelRequest
from sostenuto.activities.refusals import completed
from sostenuto.contracts.control.usage import Usage
from sostenuto.contracts.errors import InvalidRequest
from sostenuto.contracts.message import CitationPart, ToolResultPart
from sostenuto.contracts.model import Model
from sostenuto.contracts.provider_tool import (
    AnyProviderTool,
    CodeExecution,
    FileSearch,
    Location,
    McpConnector,
    WebSearch,
)
from tests.conformance.subject import ANSWER, LOOK_UP, on_the_wire
from tests.conformance.wire_rules.bodies import CLAIM, FOUND, SEARCH
from tests.fakes.wire.server import Fault
from tests.fakes.wire.streams import WireStep

MODELS = {"anthropic": "claude-opus-5", "openai": "gpt-5.4", "compatible": "some-model"}
TRACKER = McpServer(url="https://example.com/mcp", headers={"authorization": "Bearer tracker-token"})
PLAIN = McpServer(url="https://example.com/plain")
ODD = McpServer(url="https://example.com/mcp", headers={"X-Key": "tracker-token"})
HOME = Location(city="Berlin", country="de", timezone="Europe/Berlin")


def asked(protocol: str, *tools: AnyProviderTool, messages: tuple[Message, ...] = (), **fields: Any) -> ModelRequest:
    """Return a request with these tools of the provider's beside one of ours."""
    return ModelRequest(
        model=fields.pop("model", None) or Model(f"{protocol}/{MODELS[protocol]}"),
        instructions="Be brief.",
        messages=messages or (Message.user("Go"),),
        tools=fields.pop("own", (LOOK_UP,)),
        provider_tools=tools,
        servers={"tracker": TRACKER, "our.plain": PLAIN, "odd": ODD},
        **fields,
    )


async def body_of(protocol: str, *tools: AnyProviderTool, **fields: Any) -> dict[str, Any]:
    async with on_the_wire(protocol, WireStep(text="So.")) as (adapter, server):
        await adapter.complete(asked(protocol, *tools, **fields))
        return server.requests[0].body


SENT: list[tuple[str, AnyProviderTool, dict[str, Any]]] = [
    ("anthropic", WebSearch(), {"type": "web_search_20250305", "name": "web_search"}),
    (
        "anthropic",
        WebSearch(allowed_domains=["docs.python.org"], max_uses=3, location=HOME),
        {
            "type": "web_search_20250305",
            "name": "web_search",
            "allowed_domains": ["docs.python.org"],
            "max_uses": 3,
            "user_location": {
                "type": "approximate",
                "city": "Berlin",
                "country": "DE",
                "timezone": "Europe/Berlin",
            },
        },
    ),
    (
        "anthropic",
        WebSearch(blocked_domains=["example.com"]),
        {"type": "web_search_20250305", "name": "web_search", "blocked_domains": ["example.com"]},
    ),
    ("anthropic", CodeExecution(), {"type": "code_execution_20250825", "name": "code_execution"}),
    ("openai", WebSearch(), {"type": "web_search"}),
    (
        "openai",
        WebSearch(allowed_domains=["docs.python.org"], location=HOME),
        {
            "type": "web_search",
            "filters": {"allowed_domains": ["docs.python.org"]},
            "user_location": {
                "type": "approximate",
                "city": "Berlin",
                "country": "DE",
                "timezone": "Europe/Berlin",
            },
        },
    ),
    ("openai", CodeExecution(), {"type": "code_interpreter", "container": {"type": "auto"}}),
    (
        "openai",
        FileSearch(["vs_1", "vs_2"], max_results=5),
        {"type": "file_search", "vector_store_ids": ["vs_1", "vs_2"], "max_num_results": 5},
    ),
    (
        "openai",
        McpConnector("tracker", tools=["find"]),
        {
            "type": "mcp",
            "server_label": "tracker",
            "server_url": "https://example.com/mcp",
            "authorization": "tracker-token",
            "allowed_tools": ["find"],
            "require_approval": "never",
        },
    ),
    (
        "openai",
        McpConnector("our.plain"),
        {
            "type": "mcp",
            "server_label": "our_plain",
            "server_url": "https://example.com/plain",
            "require_approval": "never",
        },
    ),
    (
        "openai",
        McpConnector("odd"),
        {
            "type": "mcp",
            "server_label": "odd",
            "server_url": "https://example.com/mcp",
            "headers": {"X-Key": "tracker-token"},
            "require_approval": "never",
        },
    ),
]


@pytest.mark.parametrize(("protocol", "tool", "sent"), SENT)
async def test_each_stands_beside_our_own_as_its_api_wants_it(
    protocol: str, tool: AnyProviderTool, sent: dict[str, Any]
) -> None:
    body = await body_of(protocol, tool)
    assert [one.get("name") for one in body["tools"]][:1] == ["look_up"]
    assert body["tools"][1:] == [sent | ({"cache_control": ANY} if "cache_control" in body["tools"][1] else {})]


ANY = {"type": "ephemeral"}


@pytest.mark.parametrize("protocol", ["anthropic", "openai"])
async def test_one_alone_is_enough(protocol: str) -> None:
    body = await body_of(protocol, WebSearch(), own=())
    assert len(body["tools"]) == 1
    assert "tool_choice" not in body


async def test_openai_is_asked_for_the_results() -> None:
    body = await body_of("openai", WebSearch(), FileSearch(["vs_1"]), CodeExecution())
    assert body["include"] == [
        "reasoning.encrypted_content",
        "web_search_call.action.sources",
        "file_search_call.results",
        "code_interpreter_call.outputs",
    ]


async def test_openai_bounds_the_searches() -> None:
    assert (await body_of("openai", WebSearch(max_uses=2)))["max_tool_calls"] == 2
    with pytest.raises(InvalidRequest, match="has no max_uses for one of several tools of its own"):
        await body_of("openai", WebSearch(max_uses=2), CodeExecution())


async def test_anthropic_connects_to_servers_with_their_token() -> None:
    async with on_the_wire("anthropic", WireStep(text="So.")) as (adapter, server):
        await adapter.complete(asked("anthropic", McpConnector("tracker", tools=["find"]), McpConnector("our.plain")))
        (received,) = server.requests
    assert received.body["mcp_servers"] == [
        {
            "type": "url",
            "name": "tracker",
            "url": "https://example.com/mcp",
            "authorization_token": "tracker-token",
        },
        {"type": "url", "name": "our.plain", "url": "https://example.com/plain"},
    ]
    first, second = received.body["tools"][1:]
    assert first == {
        "type": "mcp_toolset",
        "mcp_server_name": "tracker",
        "default_config": {"enabled": False},
        "configs": {"find": {"enabled": True}},
    }
    assert second["mcp_server_name"] == "our.plain"
    assert received.headers["anthropic-beta"] == "mcp-client-2025-11-20"


async def test_nothing_is_said_of_betas_without_need() -> None:
    async with on_the_wire("anthropic", WireStep(text="So.")) as (adapter, server):
        await adapter.complete(asked("anthropic", WebSearch()))
        assert "anthropic-beta" not in server.requests[0].headers


UNTAKEN: list[tuple[str, AnyProviderTool, str]] = [
    ("anthropic", FileSearch(["vs_1"]), "the model has no such tool of its own: FileSearch"),
    ("anthropic", McpConnector("odd"), "no header but Authorization, and 'odd' has X-Key: McpConnector"),
    ("openai", WebSearch(blocked_domains=["a.org"]), "the model takes no blocked_domains: WebSearch"),
    ("compatible", WebSearch(), "the model has no such tool of its own: WebSearch; leave it out"),
    ("compatible", CodeExecution(), "no such tool of its own: CodeExecution"),
]


@pytest.mark.parametrize(("protocol", "tool", "words"), UNTAKEN)
async def test_what_an_api_has_no_place_for_is_an_error_that_names_it(
    protocol: str, tool: AnyProviderTool, words: str
) -> None:
    with pytest.raises(InvalidRequest, match=words) as caught:
        await body_of(protocol, tool)
    assert "tracker-token" not in str(caught.value)


@pytest.mark.parametrize("protocol", ["anthropic", "openai"])
async def test_no_error_tells_the_token_of_a_server(protocol: str) -> None:
    body = {"error": {"message": "The server refused tracker-token.", "type": "invalid_request_error"}, "type": "error"}
    fault = Fault(kind="status", status=400, body=body)
    async with on_the_wire(protocol, faults=(fault,)) as (adapter, _):
        with pytest.raises(InvalidRequest, match=r"The server refused \[redacted\]\."):
            await adapter.complete(asked(protocol, McpConnector("tracker")))


@pytest.mark.parametrize(("protocol", "tool", "words"), UNTAKEN)
async def test_an_optional_one_is_done_without_and_that_is_told(
    protocol: str,
    tool: AnyProviderTool,
    words: str,
) -> None:
    optional = tool.model_copy(update={"optional": True})
    async with on_the_wire(protocol, WireStep(text="So.")) as (adapter, server):
        _, without = await completed(adapter, asked(protocol, optional))
        (received,) = server.requests
    assert without == (tool.kind,)
    assert [one.get("name") or one["function"]["name"] for one in received.body["tools"]] == ["look_up"]


REFUSED = "Hosted tool 'web_search' is not supported with gpt-5.4."


async def test_one_that_the_provider_refuses_is_done_without_where_that_will_do() -> None:
    error = {"error": {"message": REFUSED, "type": "invalid_request_error", "param": "tools", "code": None}}
    fault = Fault(kind="status", status=400, body=error)
    async with on_the_wire("openai", WireStep(text="So."), faults=(fault,)) as (adapter, server):
        _, without = await completed(adapter, asked("openai", WebSearch(optional=True), CodeExecution()))
        first, second = server.requests
    assert without == ("web_search",)
    assert [tool["type"] for tool in first.body["tools"]] == ["function", "web_search", "code_interpreter"]
    assert [tool["type"] for tool in second.body["tools"]] == ["function", "code_interpreter"]


async def test_one_that_the_agent_needs_is_not_left_out_in_silence() -> None:
    error = {"error": {"message": REFUSED, "type": "invalid_request_error", "param": "tools", "code": None}}
    fault = Fault(kind="status", status=400, body=error)
    async with on_the_wire("openai", WireStep(text="So."), faults=(fault,)) as (adapter, server):
        with pytest.raises(InvalidRequest, match="Hosted tool 'web_search' is not supported"):
            await completed(adapter, asked("openai", WebSearch()))
        assert len(server.requests) == 1


# What comes back.


def _cited(text: str, *citations: dict[str, Any]) -> dict[str, Any]:
    return {"type": "text", "text": text, "citations": list(citations)}


async def test_anthropics_results_and_citations_are_kept_and_go_back() -> None:
    blocks = (SEARCH, FOUND, _cited("It is so", CLAIM, CLAIM | {"cited_text": "Indeed."}), _cited(", they say."))
    counts = {"input_tokens": 10, "output_tokens": 5, "server_tool_use": {"web_search_requests": 2}}
    script = WireStep(blocks=blocks, wire_usage=(counts,)), WireStep(text="Yes.")
    async with on_the_wire("anthropic", *script) as (adapter, server):
        first = await adapter.complete(asked("anthropic", WebSearch()))
        messages = (Message.user("Go"), first.message, Message.user("Sure?"))
        await adapter.complete(asked("anthropic", WebSearch(), messages=messages))
        went = server.requests[1].body["messages"][1]["content"]
    assert went == [SEARCH, FOUND, blocks[2], {"type": "text", "text": ", they say."}]
    assert first.message.provider_tools == ("web_search",)
    told = [(one.url, one.title, one.quote) for one in first.message.citations]
    assert told == [("https://example.com", "An example", words) for words in ("It is so.", "Indeed.")]
    assert first.usage.web_searches == 2


async def test_openais_results_and_citations_are_kept_and_go_back() -> None:
    call: dict[str, Any] = {"id": "ws_1", "type": "web_search_call", "status": "completed"}
    call |= {"action": {"type": "search", "query": "x", "sources": [{"type": "url", "url": "https://example.com"}]}}
    opened = call | {"id": "ws_2", "action": {"type": "open_page", "url": "https://example.com"}}
    claim = {"type": "url_citation", "url": "https://example.com", "title": "An example"}
    pieces = [
        {"type": "output_text", "text": "I looked. ", "annotations": []},
        {"type": "output_text", "text": "It is so.", "annotations": [claim | {"start_index": 0, "end_index": 9}]},
    ]
    said = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": pieces}
    script = WireStep(blocks=(call, opened, said)), WireStep(text="Yes.")
    async with on_the_wire("openai", *script) as (adapter, server):
        first = await adapter.complete(asked("openai", WebSearch()))
        messages = (Message.user("Go"), first.message, Message.user("Sure?"))
        await adapter.complete(asked("openai", WebSearch(), messages=messages))
        went = server.requests[1].body["input"]
    placed = claim | {"start_index": 10, "end_index": 19}
    text = {"type": "output_text", "text": "I looked. It is so.", "annotations": [placed]}
    assert went[1:4] == [call, opened, {"type": "message", "role": "assistant", "content": [text]}]
    assert first.message.citations == (CitationPart(provider="openai", data=placed),)
    assert first.message.provider_tools == ("web_search",)
    assert first.usage.web_searches == 1


async def test_citations_of_chat_completions_are_kept() -> None:
    claim = {"url": "https://example.com", "title": "An example", "content": "It is so."}
    delta = {"annotations": [{"type": "url_citation", "url_citation": claim}]}
    script = WireStep(blocks=(delta,), text="It is so."), WireStep(text="Yes.")
    async with on_the_wire("compatible", *script) as (adapter, server):
        first = (await adapter.complete(asked("compatible"))).message
        await adapter.complete(asked("compatible", messages=(Message.user("Go"), first, Message.user("Sure?"))))
        assert server.requests[1].body["messages"][2] == {"role": "assistant", "content": "It is so."}
    assert [(one.url, one.title) for one in first.citations] == [("https://example.com", "An example")]


@pytest.mark.parametrize("stranger", ["openai", "compatible"])
async def test_another_provider_is_sent_the_answer_alone(stranger: str) -> None:
    async with on_the_wire("anthropic", WireStep(blocks=(SEARCH, FOUND, _cited("It is so.", CLAIM)))) as (adapter, _):
        first = (await adapter.complete(asked("anthropic", WebSearch()))).message
    async with on_the_wire(stranger, WireStep(text="So."), WireStep(text="Yes.")) as (adapter, server):
        await adapter.complete(asked(stranger, messages=(Message.user("Go"), first, Message.user("Sure?"))))
        sent = json.dumps(server.requests[0].body)
    assert "It is so." in sent
    assert "example.com" not in sent
    assert "srvtoolu" not in sent


async def test_tools_of_connected_servers_are_kept_and_go_back() -> None:
    listed = {"id": "mcpl_1", "type": "mcp_list_tools", "server_label": "tracker", "tools": []}
    call = {"id": "mcp_1", "type": "mcp_call", "server_label": "tracker", "name": "find", "arguments": "{}"}
    call |= {"output": "two"}
    script = WireStep(blocks=(listed, call), text="Two."), WireStep(text="Yes.")
    async with on_the_wire("openai", *script) as (adapter, server):
        first = (await adapter.complete(asked("openai", McpConnector("tracker")))).message
        messages = (Message.user("Go"), first, Message.user("Sure?"))
        await adapter.complete(asked("openai", McpConnector("tracker"), messages=messages))
        assert server.requests[1].body["input"][1:3] == [listed, call]
    assert first.provider_tools == ("tracker", "tracker/find")


async def test_anthropics_calls_of_connected_servers_are_kept_and_go_back() -> None:
    use = {"type": "mcp_tool_use", "id": "mcptoolu_1", "name": "find", "server_name": "tracker", "input": {}}
    result = {"type": "mcp_tool_result", "tool_use_id": "mcptoolu_1", "is_error": False, "content": []}
    script = WireStep(blocks=(use, result), text="Two."), WireStep(text="Yes.")
    async with on_the_wire("anthropic", *script) as (adapter, server):
        first = (await adapter.complete(asked("anthropic", McpConnector("tracker")))).message
        messages = (Message.user("Go"), first, Message.user("Sure?"))
        await adapter.complete(asked("anthropic", McpConnector("tracker"), messages=messages))
        assert server.requests[1].body["messages"][1]["content"][:2] == [use, result]
    assert first.provider_tools == ("tracker/find",)
    async with on_the_wire("anthropic", WireStep(text="So."), WireStep(text="Yes.")) as (adapter, server):
        await adapter.complete(asked("anthropic", messages=messages))
        said = server.requests[0].body["messages"][1]["content"]
    assert said == [{"type": "text", "text": "Two."}], "without the servers the API does not know what their calls are"


# Where code runs.

RUN = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "bash_code_execution", "input": {"command": "ls"}}
RAN: dict[str, Any] = {"type": "bash_code_execution_tool_result", "tool_use_id": "srvtoolu_1"}
RAN |= {"content": {"type": "bash_code_execution_result", "stdout": "", "stderr": "", "return_code": 0, "content": []}}
USE = {"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {"what": "x"}}


def _container(minutes: int) -> dict[str, Any]:
    expires = datetime.now(UTC) + timedelta(minutes=minutes)
    return {"id": "container_1", "expires_at": expires.isoformat()}


def _in(container: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "message_delta",
        "delta": {"stop_reason": None, "stop_sequence": None, "container": container},
        "usage": {"output_tokens": 1},
    }


def _results(message: Message) -> Message:
    return Message(
        role=Role.TOOL,
        parts=tuple(ToolResultPart(call_id=call.id, name=call.name, content="A cat.") for call in message.tool_calls),
    )


@pytest.mark.parametrize(("minutes", "sent"), [(5, "container_1"), (-5, None)])
async def test_code_goes_on_in_its_container_while_that_is_there(minutes: int, sent: str | None) -> None:
    script = WireStep(blocks=(RUN, RAN), text="So.", events=(_in(_container(minutes)),)), WireStep(text="Yes.")
    async with on_the_wire("anthropic", *script) as (adapter, server):
        first = (await adapter.complete(asked("anthropic", CodeExecution()))).message
        messages = (Message.user("Go"), first, Message.user("Sure?"))
        await adapter.complete(asked("anthropic", CodeExecution(), messages=messages))
        second = server.requests[1].body
    assert second.get("container") == sent
    assert [block["type"] for block in second["messages"][1]["content"]] == [
        "server_tool_use",
        "bash_code_execution_tool_result",
        "text",
    ]
    assert first.provider_tools == ("code_execution",)


async def test_code_that_waits_for_our_tool_goes_on_with_its_result() -> None:
    """One answer calls both, and code runs only once ours has its result: its own comes in the next answer."""
    script = [
        WireStep(blocks=(RUN, USE), events=(_in(_container(-5)),), wire_stop="tool_use"),
        WireStep(blocks=(RAN,), text="So."),
        WireStep(text="Yes."),
    ]
    async with on_the_wire("anthropic", *script) as (adapter, server):
        first = (await adapter.complete(asked("anthropic", CodeExecution()))).message
        messages: tuple[Message, ...] = (Message.user("Go"), first, _results(first))
        second = (await adapter.complete(asked("anthropic", CodeExecution(), messages=messages))).message
        messages = (*messages, second, Message.user("Sure?"))
        await adapter.complete(asked("anthropic", CodeExecution(), messages=messages))
        waiting, later = (received.body for received in server.requests[1:])
    assert waiting["messages"][1]["content"][0] == RUN
    assert waiting["container"] == "container_1", "it is named although its time is over"
    assert later["messages"][1]["content"][0] == RUN
    assert later["messages"][3]["content"][0] == RAN


async def test_code_that_nobody_can_go_on_with_is_left_out() -> None:
    script = WireStep(blocks=(RUN, USE), wire_stop="tool_use"), WireStep(text="Yes.")
    async with on_the_wire("anthropic", *script) as (adapter, server):
        first = (await adapter.complete(asked("anthropic", CodeExecution()))).message
        messages = (Message.user("Go"), first, _results(first))
        await adapter.complete(asked("anthropic", CodeExecution(), messages=messages))
        (went,) = server.requests[1].body["messages"][1]["content"]
    assert went["type"] == "tool_use"


async def test_a_pause_of_code_goes_on_in_its_container() -> None:
    paused = WireStep(blocks=(RUN,), events=(_in(_container(5)),), wire_stop="pause_turn")
    async with on_the_wire("anthropic", paused, WireStep(blocks=(RAN,), text="So.")) as (adapter, server):
        await adapter.complete(asked("anthropic", CodeExecution()))
        assert server.requests[1].body["container"] == "container_1"
        assert [block["type"] for block in server.requests[1].body["messages"][1]["content"]] == ["server_tool_use"]


GONE = {"openai": "Expected container_id: cntr_2", "anthropic": "container: container_1 not found"}
RAN_CODE = {
    "id": "ci_1",
    "type": "code_interpreter_call",
    "status": "completed",
    "code": "1",
    "container_id": "cntr_1",
    "outputs": [],
}
THOUGHT = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "gAAA=="}


async def test_a_container_that_is_gone_is_forgotten_once() -> None:
    """OpenAI refuses each later request of a conversation whose container is gone."""
    error = {"error": {"message": GONE["openai"], "type": "invalid_request_error", "param": "input", "code": None}}
    fault = Fault(kind="status", status=400, body=error)
    script = WireStep(blocks=(THOUGHT, RAN_CODE), text="So."), WireStep(text="Yes.")
    async with on_the_wire("openai", *script, faults=(None, fault)) as (adapter, server):
        first = (await adapter.complete(asked("openai", CodeExecution()))).message
        messages = (Message.user("Go"), first, Message.user("Sure?"))
        _, without = await completed(adapter, asked("openai", CodeExecution(), messages=messages))
        refused, mended = (received.body["input"] for received in server.requests[1:])
    assert without == ("containers",)
    assert [item.get("type") for item in refused[1:3]] == ["reasoning", "code_interpreter_call"]
    assert [item.get("type") for item in mended] == [None, None, None], "nor is the thought that led to it sent"


async def test_anthropics_container_that_is_gone_is_not_asked_for_again() -> None:
    fault = Fault(
        kind="status",
        status=400,
        body={"type": "error", "error": {"type": "invalid_request_error", "message": GONE["anthropic"]}},
    )
    script = WireStep(blocks=(RUN, RAN), text="So.", events=(_in(_container(5)),)), WireStep(text="Yes.")
    async with on_the_wire("anthropic", *script, faults=(None, fault)) as (adapter, server):
        first = (await adapter.complete(asked("anthropic", CodeExecution()))).message
        messages = (Message.user("Go"), first, Message.user("Sure?"))
        _, without = await completed(adapter, asked("anthropic", CodeExecution(), messages=messages))
        assert "container" not in server.requests[2].body
    assert without == ("containers",)


@pytest.mark.parametrize(("model", "word"), [("gpt-4", ""), ("gpt-4.1-nano", ""), ("gpt-4.1", "web_search")])
async def test_not_every_model_has_them(model: str, word: str) -> None:
    async with on_the_wire("openai", WireStep(text="So.")) as (adapter, server):
        wanted = asked("openai", WebSearch(), model=Model(f"openai/{model}"))
        if not word:
            with pytest.raises(InvalidRequest, match="the model has no such tool of its own: WebSearch"):
                await adapter.complete(wanted)
            return
        await adapter.complete(wanted)
        assert server.requests[0].body["tools"][1]["type"] == word


async def test_answers_of_text_have_none() -> None:
    async with on_the_wire("openai", WireStep(text="So.", usage=Usage(input_tokens=1, output_tokens=1))) as (
        adapter,
        _,
    ):
        answer = await adapter.complete(asked("openai", WebSearch()))
    assert answer.message.parts == (TextPart(text="So."),)
    assert (answer.message.citations, answer.message.provider_tools, answer.usage.web_searches) == ((), (), 0)


@pytest.mark.parametrize(("without", "choice"), [((), {"type": "any"}), (("web_search",), {"type": "tool"})])
async def test_an_answer_by_a_tool_lets_the_providers_own_come_first(
    without: tuple[str, ...], choice: dict[str, str]
) -> None:
    options = {"model": Model("anthropic/claude-opus-4-1"), "output": ANSWER, "own": (), "without": frozenset(without)}
    body = await body_of("anthropic", WebSearch(optional=True), **options)
    assert body["tool_choice"].items() >= choice.items()
    assert [tool["name"] for tool in body["tools"]] == ["final_answer", *(["web_search"] if not without else [])]


async def test_a_search_is_not_made_with_the_least_effort_but_with_the_models_own() -> None:
    async with on_the_wire("openai", WireStep(text="So.")) as (adapter, server):
        wanted = asked("openai", WebSearch(), model=Model("openai/gpt-5-mini", reasoning="off"))
        with pytest.raises(InvalidRequest, match="the model does not search the web with reasoning='off'"):
            await adapter.complete(wanted)
        _, without = await completed(adapter, wanted)
        assert "reasoning" not in server.requests[0].body
    assert without == ("reasoning",)


_ODD: dict[str, list[dict[str, Any]]] = {
    "anthropic": [
        {"type": "text", "text": "So.", "citations": "x"},
        {"type": "text", "text": "So.", "citations": [None, "x", CLAIM]},
        {"type": "web_search_tool_result", "tool_use_id": [1], "content": []},
        {"type": "server_tool_use", "id": 5, "name": None, "input": {}},
        {"type": None},
    ],
    "openai": [
        {"id": "msg_1", "type": "message", "role": "assistant", "content": [_odd]}
        for _odd in (
            {"type": "output_text", "text": "So.", "annotations": "x"},
            {"type": "output_text", "text": "So.", "annotations": [None, {"type": "url_citation", "url": 5}]},
        )
    ],
    "compatible": [{"annotations": "x"}, {"annotations": [None, "x", {"type": "url_citation", "url_citation": 5}]}],
}


@pytest.mark.parametrize(("protocol", "odd"), [(protocol, odd) for protocol, all_ in _ODD.items() for odd in all_])
async def test_what_is_kept_can_be_sent_whatever_it_is(protocol: str, odd: dict[str, Any]) -> None:
    """An answer was paid for: a citation that is none does not make it unreadable, and the next request goes out."""
    script = WireStep(blocks=(odd,), text="So."), WireStep(text="Yes.")
    async with on_the_wire(protocol, *script, lenient=True) as (adapter, _):
        first = (await adapter.complete(asked(protocol))).message
        assert "So." in first.text
        assert all(isinstance(one.url + one.title + one.quote, str) for one in first.citations)
        messages = (Message.user("Go"), first, Message.user("Sure?"))
        assert (await adapter.complete(asked(protocol, messages=messages))).message.text == "Yes."
