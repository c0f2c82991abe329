"""What gateways refuse: LiteLLM and Azure."""

from __future__ import annotations

from collections.abc import Iterator

from tests.fakes.wire.chat_rules import CHAT, OPENAI_CHAT
from tests.fakes.wire.openai.chat_messages import calls_of, placed_parts, tools_of
from tests.fakes.wire.openai.models import family_in
from tests.fakes.wire.openai.words import too_long
from tests.fakes.wire.rule import Complaint, Json, RuleBook

LITELLM = RuleBook("LiteLLM", CHAT)
AZURE = RuleBook("Azure OpenAI", OPENAI_CHAT)


@LITELLM.rule("https://github.com/camel-ai/owl/issues/532")
def litellm_calls_without_tools(body: Json) -> Iterator[Complaint]:
    """Past calls where there are no tools, for the models of Anthropic."""
    if "claude" in str(body.get("model")) and any(calls_of(body)) and not body.get("tools"):
        words = "Anthropic doesn't support tool calling without `tools=` param specified."
        modify = "Pass `tools=` param OR set `litellm.modify_params = True` // `litellm_settings::modify_params: True`"
        yield Complaint(f"litellm.UnsupportedParamsError: {words} {modify} to add dummy tool to the request.")


@LITELLM.rule("https://github.com/BerriAI/litellm/issues/11921")
def litellm_parameter_is_unsupported(body: Json) -> Iterator[Complaint]:
    """An effort for models that do not reason."""
    model = str(body.get("model", ""))
    if body.get("reasoning_effort") is not None and not family_in(body).reasons:
        words = f"openai does not support parameters: ['reasoning_effort'], for model={model}."
        drop = "To drop these, set `litellm.drop_params=True` or for proxy:\n\n"
        yield Complaint(f"litellm.UnsupportedParamsError: {words} {drop}`litellm_settings:\n drop_params: true`")


@AZURE.rule("https://github.com/pydantic/pydantic-ai/issues/4035")
def azure_takes_no_file(body: Json) -> Iterator[Complaint]:
    """Files."""
    for path, _, part in placed_parts(body):
        if part.get("type") == "file":
            words = "Invalid Value: 'file'. This model does not support file content types."
            yield Complaint(words, f"{path}.type", "invalid_value")


@AZURE.rule("https://github.com/OpenHands/OpenHands/issues/4838")
def azure_description_is_too_long(body: Json) -> Iterator[Complaint]:
    """Descriptions of tools beyond 1024 characters."""
    for index, tool in enumerate(tools_of(body)):
        yield from too_long(f"tools[{index}].function.description", tool.get("description"), 1024)
