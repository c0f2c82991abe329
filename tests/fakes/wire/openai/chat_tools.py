"""What OpenAI's Chat Completions refuses in tools and in the form of the answer, and with it most that follow it."""

from __future__ import annotations

from collections.abc import Iterator

from tests.fakes.wire.openai.chat_messages import tools_of
from tests.fakes.wire.openai.models import family_in, is_fine_tuned
from tests.fakes.wire.openai.schema import schema_faults
from tests.fakes.wire.openai.words import MEASURED_CHAT, empty_array, missing, no_name
from tests.fakes.wire.rule import Complaint, Json, RuleBook

CHAT_TOOLS = RuleBook("tools of Chat Completions")


@CHAT_TOOLS.rule("https://github.com/continuedev/continue/issues/3370")
def tools_are_empty(body: Json) -> Iterator[Complaint]:
    """An empty list of tools."""
    if body.get("tools") == []:
        yield empty_array("tools")


@CHAT_TOOLS.rule("https://github.com/anomalyco/opencode/issues/3523")
def tool_name_does_not_match(body: Json) -> Iterator[Complaint]:
    """Names of tools beyond 64 letters, digits, '_' and '-', or none."""
    for index, tool in enumerate(tools_of(body)):
        path = f"tools[{index}].function.name"
        if tool.get("name") is None:
            yield missing(path)
        else:
            yield from no_name(path, str(tool["name"]), 64)


@CHAT_TOOLS.rule("https://github.com/microsoft/semantic-kernel/issues/10610")
def tool_schema_is_refused(body: Json) -> Iterator[Complaint]:
    """Tools whose schema is refused."""
    fine_tuned = is_fine_tuned(str(body.get("model", "")))
    for index, tool in enumerate(tools_of(body)):
        for fault in schema_faults(tool.get("parameters"), strict=tool.get("strict") is True, fine_tuned=fine_tuned):
            words = f"Invalid schema for function '{tool.get('name')}': {fault}"
            yield Complaint(words, f"tools[{index}].function.parameters", "invalid_function_parameters")


@CHAT_TOOLS.rule(MEASURED_CHAT)
def response_format_is_none(body: Json) -> Iterator[Complaint]:
    """A response format without a name, or with one that does not match."""
    form = body.get("response_format") or {}
    path = "response_format.json_schema.name"
    if form.get("type") == "json_schema" and not (form.get("json_schema") or {}).get("name"):
        yield missing(path)
    elif form.get("type") == "json_schema":
        yield from no_name(path, form["json_schema"]["name"], 64)


@CHAT_TOOLS.rule("https://github.com/vercel/ai/issues/6484")
def response_schema_is_refused(body: Json) -> Iterator[Complaint]:
    """A schema of the answer that is refused."""
    form = (body.get("response_format") or {}).get("json_schema") or {}
    strict, fine_tuned = form.get("strict") is True, is_fine_tuned(str(body.get("model", "")))
    for fault in schema_faults(form.get("schema"), strict=strict, fine_tuned=fine_tuned):
        yield Complaint(f"Invalid schema for response_format '{form.get('name')}': {fault}", "response_format")


@CHAT_TOOLS.rule("https://github.com/ultimatejimmy/xray.koplugin/issues/33")
def json_object_without_the_word(body: Json) -> Iterator[Complaint]:
    """JSON mode without the word in the messages."""
    asked = (body.get("response_format") or {}).get("type") == "json_object"
    if asked and "json" not in str(body.get("messages")).lower():
        words = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
        yield Complaint(words, "messages")


@CHAT_TOOLS.rule("https://github.com/Upsonic/Upsonic/issues/323")
def choice_without_tools(body: Json) -> Iterator[Complaint]:
    """A choice of tools, or whether they may be parallel, where there are none."""
    for key in ("tool_choice", "parallel_tool_calls"):
        taken = key == "parallel_tool_calls" and family_in(body).parallel_without_tools
        if body.get(key) is not None and not body.get("tools") and not taken:
            yield Complaint(f"Invalid value for '{key}': '{key}' is only allowed when 'tools' are specified.", key)


@CHAT_TOOLS.rule(MEASURED_CHAT)
def choice_names_no_tool(body: Json) -> Iterator[Complaint]:
    """A choice of a tool that is not among the tools."""
    choice = body.get("tool_choice")
    name = (choice.get("function") or {}).get("name") if isinstance(choice, dict) else None
    if name is not None and name not in [tool.get("name") for tool in tools_of(body)]:
        words = f"no function named '{name}' was specified in the 'functions' parameter."
        yield Complaint(f"Invalid value for 'function_call': {words}", "function_call")


@CHAT_TOOLS.rule("https://github.com/BerriAI/litellm/issues/5803")
def stream_options_without_stream(body: Json) -> Iterator[Complaint]:
    """Options of a stream where there is none."""
    if body.get("stream_options") and not body.get("stream"):
        words = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        yield Complaint(words, "stream_options")
